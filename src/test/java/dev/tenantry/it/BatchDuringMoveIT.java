package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.control.move.MovePoint;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.Message;
import dev.tenantry.support.RawClient;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Statements of two schemas of one node, sent at once: the first waits for somebody's lock while the schema of the
 * second is about to move, of which no lock on the node tells yet.
 */
class BatchDuringMoveIT {
    private static final Cluster CLUSTER = Cluster.shared();

    @ParameterizedTest
    @ValueSource(strings = {"batch", "string", "string with path"})
    void isWaitedForByTheCutOver(String how) throws Exception {
        try (Connection holder = CLUSTER.connect();
                Statement held = holder.createStatement();
                Connection mover = CLUSTER.connect();
                Statement move = mover.createStatement();
                RawClient client = CLUSTER.login()) {
            move.execute("SET tenantry.node = 'worker1'");
            for (String schema : new String[] {"batch_one", "batch_other"}) {
                move.execute("CREATE SCHEMA " + schema);
                move.execute("CREATE TABLE " + schema + ".t AS SELECT 0 AS n");
            }
            holder.setAutoCommit(false);
            AtomicInteger attempts = new AtomicInteger();
            CLUSTER.observeMoves(point -> {
                try {
                    if (point == MovePoint.VERIFIED) {
                        held.execute("UPDATE batch_one.t SET n = n + 1");
                        send(client, how);
                        awaitLockWaiter();
                    } else if (point == MovePoint.PAUSED && attempts.incrementAndGet() == 2) {
                        holder.commit();
                    }
                } catch (SQLException failed) {
                    throw new IllegalStateException(failed);
                }
            });
            move.execute("SELECT citus_schema_move('batch_other', '127.0.0.1', "
                    + CLUSTER.worker(2).port() + ", 'force_logical')");
            CLUSTER.observeMoves(MovePoint.Observer.NONE);
            assertThat(attempts).hasValueGreaterThan(1);
            assertThat(client.readUntilReady())
                    .filteredOn(message -> message.type() == 'E')
                    .extracting(Message::toString)
                    .isEmpty();
            assertThat(client.value("SELECT n FROM batch_other.t")).isEqualTo("1");
            assertThat(client.value("SELECT n FROM batch_one.t")).isEqualTo("2");
        } finally {
            CLUSTER.observeMoves(MovePoint.Observer.NONE);
            try (RawClient client = CLUSTER.login()) {
                client.run("DROP SCHEMA IF EXISTS batch_one CASCADE");
                client.run("DROP SCHEMA IF EXISTS batch_other CASCADE");
            }
        }
    }

    private static void send(RawClient client, String how) {
        String first = "UPDATE batch_one.t SET n = n + 1";
        String second = "UPDATE batch_other.t SET n = n + 1";
        switch (how) {
            case "batch" -> {
                client.parse("", first).bind("", "").execute("", 0);
                client.parse("", second).bind("", "").execute("", 0).sync().flushOut();
            }
            case "string" -> client.query(first + "; " + second).flushOut();
            default ->
                client.query(first + "; SET search_path TO batch_other; UPDATE t SET n = n + 1")
                        .flushOut();
        }
    }

    private static void awaitLockWaiter() {
        Eventually.holds("the first statement waits", () -> {
            try (Connection node = CLUSTER.worker(1).connect();
                    Statement look = node.createStatement();
                    ResultSet waiting = look.executeQuery("SELECT FROM pg_locks WHERE NOT granted")) {
                return waiting.next();
            }
        });
    }
}
