package dev.tenantry.embedded;

import java.nio.file.Path;

/**
 * What one embedded server is made of.
 *
 * @param name what people call it, for example {@code worker1}
 * @param dataFolder where its data is, or will be
 * @param logFile where it writes its log
 * @param binaries the programs it runs with
 * @param superuser the role and database it is made with
 * @param verifier the superuser's password as {@code pg_authid} keeps it, the same text on every server of a cluster
 * @param durability whether its data must survive the machine
 */
public record ServerSettings(
        String name,
        Path dataFolder,
        Path logFile,
        PostgresBinaries binaries,
        Superuser superuser,
        String verifier,
        Durability durability) {}
