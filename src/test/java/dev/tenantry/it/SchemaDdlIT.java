package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.PostgresNode;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** CREATE, DROP, ALTER SCHEMA and GRANT on schemas: coordinator and owner change together or not at all. */
class SchemaDdlIT {
    private final Cluster cluster = Cluster.shared();
    private Connection client = connect();

    private Connection connect() {
        try {
            return cluster.connect();
        } catch (SQLException failed) {
            throw new IllegalStateException(failed);
        }
    }

    @BeforeEach
    void startClean() throws SQLException {
        run("DROP SCHEMA IF EXISTS ddl_a, ddl_b, ddl_c, \"Odd \"\"Näme\" CASCADE");
    }

    @AfterEach
    void disconnect() throws SQLException {
        client.close();
    }

    /** The driver sends each statement as an extended message of one batch, with the space that stands before it. */
    @Test
    void createsSchemasInOneBatch() throws SQLException {
        run(" /* first */ CREATE SCHEMA ddl_a CREATE TABLE made (); DROP SCHEMA ddl_a CASCADE");
        run("CREATE SCHEMA ddl_a; CREATE SCHEMA ddl_b");
        run("SET tenantry.node = 'worker1'; CREATE SCHEMA ddl_c");
        run("SET tenantry.node = ''; CREATE TABLE ddl_a.t (); CREATE TABLE ddl_b.t (); CREATE TABLE ddl_c.t ()");
    }

    @Test
    void rollsBackOnEveryNode() throws SQLException {
        run("BEGIN");
        run("CREATE SCHEMA ddl_a");
        run("CREATE TABLE ddl_a.t AS SELECT 1 AS x");
        assertThat(query("SELECT x FROM ddl_a.t")).containsExactly("1");
        run("ROLLBACK");
        assertThat(nodesWith("ddl_a")).isEmpty();
        assertThat(cluster.tenantry().catalog().refresh().schema("ddl_a")).isNull();
    }

    @Test
    void dropsNothingThatIsNotWhereItIsKnownToBe() throws SQLException {
        run("SET tenantry.node = 'worker1'; CREATE SCHEMA ddl_a; RESET tenantry.node");
        onWorker("ALTER SCHEMA ddl_a RENAME TO ddl_elsewhere");
        assertThatThrownBy(() -> run("DROP SCHEMA IF EXISTS ddl_a, ddl_b"))
                .hasMessageContaining("schema \"ddl_a\" is not on its node any more");
        assertThat(nodesWith("ddl_a")).containsExactly("coordinator");
        onWorker("ALTER SCHEMA ddl_elsewhere RENAME TO ddl_a");
        run("DROP SCHEMA IF EXISTS ddl_a, ddl_b");
        assertThat(nodesWith("ddl_a")).isEmpty();
    }

    private void onWorker(String sql) throws SQLException {
        try (Connection node = cluster.worker(1).connect();
                Statement statement = node.createStatement()) {
            statement.execute("SET tenantry.schema_ddl = on");
            statement.execute(sql);
        }
    }

    @Test
    void isSeenByOthersOnlyAfterCommit() throws SQLException {
        try (Connection other = cluster.connect()) {
            run("BEGIN");
            run("CREATE SCHEMA ddl_a");
            run("CREATE TABLE ddl_a.t AS SELECT 1 AS x");
            assertThatThrownBy(() -> query(other, "SELECT x FROM ddl_a.t")).hasMessageContaining("does not exist");
            run("COMMIT");
            assertThat(query(other, "SELECT x FROM ddl_a.t")).containsExactly("1");
        }
        assertThat(nodesWith("ddl_a")).hasSize(2).contains("coordinator");
    }

    @Test
    void undoesASavepointOnEveryNode() throws SQLException {
        run("BEGIN");
        run("SAVEPOINT s");
        run("CREATE SCHEMA ddl_a");
        run("ROLLBACK TO SAVEPOINT s");
        run("CREATE SCHEMA ddl_a");
        run("CREATE SCHEMA ddl_b");
        run("COMMIT");
        assertThat(nodesWith("ddl_a")).hasSize(2);
        assertThat(nodesWith("ddl_b")).hasSize(2);
    }

