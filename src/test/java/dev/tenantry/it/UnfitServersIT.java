package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tenantry.Servers;
import dev.tenantry.StartupException;
import dev.tenantry.Tenantry;
import dev.tenantry.Wiring;
import dev.tenantry.control.ControlLimits;
import dev.tenantry.control.move.MovePoint;
import dev.tenantry.control.node.NodeScripts;
import dev.tenantry.proxy.cluster.DistributedEnd;
import dev.tenantry.proxy.net.TlsSettings;
import dev.tenantry.proxy.server.ProxyLimits;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.PostgresNode;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Vertx;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/**
 * A server that lacks something is refused at once, as a coordinator and as a worker, with what it lacks, why that is
 * needed and what to do; nothing has changed on it by then, and nobody is left connected to it.
 */
class UnfitServersIT {

    /** A superuser of every server that is not the one it was made with, so that a test may take its rights away. */
    private static final String MANAGER = "manager";

    private static final String CREATE_MANAGER =
            "CREATE ROLE " + MANAGER + " SUPERUSER LOGIN PASSWORD '" + PostgresNode.VERIFIER + "'";

    /** Whoever waited for something that does not come by itself would not come back. */
    private static final Duration PATIENCE = Duration.ofHours(1);

    private static final int EXTENSION_PATH_VERSION = 18;

    /** All that we could have left on a server. */
    private static final String FOOTPRINT = """
            SELECT string_agg(thing, E'\\n' ORDER BY thing) FROM (
                SELECT 'schema ' || nspname || coalesce(nspacl::text, '') FROM pg_namespace
                UNION ALL SELECT 'relation ' || oid::regclass FROM pg_class WHERE oid >= 16384
                UNION ALL SELECT 'routine ' || oid::regprocedure FROM pg_proc WHERE oid >= 16384
                UNION ALL SELECT 'event trigger ' || evtname FROM pg_event_trigger
                UNION ALL SELECT 'extension ' || extname || ' in ' || extnamespace::regnamespace FROM pg_extension
                UNION ALL SELECT 'role ' || rolname || rolsuper FROM pg_roles
                UNION ALL SELECT 'setting ' || setdatabase || setrole || setconfig::text FROM pg_db_role_setting
                UNION ALL SELECT 'server ' || srvname FROM pg_foreign_server
                UNION ALL SELECT 'prepared ' || gid FROM pg_prepared_xacts
            ) AS all_of_it (thing)
            """;

    private static final Vertx VERTX = Vertx.vertx();
    private static PostgresNode coordinator;
    private static PostgresNode candidate;
    private static Tenantry tenantry;

    /** What can be taken from a server, and what must be said of it. */
    enum Lack {
        RIGHTS(
                "ALTER ROLE manager NOSUPERUSER",
                "ALTER ROLE manager SUPERUSER",
                "role \"manager\" may not administer it",
                "Run ALTER ROLE manager SUPERUSER"),
        PREPARED_TRANSACTIONS(
                "ALTER SYSTEM SET max_prepared_transactions = 0",
                "ALTER SYSTEM RESET max_prepared_transactions",
                "max_prepared_transactions is 0",
                "Run ALTER SYSTEM SET max_prepared_transactions = 100 and restart"),
        WRITES(
                "ALTER DATABASE tenantry SET default_transaction_read_only = on",
                "SET default_transaction_read_only = off;ALTER DATABASE tenantry RESET default_transaction_read_only",
                "default_transaction_read_only is on",
                "RESET default_transaction_read_only"),
        EVENT_TRIGGERS(
                "ALTER ROLE manager SET session_replication_role = replica",
                "ALTER ROLE manager RESET session_replication_role",
                "event triggers are off",
                "Reset event_triggers and session_replication_role"),
        LANGUAGE(
                "DROP EXTENSION plpgsql",
                "CREATE EXTENSION plpgsql",
                "language plpgsql is missing",
                "Run CREATE EXTENSION plpgsql"),
        SCHEMA_OF_ANOTHER(
                "CREATE ROLE eve;CREATE SCHEMA tenantry AUTHORIZATION eve",
                "DROP SCHEMA tenantry;DROP ROLE eve",
                "schema \"tenantry\" is not in the hands of superusers alone",
                "REASSIGN OWNED BY"),
        SCHEMA_OPEN_TO_ALL(
                "CREATE SCHEMA tenantry;GRANT CREATE ON SCHEMA tenantry TO PUBLIC",
                "DROP SCHEMA tenantry",
                "own or may create something there: PUBLIC",
                "REVOKE CREATE ON SCHEMA tenantry"),
        TABLE_OF_ANOTHER(
                "CREATE ROLE \"Eve\";CREATE SCHEMA tenantry;CREATE TABLE tenantry.commit_record (gid text);"
                        + "ALTER TABLE tenantry.commit_record OWNER TO \"Eve\"",
                "DROP SCHEMA tenantry CASCADE;DROP ROLE \"Eve\"",
                "own or may create something there: \"Eve\"",
                "DROP SCHEMA tenantry CASCADE"),
        FUNCTION_OF_ANOTHER(
                "CREATE ROLE eve;CREATE SCHEMA tenantry;CREATE FUNCTION tenantry.record_commit(text, integer[])"
                        + " RETURNS void LANGUAGE sql AS '';"
                        + "ALTER FUNCTION tenantry.record_commit(text, integer[]) OWNER TO eve",
                "DROP SCHEMA tenantry CASCADE;DROP ROLE eve",
                "own or may create something there: eve",
                "DROP SCHEMA tenantry CASCADE");

