package dev.tenantry.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;

/** {@code kill -9} of a node while clients work: it hurts only its own schemas, and heals by itself. */
class NodeLossFaultIT {

    @Test
    void hurtsOnlyTheSchemasOfTheNodeThatDied() throws SQLException {
        try (Cluster cluster = Cluster.start(2);
                Connection one = cluster.connect();
                Connection two = cluster.connect()) {
            place(one, "one", "worker1");
            place(two, "two", "worker2");
            cluster.worker(2).kill();
            for (int i = 0; i < 20; i++) {
                assertThat(count(one)).isEqualTo(1);
            }
            assertNodeLost(two);
            assertNodeLost(two);
            assertThat(count(one)).isEqualTo(1);
            cluster.worker(2).restart();
            Eventually.passes(() -> assertThat(count(two)).isEqualTo(1));
            assertThat(count(one)).isEqualTo(1);
        }
    }

    @Test
    void failsTheOpenTransactionAndNothingElse() throws SQLException {
        try (Cluster cluster = Cluster.start(1);
                Connection client = cluster.connect()) {
            place(client, "one", "worker1");
            client.setAutoCommit(false);
            run(client, "INSERT INTO t VALUES (2)");
            cluster.worker(1).kill();
            cluster.worker(1).restart();
            assertNodeLost(client);
            assertThatThrownBy(() -> count(client))
                    .isInstanceOfSatisfying(
                            SQLException.class,
                            error -> assertThat(error.getSQLState()).isEqualTo("25P02"));
            client.rollback();
            Eventually.passes(() -> {
                try {
                    assertThat(count(client)).isEqualTo(1);
                } finally {
                    client.rollback();
                }
            });
        }
    }

    @Test
    void goesOnForTenantsWhileTheCoordinatorIsDown() throws SQLException {
        try (Cluster cluster = Cluster.start(1);
                Connection before = cluster.connect()) {
            place(before, "one", "worker1");
            cluster.coordinator().kill();
            assertThat(count(before)).isEqualTo(1);
            try (Connection during = cluster.connect()) {
                run(during, "SET search_path TO one");
                assertThat(count(during)).isEqualTo(1);
                assertThatThrownBy(() -> run(during, "CREATE SCHEMA impossible"))
                        .isInstanceOfSatisfying(
                                SQLException.class,
                                error -> assertThat(error.getSQLState()).startsWith("08"));
                assertThat(count(during)).isEqualTo(1);
            }
            cluster.coordinator().restart();
            Eventually.passes(() -> run(before, "CREATE SCHEMA IF NOT EXISTS possible"));
        }
    }

    @Test
    void saysNothingOfPreparedTransactionsThatAreOnTheNodeThatDied() throws SQLException {
        try (Cluster cluster = Cluster.start(2);
                Connection client = cluster.connect();
                Connection other = cluster.connect()) {
            place(client, "one", "worker1");
            place(other, "two", "worker2");
            prepare(client, "here");
            prepare(other, "there");
            cluster.worker(2).kill();
            run(client, "COMMIT PREPARED 'here'");
            assertThat(count(client)).isEqualTo(2);
            // Not 42704, by which who recovers takes it for finished.
            for (String gid : new String[] {"there", "nowhere"}) {
                assertThatThrownBy(() -> run(client, "COMMIT PREPARED '" + gid + "'"))
                        .isInstanceOfSatisfying(
                                SQLException.class,
                                error -> assertThat(error.getSQLState()).matches("08006|57P0[123]"));
            }
            cluster.worker(2).restart();
            Eventually.passes(() -> run(client, "COMMIT PREPARED 'there'"));
            Eventually.passes(() -> assertThat(count(other)).isEqualTo(2));
            assertThatThrownBy(() -> run(client, "COMMIT PREPARED 'nowhere'"))
                    .isInstanceOfSatisfying(
                            SQLException.class,
                            error -> assertThat(error.getSQLState()).isEqualTo("42704"));
        }
    }

    private static void prepare(Connection client, String gid) throws SQLException {
        run(client, "BEGIN");
        run(client, "INSERT INTO t VALUES (2)");
        run(client, "PREPARE TRANSACTION '" + gid + "'");
    }

    private static void place(Connection client, String schema, String node) throws SQLException {
        run(client, "SET tenantry.node = '" + node + "'");
        run(client, "CREATE SCHEMA " + schema);
        run(client, "SET search_path TO " + schema);
        run(client, "CREATE TABLE t AS SELECT 1 AS x");
    }

    private static void assertNodeLost(Connection client) {
        assertThatThrownBy(() -> count(client))
                .isInstanceOfSatisfying(
                        SQLException.class,
                        error -> assertThat(error.getSQLState()).matches("08006|57P0[123]"));
    }

    private static void run(Connection client, String sql) throws SQLException {
        try (Statement statement = client.createStatement()) {
            statement.execute(sql);
        }
    }

    private static int count(Connection client) throws SQLException {
        try (Statement statement = client.createStatement();
                ResultSet rows = statement.executeQuery("SELECT count(*) FROM t")) {
            rows.next();
            return rows.getInt(1);
        }
    }
}