    @Test
    void createsElementsOnTheOwner() throws SQLException {
        run("CREATE SCHEMA ddl_a CREATE TABLE t (i int PRIMARY KEY) CREATE VIEW v AS SELECT i FROM t");
        run("INSERT INTO ddl_a.t VALUES (7)");
        assertThat(query("SELECT i FROM ddl_a.v")).containsExactly("7");
    }

    @Test
    void takesOddNames() throws SQLException {
        run("CREATE SCHEMA \"Odd \"\"Näme\"");
        run("CREATE TABLE \"Odd \"\"Näme\".t AS SELECT 1 AS x");
        run("SET search_path TO \"Odd \"\"Näme\"");
        assertThat(query("SELECT x FROM t")).containsExactly("1");
        String longest = "x".repeat(63);
        run("CREATE SCHEMA " + longest + "yz");
        assertThat(query("SELECT nspname FROM pg_namespace WHERE nspname = '" + longest + "'"))
                .containsExactly(longest);
        run("DROP SCHEMA " + longest);
    }

    @Test
    void saysWhatPostgresSays() throws SQLException {
        run("CREATE SCHEMA ddl_a");
        assertState("42P06", "CREATE SCHEMA ddl_a");
        run("CREATE SCHEMA IF NOT EXISTS ddl_a");
        assertState("3F000", "DROP SCHEMA ddl_missing");
        run("DROP SCHEMA IF EXISTS ddl_missing");
        run("CREATE TABLE ddl_a.t ()");
        assertState("2BP01", "DROP SCHEMA ddl_a");
        assertState("42939", "CREATE SCHEMA pg_mine");
        assertThat(nodesWith("ddl_a")).hasSize(2);
    }

    @Test
    void doesNotTakeWhatIsOnANodeOnlyForANewSchema() throws SQLException {
        PostgresNode worker = cluster.worker(1);
        worker.list("SET tenantry.schema_ddl = on; CREATE SCHEMA ddl_left; SELECT 1");
        run("SET tenantry.node = 'worker1'");
        assertState("42P06", "CREATE SCHEMA IF NOT EXISTS ddl_left");
        worker.list("SET tenantry.schema_ddl = on; DROP SCHEMA ddl_left; SELECT 1");
        run("CREATE SCHEMA IF NOT EXISTS ddl_left");
        run("DROP SCHEMA ddl_left");
    }

    @Test
    void dropsSchemasOfSeveralNodesTogether() throws SQLException {
        run("SET tenantry.node = 'worker1'");
        run("CREATE SCHEMA ddl_a");
        run("SET tenantry.node = 'worker2'");
        run("CREATE SCHEMA ddl_b");
        run("CREATE TABLE ddl_b.t ()");
        assertState("2BP01", "DROP SCHEMA ddl_a, ddl_b");
        assertThat(nodesWith("ddl_a")).hasSize(2);
        run("DROP SCHEMA ddl_a, ddl_b CASCADE");
        assertThat(nodesWith("ddl_a")).isEmpty();
        assertThat(nodesWith("ddl_b")).isEmpty();
    }

    @Test
    void renamesOnEveryNode() throws SQLException {
        run("CREATE SCHEMA ddl_a");
        run("CREATE TABLE ddl_a.t AS SELECT 1 AS x");
        run("ALTER SCHEMA ddl_a RENAME TO ddl_c");
        assertThat(query("SELECT x FROM ddl_c.t")).containsExactly("1");
        assertThat(nodesWith("ddl_a")).isEmpty();
        assertThat(nodesWith("ddl_c")).hasSize(2);
    }

    @Test
    void refusesAnUnknownNode() throws SQLException {
        run("SET tenantry.node = 'nowhere'");
        assertState("42704", "CREATE SCHEMA ddl_a");
        run("RESET tenantry.node");
        assertThat(nodesWith("ddl_a")).isEmpty();
    }

