package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.control.ControlLimits;
import dev.tenantry.control.ControlPlane;
import dev.tenantry.control.WorkerAddress;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.support.PostgresNode;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Vertx;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Citus's views and node functions in SQL, over a coordinator and two workers. */
class ClusterViewsIT {

    private static PostgresNode coordinator;
    private static PostgresNode worker1;
    private static PostgresNode worker2;
    private static Vertx vertx;
    private static ControlPlane control;

    @BeforeAll
    static void start() throws Exception {
        coordinator = PostgresNode.start("coordinator");
        worker1 = PostgresNode.start("worker1");
        worker2 = PostgresNode.start("worker2");
        run(coordinator, "CREATE ROLE tenant LOGIN PASSWORD 'secret' CONNECTION LIMIT 7");
        run(coordinator, "CREATE ROLE stranger LOGIN PASSWORD 'secret'");
        run(coordinator, "CREATE ROLE team; GRANT team TO tenant");
        run(coordinator, "ALTER ROLE tenant SET search_path = \"$user\", 'Odd Name', public");
        run(coordinator, "ALTER ROLE tenant IN DATABASE tenantry SET my.own = 'it''s'");
        vertx = Vertx.vertx();
        control = new ControlPlane(
                vertx,
                CoordinatorAddress.parse(coordinator.url()),
                List.of(
                        new WorkerAddress(worker1.host(), worker1.port()),
                        new WorkerAddress(worker2.host(), worker2.port())),
                ControlLimits.DEFAULT,
                new SimpleMeterRegistry());
        control.start();
        create("acme", 1, worker1);
        create("Odd Name", 2, worker2);
        create("empty", 2, worker2);
        run(worker1, "CREATE TABLE acme.notes (id bigserial PRIMARY KEY, message text NOT NULL)");
        run(worker1, "INSERT INTO acme.notes (message) SELECT repeat('x', 100) FROM generate_series(1, 1000)");
        run(worker1, "CREATE TABLE acme.parts (id int) PARTITION BY RANGE (id)");
        run(worker2, "CREATE TABLE \"Odd Name\".\"My Table\" (id int)");
    }

    @AfterAll
    static void stop() {
        control.close();
        vertx.close().toCompletionStage().toCompletableFuture().join();
        worker2.close();
        worker1.close();
        coordinator.close();
    }

    private static void create(String schema, int group, PostgresNode node) throws SQLException {
        String quoted = '"' + schema + '"';
        run(node, "CREATE SCHEMA " + quoted + " AUTHORIZATION tenant");
        run(
                coordinator,
                "CREATE SCHEMA " + quoted + " AUTHORIZATION tenant; SELECT tenantry.register_schema('" + schema
                        + "', nodeid) FROM tenantry.node WHERE groupid = " + group);
    }

    private static void run(PostgresNode node, String sql) throws SQLException {
        try (Connection connection = node.connect();
                Statement statement = connection.createStatement()) {
            statement.execute("SET tenantry.schema_ddl = on");
            statement.execute(sql);
        }
    }

    private static List<String> rows(Statement statement, String sql) throws SQLException {
        List<String> rows = new ArrayList<>();
        try (ResultSet result = statement.executeQuery(sql)) {
            while (result.next()) {
                List<String> cells = new ArrayList<>();
                for (int column = 1; column <= result.getMetaData().getColumnCount(); column++) {
                    cells.add(String.valueOf(result.getString(column)));
                }
                rows.add(String.join("|", cells));
            }
        }
        return rows;
    }

    private static List<String> rows(PostgresNode node, String sql) throws SQLException {
        try (Connection connection = node.connect();
                Statement statement = connection.createStatement()) {
            return rows(statement, sql);
        }
    }

    @Test
    void schemasShowSizeOwnerAndNode() throws Exception {
        long size = Long.parseLong(
                rows(worker1, "SELECT pg_total_relation_size('acme.notes')").getFirst());
        assertThat(rows(coordinator, "SELECT * FROM tenantry.citus_schemas"))
                .containsExactly(
                        "acme|1|"
                                + rows(worker1, "SELECT pg_size_pretty(" + size + "::bigint)")
                                        .getFirst() + "|tenant|" + worker1.host() + "|" + worker1.port(),
                        "\"Odd Name\"|2|0 bytes|tenant|" + worker2.host() + "|" + worker2.port(),
                        "empty|3|0 bytes|tenant|" + worker2.host() + "|" + worker2.port());
    }

