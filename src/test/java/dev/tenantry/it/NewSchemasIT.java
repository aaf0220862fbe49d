package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tenantry.support.Cluster;
import dev.tenantry.support.FirstColumn;
import dev.tenantry.support.PostgresNode;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/** Where new schemas go when few nodes or none can have them, and the numbers that they get. */
class NewSchemasIT {
    private static Cluster cluster;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(2);
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @Test
    void refusesNewSchemasWhileAllWorkersAreClosed() throws SQLException {
        cluster.list("CREATE SCHEMA earlier");
        cluster.list("CREATE ROLE powerless LOGIN PASSWORD 'powerless'");
        cluster.workers().forEach(worker -> take(worker, false));
        try {
            ServerErrorMessage refused = refused("CREATE SCHEMA refused CREATE TABLE t (a int)");
            assertThat(refused.getSQLState()).isEqualTo("53000");
            assertThat(refused.getMessage()).isEqualTo("no node can take a new schema");
            assertThat(refused.getDetail()).isEqualTo("Closed for new schemas: coordinator, worker1, worker2.");
            assertThat(refused.getHint()).contains("citus_set_node_property('host', port, 'shouldhaveshards', true)");
            assertThat(nodesWith("refused")).isEmpty();
            assertThat(refused("CREATE SCHEMA earlier").getSQLState()).isEqualTo("42P06");
            assertThat(refused("SET ROLE powerless; CREATE SCHEMA refused").getSQLState())
                    .isEqualTo("42501");
            cluster.list("CREATE SCHEMA IF NOT EXISTS earlier");
            cluster.list("SET tenantry.node = 'worker2'; CREATE SCHEMA named");
            assertThat(nodesWith("named")).containsExactly("coordinator", "worker2");
            take(cluster.coordinator(), true);
            cluster.list("CREATE SCHEMA refused");
            assertThat(nodesWith("refused")).containsExactly("coordinator");
        } finally {
            take(cluster.coordinator(), false);
            cluster.workers().forEach(worker -> take(worker, true));
            cluster.list("DROP SCHEMA IF EXISTS earlier, refused, named");
        }
        cluster.list("CREATE SCHEMA later");
        assertThat(nodesWith("later")).hasSize(2);
        cluster.list("DROP SCHEMA later");
    }

    @Test
    void refusesNewSchemasWhileNoWorkerCanBeReached() throws SQLException {
        take(cluster.worker(2), false);
        cluster.worker(1).kill();
        try (Connection client = cluster.connect();
                Statement statement = client.createStatement()) {
            statement.execute("BEGIN");
            statement.execute("CREATE TABLE public.kept AS SELECT 1 AS a");
            statement.execute("SAVEPOINT s");
            ServerErrorMessage refused = refused(statement, "CREATE SCHEMA refused");
            assertThat(refused.getSQLState()).isEqualTo("53000");
            assertThat(refused.getDetail())
                    .isEqualTo("Closed for new schemas: coordinator, worker2. Not to be reached: worker1.");
            statement.execute("ROLLBACK TO s");
            statement.execute("COMMIT");
            assertThat(FirstColumn.of(statement, "SELECT a FROM public.kept")).containsExactly("1");
            statement.execute("DROP TABLE public.kept");
        } finally {
            cluster.worker(1).restart();
            take(cluster.worker(2), true);
        }
        assertThat(nodesWith("refused")).isEmpty();
        cluster.list("CREATE SCHEMA later");
        cluster.list("DROP SCHEMA later");
    }

    @Test
    void goToTheCoordinatorOfAClusterWithoutWorkers() throws SQLException {
        try (Cluster alone = Cluster.start(0);
                PostgresNode joining = PostgresNode.start("joining")) {
            alone.list("CREATE SCHEMA first; CREATE TABLE first.t AS SELECT 1 AS a");
            assertThat(alone.coordinator().list("SELECT a FROM first.t")).containsExactly("1");
            String address = "('" + joining.host() + "', " + joining.port() + ")";
            alone.list("SELECT citus_add_node" + address);
            alone.list("CREATE SCHEMA second; CREATE TABLE second.t AS SELECT 2 AS a");
            assertThat(joining.list("SELECT a FROM second.t")).containsExactly("2");
            alone.list("DROP SCHEMA second CASCADE");
            alone.list("SELECT citus_remove_node" + address);
            alone.list("CREATE SCHEMA third; CREATE TABLE third.t AS SELECT 3 AS a");
            assertThat(alone.coordinator().list("SELECT a FROM third.t")).containsExactly("3");
        }
    }