    @Test
    void makesAnOrdinarySchemaWhenShardingIsOff() throws SQLException {
        run("SET citus.enable_schema_based_sharding TO off");
        run("CREATE SCHEMA ddl_a");
        assertThat(nodesWith("ddl_a")).containsExactly("coordinator");
        run("DROP SCHEMA ddl_a");
        run("RESET citus.enable_schema_based_sharding");
        assertThat(query("SHOW citus.enable_schema_based_sharding")).containsExactly("on");
    }

    @Test
    void refusesDdlOfSchemasHiddenInAFunction() {
        assertState("TN001", "DO $$ BEGIN EXECUTE 'CREATE SCHEMA ddl_a'; END $$");
    }

    @Test
    void letsNoOtherStatementOfItsTransactionHideDdlOfSchemas() throws SQLException {
        for (String ddl : List.of(
                "CREATE SCHEMA ddl_a",
                "ALTER SCHEMA ddl_c RENAME TO ddl_a",
                "COMMENT ON SCHEMA ddl_c IS 'x'",
                "DROP SCHEMA IF EXISTS ddl_c")) {
            run("CREATE SCHEMA IF NOT EXISTS ddl_c");
            run("BEGIN");
            run(ddl);
            for (String path : List.of("ddl_a, ddl_c", "public")) {
                run("SAVEPOINT s; SET LOCAL search_path = " + path);
                assertState("TN001", "DO $$ BEGIN EXECUTE 'CREATE SCHEMA ddl_b'; END $$");
                run("ROLLBACK TO s");
            }
            run("ROLLBACK");
        }
    }

    @Test
    void saysThatASchemaIsGoneThatAnotherHasDroppedMeanwhile() throws Exception {
        String drop = "DROP SCHEMA IF EXISTS ddl_a CASCADE";
        for (boolean commits : List.of(true, false)) {
            run("CREATE SCHEMA ddl_a CREATE TABLE t ()");
            run("BEGIN");
            run("DROP SCHEMA ddl_a CASCADE");
            try (Connection later = connect();
                    Statement statement = later.createStatement();
                    Connection watching = cluster.coordinator().connect()) {
                CompletableFuture<Void> dropped = CompletableFuture.runAsync(() -> {
                    try {
                        statement.execute(drop);
                    } catch (SQLException failed) {
                        throw new IllegalStateException(failed);
                    }
                });
                Eventually.passes(() -> assertThat(
                                query(watching, "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"))
                        .isNotEmpty());
                run(commits ? "COMMIT" : "ROLLBACK");
                dropped.get(30, TimeUnit.SECONDS);
                assertThat(nodesWith("ddl_a")).isEmpty();
                if (commits) {
                    assertThat(String.valueOf(statement.getWarnings()))
                            .contains("schema \"ddl_a\" does not exist, skipping");
                }
            }
        }
    }

    @Test
    void runsAStringOfStatementsAsOneTransaction() throws SQLException {
        assertThatThrownBy(() -> run("CREATE SCHEMA ddl_a; CREATE TABLE ddl_a.t (); SELECT 1/0; CREATE SCHEMA ddl_b"))
                .hasMessageContaining("division by zero");
        assertThat(nodesWith("ddl_a")).isEmpty();
        run("CREATE SCHEMA ddl_a; CREATE TABLE ddl_a.t AS SELECT 5 AS x");
        assertThat(query("SELECT x FROM ddl_a.t")).containsExactly("5");
    }