    @Test
    void shardsShowEveryTableAndKeepTheirIds() throws Exception {
        String query = "SELECT table_name, shardid, colocation_id, nodeport, shard_size IS NOT NULL"
                + " FROM tenantry.citus_shards WHERE citus_table_type = 'schema'";
        List<String> first = rows(coordinator, query);
        assertThat(first).hasSize(3);
        assertThat(first.get(0)).startsWith("\"Odd Name\".\"My Table\"|").endsWith("|2|" + worker2.port() + "|t");
        assertThat(first.get(1)).startsWith("acme.notes|").endsWith("|1|" + worker1.port() + "|t");
        assertThat(rows(coordinator, "SELECT min(shardid) FROM tenantry.citus_shards"))
                .containsExactly("102008");
        assertThat(rows(coordinator, query)).isEqualTo(first);
        assertThat(rows(
                        coordinator,
                        "SELECT s.logicalrelid FROM tenantry.pg_dist_shard s JOIN tenantry.pg_dist_placement p"
                                + " USING (shardid) JOIN tenantry.pg_dist_node n USING (groupid)"
                                + " JOIN tenantry.citus_tables t ON t.table_name = s.logicalrelid"
                                + " WHERE n.name = 'worker1' ORDER BY 1"))
                .containsExactly("acme.notes", "acme.parts");
    }

    @Test
    void sizesAreWhatTheNodeSays() throws Exception {
        String size = "pg_size_pretty(pg_total_relation_size(format('acme.%I', c.relname)))";
        try (Connection connection = worker1.connect();
                Statement statement = connection.createStatement()) {
            statement.execute("SET allow_in_place_tablespaces = on");
            statement.execute("CREATE TABLESPACE elsewhere LOCATION ''");
            statement.execute("CREATE TABLE acme.\"Long\" (id bigserial PRIMARY KEY, body text)");
            statement.execute("ALTER TABLE acme.\"Long\" ALTER body SET STORAGE EXTERNAL");
            statement.execute("INSERT INTO acme.\"Long\" (body) SELECT repeat('x', 9000) FROM generate_series(1, 100)");
            statement.execute("CREATE UNLOGGED TABLE acme.light (id int UNIQUE)");
            statement.execute("INSERT INTO acme.light SELECT generate_series(1, 5000)");
            statement.execute("VACUUM acme.light"); // makes a free space map and a visibility map
            statement.execute("CREATE TABLE acme.moved TABLESPACE elsewhere AS SELECT generate_series(1, 9000) AS id");
            statement.execute("CREATE INDEX ON acme.moved (id)");
            statement.execute("VACUUM acme.moved");
            statement.execute("CREATE INDEX ON acme.notes (id) TABLESPACE elsewhere");
            assertThat(rows(
                            coordinator,
                            "SELECT replace(table_name, '\"', ''), table_size FROM tenantry.citus_tables"
                                    + " WHERE table_name LIKE 'acme.%' ORDER BY 1"))
                    .hasSize(5)
                    .isEqualTo(rows(
                            statement,
                            "SELECT 'acme.' || c.relname, " + size + " FROM pg_class c"
                                    + " WHERE c.relnamespace = 'acme'::regnamespace AND c.relkind IN ('r', 'p')"
                                    + " ORDER BY 1"));
            assertThat(rows(coordinator, "SELECT sum(shard_size) FROM tenantry.citus_shards"))
                    .isEqualTo(rows(
                            statement,
                            "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c"
                                    + " WHERE c.relnamespace = 'acme'::regnamespace AND c.relkind = 'r'"));
        } finally {
            run(worker1, "DROP TABLE IF EXISTS acme.\"Long\", acme.light, acme.moved");
            run(worker1, "DROP INDEX IF EXISTS acme.notes_id_idx");
            run(worker1, "DROP TABLESPACE IF EXISTS elsewhere");
        }
    }

    @Test
    void readOnlySessionsSeeShardIdsToo() throws Exception {
        run(worker1, "CREATE TABLE IF NOT EXISTS acme.late (id int)");
        try (Connection connection = coordinator.connect();
                Statement statement = connection.createStatement()) {
            connection.setReadOnly(true);
            connection.setAutoCommit(false);
            assertThat(rows(
                            statement,
                            "SELECT shardid IS NOT NULL FROM tenantry.citus_shards WHERE table_name = 'acme.late'"))
                    .containsExactly("t");
        } finally {
            run(worker1, "DROP TABLE acme.late");
        }
    }

