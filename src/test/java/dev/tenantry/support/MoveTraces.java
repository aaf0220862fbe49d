package dev.tenantry.support;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import java.util.List;

/** What moves make and have to remove. */
public final class MoveTraces {

    private MoveTraces() {}

    /** Asserts that there is no replication, role, old copy, note or pause; and, soon, no prepared transaction. */
    public static void assertNone(Cluster cluster) throws SQLException {
        for (PostgresNode node : cluster.nodes()) {
            assertThat(node.list("SELECT slot_name FROM pg_replication_slots")).isEmpty();
            assertThat(node.list("SELECT pubname FROM pg_publication")).isEmpty();
            assertThat(node.list("SELECT subname FROM pg_subscription")).isEmpty();
            assertThat(node.list("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'tenantry\\_%'"))
                    .isEmpty();
            assertThat(node.list("SELECT rolname FROM pg_roles WHERE rolname LIKE 'tenantry\\_%\\_move\\_%'"))
                    .isEmpty();
            assertThat(node.list("SELECT deed FROM tenantry.move_deed")).isEmpty();
            assertThat(node.list("SELECT mark FROM tenantry.move_mark")).isEmpty();
            Eventually.passes(() ->
                    assertThat(node.list("SELECT gid FROM pg_prepared_xacts")).isEmpty());
        }
        assertThat(cluster.coordinator().list("SELECT pauseid FROM tenantry.pause"))
                .isEmpty();
    }

    /** Asserts that a schema is on that node, and on no other worker. */
    public static void assertOnlyOn(Cluster cluster, PostgresNode owner, String schema) throws SQLException {
        for (PostgresNode worker : cluster.workers()) {
            assertThat(worker.list("SELECT nspname FROM pg_namespace WHERE nspname = '" + schema + "'"))
                    .as("schema %s on %s", schema, worker.name())
                    .isEqualTo(worker == owner ? List.of(schema) : List.of());
        }
    }
}