    @Test
    void makesOnlyWhoClosesItsNodeWaitForWhoCreatesASchema() throws Exception {
        run("BEGIN; CREATE SCHEMA ddl_a");
        String home = query("SELECT nodename || ',' || nodeport FROM citus_schemas WHERE schema_name::text = 'ddl_a'")
                .getFirst();
        String property = "SELECT tenantry.citus_set_node_property(n.nodename, n.nodeport, 'shouldhaveshards', %s)"
                + " FROM tenantry.node n WHERE n.nodename || ',' || n.nodeport = '" + home + "'";
        try (Connection closing = cluster.coordinator().connect();
                Connection other = cluster.coordinator().connect()) {
            query(closing, "BEGIN");
            CompletableFuture<List<String>> closed = CompletableFuture.supplyAsync(() -> {
                try {
                    return query(closing, property.formatted("false"));
                } catch (SQLException failed) {
                    throw new IllegalStateException(failed);
                }
            });
            query(other, "SET lock_timeout = '5s'");
            Eventually.passes(
                    () -> assertThat(query(other, "SELECT query FROM pg_stat_activity WHERE wait_event_type = 'Lock'"))
                            .contains(property.formatted("false")));
            query(other, "BEGIN");
            query(other, property.formatted("true"));
            for (PostgresNode worker : cluster.workers()) {
                query(
                        other,
                        "SELECT tenantry.citus_update_node(n.nodeid, replace(n.nodename, '127.0.0.1', 'localhost'),"
                                + " n.nodeport) FROM tenantry.node n WHERE n.nodeport = " + worker.port());
            }
            query(other, "ROLLBACK");
            assertThat(closed).isNotDone();
            run("COMMIT");
            assertThat(closed.get(30, TimeUnit.SECONDS)).hasSize(1);
            assertThat(query(closing, "SELECT nspname FROM tenantry.schema JOIN pg_namespace p ON p.oid = schemaid"))
                    .contains("ddl_a");
            query(closing, "ROLLBACK");
        }
    }

    @Test
    void createsSchemasAlsoWhenANodeHasChangedSinceTheSnapshot() throws SQLException {
        String touch = "SELECT tenantry.citus_set_node_property(n.nodename, n.nodeport, 'shouldhaveshards', %s)"
                + " FROM tenantry.node n WHERE n.groupid <> 0";
        try (Connection other = cluster.coordinator().connect()) {
            String snapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ; CREATE ROLE ddl_early";
            query(other, "SET lock_timeout = '5s'");
            run(snapshot);
            query(other, touch.formatted("true"));
            run("DROP ROLE ddl_early; CREATE SCHEMA ddl_b; COMMIT");
            run(snapshot);
            try {
                query(other, touch.formatted("false"));
            } finally {
                query(other, touch.formatted("true"));
            }
            assertState("40001", "CREATE SCHEMA ddl_c");
            run("ROLLBACK");
        }
        assertThat(nodesWith("ddl_b")).hasSize(2);
    }

    /** As frameworks do to begin with an empty database. */
    @Test
    void makesPublicAnewOnTheCoordinator() throws SQLException {
        run("BEGIN");
        run("DROP SCHEMA public CASCADE");
        run("CREATE SCHEMA public");
        run("CREATE TABLE public.here AS SELECT 1 AS a");
        assertThat(query("SELECT a FROM here")).containsExactly("1");
        assertThat(query("SELECT 1 FROM citus_schemas WHERE schema_name::text = 'public'"))
                .isEmpty();
        run("ROLLBACK");
    }

    @Test
    void refusesAStatementOverTwoNodes() throws SQLException {
        run("SET tenantry.node = 'worker1'");
        run("CREATE SCHEMA ddl_a");
        run("CREATE TABLE ddl_a.t (i int)");
        run("SET tenantry.node = 'worker2'");
        run("CREATE SCHEMA ddl_b");
        run("CREATE TABLE ddl_b.t (i int)");
        assertState("0A000", "SELECT * FROM ddl_a.t, ddl_b.t");
    }

    @Test
    void keepsARoleWithOnePasswordOnEveryNode() throws SQLException {
        run("DROP ROLE IF EXISTS ddl_role");
        run("CREATE ROLE ddl_role LOGIN PASSWORD 'se''cret'");
        run("CREATE SCHEMA ddl_a");
        run("GRANT USAGE, CREATE ON SCHEMA ddl_a TO ddl_role");
        run("ALTER ROLE ddl_role SET search_path = ddl_a");
        String url = cluster.jdbcUrl().replace("user=tenantry&password=tenantry", "user=ddl_role&password=se'cret");
        try (Connection as = java.sql.DriverManager.getConnection(url)) {
            assertThat(query(as, "SHOW search_path")).containsExactly("ddl_a");
            query(as, "CREATE TABLE mine AS SELECT 3 AS x");
            assertThat(query(as, "SELECT x FROM mine")).containsExactly("3");
        }
        run("DROP SCHEMA ddl_a CASCADE");
        run("DROP ROLE ddl_role");
    }

