package dev.tenantry.embedded;

import dev.tenantry.sql.SqlName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes the data folder of a server: all of it, role, password and database included, before the server listens for the
 * first time, in a folder of another name that gets its own in the end. So it is there whole or not at all.
 */
final class DataFolder {

    private static final Duration LIMIT = Duration.ofMinutes(5);

    private static final String CLIENT_AUTHENTICATION = """
            # TYPE  DATABASE     USER  ADDRESS       METHOD
            host    all          all   127.0.0.1/32  scram-sha-256
            host    replication  all   127.0.0.1/32  scram-sha-256
            """;

    private static final String CONFIGURATION = """

            # What tenantry needs of a node, and what suits one; change what you like below or with ALTER SYSTEM.
            wal_level = logical
            max_connections = 300
            max_prepared_transactions = 300
            max_wal_senders = 20
            max_replication_slots = 40
            max_logical_replication_workers = 20
            max_worker_processes = 40
            # Up to 15, a server starts what replicates no more often than this.
            wal_retrieve_retry_interval = 200ms
            max_locks_per_transaction = 256
            password_encryption = 'scram-sha-256'
            log_line_prefix = '%m [%p] %q%u@%d '
            """;

    private final ServerSettings settings;
    private final Launcher launcher;

    DataFolder(ServerSettings settings, Launcher launcher) {
        this.settings = settings;
        this.launcher = launcher;
    }

    /** Makes the folder unless it is there already; checks that the binaries are of its version. */
    void prepare() {
        try {
            if (!Files.exists(settings.dataFolder())) {
                create();
            }
            String version = Files.readString(settings.dataFolder().resolve("PG_VERSION"))
                    .strip();
            if (!version.equals(Integer.toString(settings.binaries().majorVersion()))) {
                throw new EmbeddedException(
                        "the data in " + settings.dataFolder() + " was made by PostgreSQL " + version
                                + ", and the programs given are of version "
                                + settings.binaries().majorVersion());
            }
        } catch (IOException failed) {
            throw new EmbeddedException(
                    "can't use the data folder " + settings.dataFolder() + ": " + FileTrouble.words(failed), failed);
        }
    }

    private void create() throws IOException {
        Path building = settings.dataFolder().resolveSibling(settings.name() + ".new");
        BundledArchive.deleteTree(building);
        Files.createDirectories(building.getParent());
        Files.createDirectory(
                building, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        launcher.own(building);
        initialise(building);
        Files.writeString(building.resolve("pg_hba.conf"), CLIENT_AUTHENTICATION);
        Files.writeString(building.resolve("postgresql.conf"), CONFIGURATION, StandardOpenOption.APPEND);
        launcher.own(building);
        createRoleAndDatabase(building);
        if (settings.durability() == Durability.KEPT) {
            run(List.of(settings.binaries().initdb(), "--sync-only", "-D", building.toString()), "");
        }
        Files.move(building, settings.dataFolder(), StandardCopyOption.ATOMIC_MOVE);
    }

    private void initialise(Path folder) {
        List<String> words = new ArrayList<>(List.of(settings.binaries().initdb(), "-D", folder.toString()));
        words.addAll(List.of("-U", settings.superuser().name(), "--auth=trust", "--encoding=UTF8", "--no-sync"));
        List<String> usual = new ArrayList<>(words);
        usual.add("--locale=C.UTF-8");
        Command made = Command.run(launcher.command(usual), LIMIT);
        if (!made.succeeded() && made.output().contains("locale")) {
            words.add("--no-locale");
            made = Command.run(launcher.command(words), LIMIT);
        }
        require(made, "initdb");
    }

    /** Gives a server that does not run the control plane's role; harmless when it has it. */
    void ensureControlRole(ControlRole role) {
        runAlone(settings.dataFolder(), """
                DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = %1$s) \
                THEN CREATE ROLE %2$s; END IF; END $$
                ALTER ROLE %2$s LOGIN SUPERUSER PASSWORD %3$s
                """.formatted(
                SqlName.literal(ControlRole.NAME), SqlName.quoted(ControlRole.NAME), SqlName.literal(role.verifier())));
    }

    private void createRoleAndDatabase(Path folder) {
        Superuser superuser = settings.superuser();
        String role = SqlName.quoted(superuser.name());
        StringBuilder sql = new StringBuilder();
        sql.append("ALTER ROLE ").append(role).append(" PASSWORD ");
        sql.append(SqlName.literal(settings.verifier())).append('\n');
        if (!superuser.database().equals("postgres")) {
            sql.append("CREATE DATABASE ").append(SqlName.quoted(superuser.database()));
            sql.append(" OWNER ").append(role).append('\n');
        }
        runAlone(folder, sql.toString());
    }

    /** By a stand-alone backend, which needs no port and no password; "postgres", "Single-User Mode" in the manual. */
    private void runAlone(Path folder, String sql) {
        run(
                List.of(
                        settings.binaries().postgres(),
                        "--single",
                        "-F",
                        "-c",
                        "exit_on_error=true",
                        "-D",
                        folder.toString(),
                        "postgres"),
                sql);
    }

    private void run(List<String> program, String input) {
        require(Command.run(launcher.command(program), input, LIMIT), program.getFirst());
    }

    private void require(Command command, String program) {
        if (!command.succeeded()) {
            throw new EmbeddedException(
                    "can't make the data folder of " + settings.name() + ": " + program + " said: " + command.output());
        }
    }
}