    @Test
    void sizesNeedUsageAndConnectionsStayOurs() throws Exception {
        String url = coordinator.jdbcUrl().replace("user=tenantry&password=tenantry", "user=stranger&password=secret");
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement()) {
            assertThat(rows(statement, "SELECT schema_size FROM tenantry.citus_schemas"))
                    .containsOnly("null");
            assertThatThrownBy(() -> statement.execute("SELECT tenantry.dblink_connect('x', 'dbname=tenantry')"))
                    .hasMessageContaining("permission denied for function dblink_connect");
            assertThatThrownBy(() -> statement.execute("SELECT tenantry.citus_add_node('h', 1)"))
                    .hasMessageContaining("permission denied for function citus_add_node");
            assertThatThrownBy(() -> statement.execute("SELECT * FROM tenantry.node_script"))
                    .hasMessageContaining("permission denied for table node_script");
            assertThatThrownBy(() -> statement.execute("SELECT tenantry.register_schema('acme', 2)"))
                    .hasMessageContaining("must be owner of schema acme");
        }
    }

    @Test
    void silentNodeCostsAWarningAndItsSizes() throws Exception {
        rows(coordinator, "SELECT * FROM tenantry.citus_shards");
        worker2.kill();
        try (Connection connection = coordinator.connect();
                Statement statement = connection.createStatement()) {
            assertThat(rows(statement, "SELECT schema_name, schema_size IS NULL FROM tenantry.citus_schemas"))
                    .containsExactly("acme|f", "\"Odd Name\"|t", "empty|t");
            assertThat(rows(statement, "SELECT table_name, shard_size IS NULL FROM tenantry.citus_shards"))
                    .contains("acme.notes|f", "\"Odd Name\".\"My Table\"|t");
            SQLWarning warning = statement.getWarnings();
            assertThat(String.valueOf(warning)).contains("node \"worker2\"").contains("does not answer");
        } finally {
            worker2.restart();
        }
        assertThat(rows(coordinator, "SELECT count(schema_size) FROM tenantry.citus_schemas"))
                .containsExactly("3");
    }

    @Test
    void guardsRefuseSchemaDdlThatTheProxyDidNotSee() {
        assertThatThrownBy(() -> {
                    try (Connection connection = worker1.connect();
                            Statement statement = connection.createStatement()) {
                        statement.execute("DO $$ BEGIN EXECUTE 'CREATE SCHEMA hidden'; END $$");
                    }
                })
                .isInstanceOfSatisfying(
                        SQLException.class,
                        error -> assertThat(error.getSQLState()).isEqualTo("TN001"));
    }

    @Test
    void newNodesHaveTheRolesOfTheCoordinator() throws Exception {
        String attributes = "SELECT rolpassword, rolconnlimit, rolcanlogin FROM pg_authid WHERE rolname = 'tenant'";
        String settings = "SELECT setdatabase <> 0, setconfig FROM pg_db_role_setting s JOIN pg_roles r"
                + " ON r.oid = setrole WHERE rolname = 'tenant' ORDER BY 1";
        String members = "SELECT count(*) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid"
                + " WHERE r.rolname = 'team'";
        for (String query : List.of(attributes, settings, members)) {
            assertThat(rows(worker2, query)).isNotEmpty().isEqualTo(rows(coordinator, query));
        }
    }

    @Test
    void serversThatCannotBeNodesAreRefusedWithReasons() throws Exception {
        assertThatThrownBy(() -> run(coordinator, "SELECT tenantry.citus_add_node('127.0.0.1', 1)"))
                .hasMessageContaining("could not connect to 127.0.0.1:1");
        assertThatThrownBy(() -> run(
                        worker1, "SELECT tenantry.citus_add_node('" + worker2.host() + "', " + worker2.port() + ")"))
                .hasMessageContaining("does not exist");
        assertThatThrownBy(() -> run(
                        coordinator,
                        "SELECT tenantry.citus_remove_node('" + worker1.host() + "', " + worker1.port() + ")"))
                .hasMessageContaining("because it holds schema \"acme\"");
        assertThatThrownBy(() -> run(coordinator, "SELECT tenantry.citus_remove_node('nowhere', 1)"))
                .hasMessageContaining("node at \"nowhere:1\" does not exist");
        assertThatThrownBy(() -> run(
                        coordinator,
                        "SELECT tenantry.citus_set_node_property('" + worker1.host() + "', " + worker1.port()
                                + ", 'color', true)"))
                .hasMessageContaining("only the 'shouldhaveshards' property can be set");
    }
}
