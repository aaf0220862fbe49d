package dev.tenantry;

import dev.tenantry.embedded.Durability;
import dev.tenantry.embedded.EmbeddedCluster;
import dev.tenantry.embedded.PostgresBinaries;
import dev.tenantry.embedded.Superuser;
import java.nio.file.Path;
import java.util.List;

/** Which PostgreSQL servers make the cluster. */
public sealed interface Servers {

    /**
     * Servers of our own.
     *
     * @param settings what to start
     */
    record Embedded(EmbeddedCluster.Settings settings) implements Servers {}

    /**
     * Servers that are there already.
     *
     * @param coordinatorUrl {@code postgresql://superuser:password@host:port/database}
     * @param workers those to add if they are not there yet, {@code host:port}
     */
    record Existing(String coordinatorUrl, List<String> workers) implements Servers {}

    /** What the configuration says; unpacks the bundled programs when they are needed for the first time. */
    static Servers of(AppConfig config) {
        if (config.coordinator().isPresent()) {
            return new Existing(config.coordinator().get(), config.worker().orElse(List.of()));
        }
        AppConfig.Embedded embedded = config.embedded();
        PostgresBinaries binaries = embedded.pgBin()
                .map(bin -> PostgresBinaries.in(Path.of(bin)))
                .orElseGet(() -> PostgresBinaries.bundled(PostgresBinaries.defaultCacheFolder()));
        return new Embedded(new EmbeddedCluster.Settings(
                Path.of(embedded.data()), embedded.workers(), binaries, Superuser.DEFAULT, Durability.KEPT));
    }
}