        private final String taken;
        private final String given;
        private final String problem;
        private final String hint;

        Lack(String taken, String given, String problem, String hint) {
            this.taken = taken;
            this.given = given;
            this.problem = problem;
            this.hint = hint;
        }
    }

    @BeforeAll
    static void start() throws Exception {
        coordinator = PostgresNode.start("coordinator");
        candidate = PostgresNode.start("candidate");
        for (PostgresNode node : List.of(coordinator, candidate)) {
            run(node, CREATE_MANAGER);
        }
        tenantry = start(url(coordinator));
    }

    @AfterAll
    static void stop() {
        tenantry.close();
        VERTX.close().toCompletionStage().toCompletableFuture().join();
        candidate.close();
        coordinator.close();
    }

    @ParameterizedTest
    @EnumSource
    void saysAtOnceWhatAServerLacks(Lack lack) throws Exception {
        run(candidate, lack.taken.split(";"));
        try {
            String before = footprint(candidate);
            assertThat(refusedAsCoordinator(url(candidate)))
                    .startsWith("server " + candidate.host() + ":" + candidate.port() + "/tenantry cannot be the")
                    .contains(lack.problem)
                    .contains(lack.hint);
            ServerErrorMessage worker = refusedAsWorker(candidate);
            assertThat(worker.getSQLState()).isEqualTo("55000");
            assertThat(worker.getMessage())
                    .startsWith("server " + candidate.host() + ":" + candidate.port() + " cannot be a node: ");
            assertThat(worker.getMessage() + worker.getDetail()).contains(lack.problem);
            assertThat(worker.getDetail()).endsWith(".");
            assertThat(worker.getHint()).contains(lack.hint);
            assertThat(footprint(candidate)).isEqualTo(before);
        } finally {
            run(candidate, lack.given.split(";"));
        }
    }

    /** There is no server of these versions to ask, so the check is told that it runs on one. */
    @ParameterizedTest
    @CsvSource({"149999, 1", "150000, 0", "189999, 0", "190000, 1"})
    void refusesOtherVersionsOfPostgres(String version, String refusals) throws Exception {
        String known = "current_setting('server_version_num')";
        assertThat(NodeScripts.check()).contains(known);
        String check =
                NodeScripts.check().replace(known, "'" + version + "'").strip().replaceAll(";$", "");
        assertThat(single(
                        candidate,
                        "SELECT count(*) FROM (" + check
                                + "\n) lacks WHERE problem = 'PostgreSQL version is not supported'"
                                + " AND detail LIKE 'It runs PostgreSQL %' AND hint LIKE 'Use a PostgreSQL server %'"))
                .isEqualTo(refusals);
    }

    @Test
    void saysAllThatAServerLacksTogether() throws Exception {
        run(
                candidate,
                "CREATE SCHEMA tenantry",
                "GRANT CREATE ON SCHEMA tenantry TO PUBLIC",
                "ALTER ROLE manager NOSUPERUSER");
        try {
            assertThat(refusedAsCoordinator(url(candidate)).lines())
                    .hasSize(5)
                    .anyMatch(line -> line.startsWith("  - role \"manager\" may not administer it: "))
                    .anyMatch(line -> line.startsWith("  - schema \"tenantry\" is not in the hands"));
            assertThat(refusedAsWorker(candidate).getMessage())
                    .contains("may not administer it, schema \"tenantry\" is not");
        } finally {
            run(candidate, "DROP SCHEMA tenantry", "ALTER ROLE manager SUPERUSER");
        }
    }

