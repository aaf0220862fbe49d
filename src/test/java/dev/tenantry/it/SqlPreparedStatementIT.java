package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.support.Cluster;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;

/** PREPARE, EXECUTE and DEALLOCATE follow the session from node to node. */
class SqlPreparedStatementIT {
    private final Cluster cluster = Cluster.shared();

    @Test
    void executesOnTheNodeOfTheSearchPath() throws SQLException {
        try (Connection client = cluster.connect()) {
            run(client, "DROP SCHEMA IF EXISTS prepared_a, prepared_b CASCADE");
            tenant(client, "prepared_a", "worker1", 1);
            tenant(client, "prepared_b", "worker2", 2);
            run(client, "SET search_path TO prepared_a");
            run(client, "PREPARE p AS SELECT x FROM t");
            assertThat(single(client, "EXECUTE p")).isEqualTo(1);
            run(client, "SET search_path TO prepared_b");
            assertThat(single(client, "EXECUTE p")).isEqualTo(2);
            run(client, "SET search_path TO prepared_a");
            assertThat(single(client, "EXECUTE p")).isEqualTo(1);
            run(client, "DEALLOCATE p");
            assertState(client, "26000", "EXECUTE p");
            run(client, "SET search_path TO prepared_b");
            assertState(client, "26000", "EXECUTE p");
            run(client, "PREPARE p AS SELECT x + 10 FROM t");
            assertThat(single(client, "EXECUTE p")).isEqualTo(12);
        }
    }

    @Test
    void preparesAndExecutesInOneTransaction() throws SQLException {
        try (Connection client = cluster.connect()) {
            run(client, "DROP SCHEMA IF EXISTS prepared_c CASCADE");
            tenant(client, "prepared_c", "worker1", 3);
            run(client, "SET search_path TO prepared_c");
            run(client, "BEGIN");
            run(client, "PREPARE q AS SELECT x FROM t");
            assertThat(single(client, "EXECUTE q")).isEqualTo(3);
            assertState(client, "42P05", "PREPARE q AS SELECT 1");
            run(client, "ROLLBACK");
            assertThat(single(client, "EXECUTE q")).isEqualTo(3);
        }
    }

    private static void tenant(Connection client, String schema, String node, int x) throws SQLException {
        run(client, "SET tenantry.node = '" + node + "'");
        run(client, "CREATE SCHEMA " + schema);
        run(client, "CREATE TABLE " + schema + ".t AS SELECT " + x + " AS x");
    }

    private static void assertState(Connection client, String sqlState, String sql) {
        assertThatThrownBy(() -> run(client, sql))
                .isInstanceOfSatisfying(
                        SQLException.class,
                        error -> assertThat(error.getSQLState()).isEqualTo(sqlState));
    }

    private static void run(Connection client, String sql) throws SQLException {
        try (Statement statement = client.createStatement()) {
            statement.execute(sql);
        }
    }

    private static int single(Connection client, String sql) throws SQLException {
        try (Statement statement = client.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getInt(1);
        }
    }
}