    @Test
    void namesASchemaAfterWhoCreatesIt() throws SQLException {
        run("CREATE ROLE ddl_c");
        run("CREATE ROLE \"Odd \"\"Näme\"");
        run("GRANT CREATE ON DATABASE tenantry TO ddl_c, \"Odd \"\"Näme\"");
        for (String role : List.of("ddl_c", "Odd \"Näme")) {
            run("SET ROLE \"" + role.replace("\"", "\"\"") + "\"");
            run("CREATE SCHEMA AUTHORIZATION CURRENT_ROLE CREATE TABLE made (a int)");
            run("RESET ROLE");
            assertThat(query("SELECT schema_owner FROM citus_schemas WHERE schema_name::text = quote_ident('" + role
                            + "')"))
                    .hasSize(1);
            run("DROP SCHEMA \"" + role.replace("\"", "\"\"") + "\" CASCADE");
        }
        run("DROP OWNED BY ddl_c, \"Odd \"\"Näme\"");
        run("DROP ROLE ddl_c, \"Odd \"\"Näme\"");
    }

    @Test
    void createsExtensionsInOneSchemaOnEveryNode() throws SQLException {
        run("SET citus.enable_schema_based_sharding TO off");
        run("CREATE SCHEMA ddl_home");
        run("RESET citus.enable_schema_based_sharding");
        run("CREATE EXTENSION IF NOT EXISTS hstore WITH SCHEMA ddl_home");
        for (PostgresNode node : cluster.nodes()) {
            assertThat(node.list("SELECT extnamespace::regnamespace FROM pg_extension WHERE extname = 'hstore'"))
                    .containsExactly("ddl_home");
        }
        run("CREATE SCHEMA ddl_a");
        assertState("0A000", "CREATE EXTENSION citext SCHEMA ddl_a");
        run("SET search_path TO ddl_a, public");
        assertState("0A000", "CREATE EXTENSION citext");
        run("CREATE EXTENSION IF NOT EXISTS hstore");
        run("RESET search_path");
        run("DROP EXTENSION hstore");
        run("DROP SCHEMA ddl_home");
        for (PostgresNode node : cluster.nodes()) {
            try (Connection direct = node.connect()) {
                query(direct, "SET tenantry.schema_ddl = 'on'");
                query(direct, "DROP SCHEMA IF EXISTS ddl_home");
            }
        }
    }

    private void assertState(String sqlState, String sql) {
        assertThatThrownBy(() -> run(sql))
                .isInstanceOfSatisfying(
                        SQLException.class,
                        error -> assertThat(error.getSQLState()).isEqualTo(sqlState));
    }

    private void run(String sql) throws SQLException {
        try (Statement statement = client.createStatement()) {
            statement.execute(sql);
        }
    }

    private List<String> query(String sql) throws SQLException {
        return query(client, sql);
    }

    private static List<String> query(Connection connection, String sql) throws SQLException {
        List<String> values = new ArrayList<>();
        try (Statement statement = connection.createStatement()) {
            if (statement.execute(sql)) {
                try (ResultSet rows = statement.getResultSet()) {
                    while (rows.next()) {
                        values.add(rows.getString(1));
                    }
                }
            }
        }
        return values;
    }

    private List<String> nodesWith(String schema) throws SQLException {
        List<String> names = new ArrayList<>();
        for (int i = 0; i < cluster.nodes().size(); i++) {
            try (Connection node = cluster.nodes().get(i).connect()) {
                if (!query(node, "SELECT 1 FROM pg_namespace WHERE nspname = '" + schema + "'")
                        .isEmpty()) {
                    names.add(i == 0 ? "coordinator" : "worker" + i);
                }
            }
        }
        return names;
    }
}