    @Test
    void refusesDatabaseOfAnotherEncoding() throws Exception {
        String maintenance = candidate.jdbcUrl("postgres");
        run(
                maintenance,
                "ALTER DATABASE tenantry RENAME TO kept",
                "CREATE DATABASE tenantry ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
        try {
            String before = footprint(candidate);
            assertThat(refusedAsCoordinator(url(candidate)))
                    .contains("database \"tenantry\" has encoding LATIN1")
                    .contains("Create the database with ENCODING 'UTF8' TEMPLATE template0.");
            ServerErrorMessage worker = refusedAsWorker(candidate);
            assertThat(worker.getMessage()).endsWith("cannot be a node: database \"tenantry\" has encoding LATIN1");
            assertThat(worker.getHint()).isEqualTo("Create the database with ENCODING 'UTF8' TEMPLATE template0.");
            assertThat(footprint(candidate)).isEqualTo(before);
        } finally {
            run(maintenance, "DROP DATABASE tenantry", "ALTER DATABASE kept RENAME TO tenantry");
        }
    }

    @Test
    void refusesStandby() throws Exception {
        try (PostgresNode standby = PostgresNode.start("standby")) {
            run(standby, CREATE_MANAGER, "COPY (SELECT) TO PROGRAM 'cat > standby.signal'");
            standby.restart();
            assertThat(refusedAsCoordinator(url(standby)))
                    .contains("it is a standby: A node must accept writes.")
                    .contains("Use the address of the primary server.");
            ServerErrorMessage worker = refusedAsWorker(standby);
            assertThat(worker.getMessage()).endsWith("cannot be a node: it is a standby");
            assertThat(worker.getDetail()).isEqualTo("A node must accept writes.");
            assertThat(worker.getHint()).isEqualTo("Use the address of the primary server.");
        }
    }

    @Test
    void refusesCoordinatorWithoutDblink() throws Exception {
        Assumptions.assumeTrue(
                candidate.majorVersion() >= EXTENSION_PATH_VERSION, "older servers always find their own extensions");
        run(candidate, "ALTER SYSTEM SET extension_control_path = '/nowhere'");
        try {
            String before = footprint(candidate);
            assertThat(refusedAsCoordinator(url(candidate)))
                    .contains("extension \"dblink\" is not available: The coordinator asks the other nodes through it.")
                    .contains("the package is postgresql-contrib, or postgresql" + candidate.majorVersion()
                            + "-contrib.");
            assertThat(footprint(candidate)).isEqualTo(before);
        } finally {
            run(candidate, "ALTER SYSTEM RESET extension_control_path");
        }
    }

    @Test
    void refusesWorkerWithoutExtensionOfTheCoordinator() throws Exception {
        Assumptions.assumeTrue(
                candidate.majorVersion() >= EXTENSION_PATH_VERSION, "older servers always find their own extensions");
        run(candidate, "ALTER SYSTEM SET extension_control_path = '/nowhere'");
        run(coordinator, "CREATE EXTENSION hstore SCHEMA public");
        try {
            String before = footprint(candidate);
            ServerErrorMessage worker = refusedAsWorker(candidate);
            assertThat(worker.getSQLState()).isEqualTo("55000");
            assertThat(worker.getMessage()).endsWith("cannot be a node: extension \"hstore\" is not available there");
            assertThat(worker.getHint()).isEqualTo("Install the package of the extension on that server.");
            assertThat(footprint(candidate)).isEqualTo(before);
        } finally {
            run(coordinator, "DROP EXTENSION hstore");
            run(candidate, "ALTER SYSTEM RESET extension_control_path");
        }
    }

    @Test
    void refusesCoordinatorWhoseDblinkIsElsewhere() throws Exception {
        run(candidate, "CREATE EXTENSION dblink SCHEMA public");
        try {
            String before = footprint(candidate);
            assertThat(refusedAsCoordinator(url(candidate)))
                    .contains("extension \"dblink\" is there already, in schema \"public\"")
                    .contains("Run DROP EXTENSION dblink, or use another database.");
            assertThat(footprint(candidate)).isEqualTo(before);
        } finally {
            run(candidate, "DROP EXTENSION dblink");
        }
    }

    @Test
    void refusesCoordinatorThatWasANodeOfAnotherCluster() throws Exception {
        run(
                candidate,
                "CREATE SCHEMA tenantry",
                "COMMENT ON SCHEMA tenantry IS 'node of cluster abc'",
                "CREATE TABLE tenantry.commit_record (gid text)");
        try {
            String before = footprint(candidate);
            assertThat(refusedAsCoordinator(url(candidate)))
                    .contains("its schema \"tenantry\" holds something else than a catalog")
                    .contains("the schema is marked \"node of cluster abc\"")
                    .contains("SET tenantry.schema_ddl = 'on' and then DROP SCHEMA tenantry CASCADE;");
            ServerErrorMessage worker = refusedAsWorker(candidate);
            assertThat(worker.getMessage()).endsWith("belongs to another cluster");
            assertThat(worker.getHint()).contains("DROP SCHEMA tenantry CASCADE");
            assertThat(footprint(candidate)).isEqualTo(before);
        } finally {
            run(candidate, "DROP SCHEMA tenantry CASCADE");
        }
    }

    @Test
    void refusesWorkerThatDoesNotLetUsIn() throws Exception {
        run(candidate, "ALTER ROLE manager NOLOGIN");
        try {
            ServerErrorMessage worker = refusedAsWorker(candidate);
            assertThat(worker.getSQLState()).isEqualTo("08001");
            assertThat(worker.getMessage())
                    .isEqualTo("could not connect to " + candidate.host() + ":" + candidate.port());
            assertThat(worker.getDetail()).contains("role \"manager\" is not permitted to log in");
            assertThat(worker.getHint()).contains("must have a database \"tenantry\" and the role and password");
        } finally {
            run(candidate, "ALTER ROLE manager LOGIN");
        }
    }

    @Test
    void saysWhyTheCatalogCouldNotBeInstalledAndInstallsItLater() throws Exception {
        try (PostgresNode node = PostgresNode.start("strict")) {
            run(
                    node,
                    CREATE_MANAGER,
                    "CREATE FUNCTION public.no() RETURNS event_trigger LANGUAGE plpgsql AS"
                            + " $$BEGIN RAISE EXCEPTION 'no extensions here' USING HINT = 'Ask Joe.'; END$$",
                    "CREATE EVENT TRIGGER no ON ddl_command_start WHEN TAG IN ('CREATE EXTENSION')"
                            + " EXECUTE FUNCTION public.no()");
            assertThat(refusedAsCoordinator(url(node)))
                    .startsWith("the catalog can't be installed on ")
                    .endsWith("no extensions here (Ask Joe.)");
            run(node, "DROP EVENT TRIGGER no");
            start(url(node)).close();
            assertThat(refusedAsWorker(node).getMessage()).endsWith("belongs to another cluster");
            run(node, "SET tenantry.schema_ddl = 'on'", "DROP SCHEMA tenantry CASCADE"); // as it was told
            start(url(node)).close();
        }
    }

    // --- what is asked ----------------------------------------------------------------------------------------------

    private static Tenantry start(String coordinatorUrl) throws InterruptedException {
        Wiring wiring = new Wiring(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                PATIENCE,
                Duration.ofSeconds(1),
                ProxyLimits.forCores(1),
                ControlLimits.DEFAULT,
                TlsSettings.NONE,
                VERTX,
                new SimpleMeterRegistry(),
                MovePoint.Observer.NONE,
                DistributedEnd.Observer.NONE);
        return Tenantry.start(new Servers.Existing(coordinatorUrl, List.of()), wiring);
    }

    private static String url(PostgresNode node) {
        return node.url().replace("//tenantry:", "//" + MANAGER + ":");
    }

    private static String refusedAsCoordinator(String url) {
        StartupException refused =
                catchThrowableOfType(StartupException.class, () -> start(url).close());
        assertThat(refused).isNotNull();
        return String.valueOf(refused.getMessage());
    }

    /** What is said; by then nobody is connected to the server, though the client that asked still is. */
    private static ServerErrorMessage refusedAsWorker(PostgresNode node) throws SQLException {
        String proxy = "jdbc:postgresql://127.0.0.1:" + tenantry.address().getPort()
                + "/tenantry?user=manager&password=tenantry&socketTimeout=60";
        try (Connection connection = DriverManager.getConnection(proxy);
                Statement statement = connection.createStatement()) {
            PSQLException refused = catchThrowableOfType(
                    PSQLException.class,
                    () -> statement.execute("SELECT citus_add_node('" + node.host() + "', " + node.port() + ")"));
            Objects.requireNonNull(refused, "the server was taken");
            Eventually.passes(() -> assertThat(visitors(node)).isEqualTo("0"));
            return Objects.requireNonNull(refused.getServerErrorMessage(), refused.getMessage());
        }
    }

    private static String footprint(PostgresNode node) throws SQLException {
        return single(node, FOOTPRINT);
    }

    /** How many sessions of ours a server has. */
    private static String visitors(PostgresNode node) throws SQLException {
        return single(node, "SELECT count(*) FROM pg_stat_activity WHERE usename = 'manager'");
    }

    private static String single(PostgresNode node, String sql) throws SQLException {
        try (Connection connection = node.connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }

    /** Runs statements one by one in the database {@code tenantry}; restarts the server where that is needed. */
    private static void run(PostgresNode node, String... statements) throws SQLException {
        run(node.jdbcUrl(), statements);
        if (statements[0].startsWith("ALTER SYSTEM")) {
            node.restart();
        }
    }

    private static void run(String url, String... statements) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }
}