    /** What a client's driver reads as the id of the row that it has inserted. */
    @Test
    void takeNoNumberThatLastvalTells() throws SQLException {
        cluster.list("CREATE SEQUENCE public.clients_own START 7000000");
        try (Connection client = cluster.connect();
                Statement statement = client.createStatement()) {
            statement.execute("CREATE SCHEMA unnumbered");
            assertThat(refused(statement, "SELECT lastval()").getSQLState()).isEqualTo("55000");
            statement.execute("SELECT nextval('public.clients_own')");
            statement.execute("CREATE SCHEMA numbered");
            statement.execute("SELECT tenantry_pause_schema('numbered')");
            statement.execute("SELECT tenantry_resume_schema('numbered')");
            statement.execute("SELECT recover_prepared_transactions()");
            assertThat(FirstColumn.of(statement, "SELECT lastval()")).containsExactly("7000000");
        } finally {
            cluster.list("DROP SCHEMA IF EXISTS numbered, unnumbered; DROP SEQUENCE public.clients_own");
        }
    }

    @Test
    void doNotWaitForOthersThatAreBeingMade() throws SQLException {
        try (Connection first = cluster.connect();
                Connection second = cluster.connect();
                Statement one = first.createStatement();
                Statement other = second.createStatement()) {
            one.execute("BEGIN; CREATE SCHEMA number_a; CREATE SCHEMA number_b");
            other.execute("SET lock_timeout = '5s'; BEGIN; CREATE SCHEMA number_c");
            one.execute("CREATE SCHEMA number_d; COMMIT");
            other.execute("COMMIT");
            assertThat(FirstColumn.of(
                            other,
                            "SELECT schema_name FROM citus_schemas WHERE schema_name::text LIKE 'number\\__'"
                                    + " ORDER BY colocation_id"))
                    .containsExactly("number_a", "number_b", "number_c", "number_d");
            other.execute("BEGIN; CREATE SCHEMA number_e; ROLLBACK");
            assertThat(FirstColumn.of(
                            other,
                            "SELECT last_value - (SELECT max(colocation_id) FROM citus_schemas)"
                                    + " FROM tenantry.pg_dist_colocationid_seq"))
                    .containsExactly("1");
        } finally {
            cluster.list("DROP SCHEMA IF EXISTS number_a, number_b, number_c, number_d");
        }
    }

    private static void take(PostgresNode node, boolean schemas) {
        try {
            cluster.list("SELECT citus_set_node_property('" + node.host() + "', " + node.port()
                    + ", 'shouldhaveshards', " + schemas + ")");
        } catch (SQLException failed) {
            throw new IllegalStateException(failed);
        }
    }

    private static ServerErrorMessage refused(String sql) throws SQLException {
        try (Connection client = cluster.connect();
                Statement statement = client.createStatement()) {
            return refused(statement, sql);
        }
    }

    private static ServerErrorMessage refused(Statement statement, String sql) {
        PSQLException refused = catchThrowableOfType(PSQLException.class, () -> statement.execute(sql));
        Objects.requireNonNull(refused, "done: " + sql);
        return Objects.requireNonNull(refused.getServerErrorMessage(), refused.getMessage());
    }

    private static List<String> nodesWith(String schema) throws SQLException {
        return cluster.nodes().stream()
                .filter(node -> {
                    try {
                        return !node.list("SELECT 1 FROM pg_namespace WHERE nspname = '" + schema + "'")
                                .isEmpty();
                    } catch (SQLException failed) {
                        throw new IllegalStateException(failed);
                    }
                })
                .map(PostgresNode::name)
                .toList();
    }
}
