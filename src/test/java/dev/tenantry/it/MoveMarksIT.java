package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.control.node.copy.MoveNames;
import dev.tenantry.control.node.copy.Source;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.PostgresNode;
import io.vertx.core.Vertx;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** Marks of a move that two proxies write at the same time, because one has not heard yet that the other has it. */
class MoveMarksIT {

    private static final Vertx VERTX = Vertx.vertx();
    private static final MoveNames NAMES = new MoveNames("marks", 987_654_321);
    private static final PostgresNode NODE = Cluster.shared().worker(1);

    @AfterAll
    static void close() {
        VERTX.close().toCompletionStage().toCompletableFuture().join();
    }

    @Test
    void takesTheNextNumberWhereAnotherProxyHasTakenTheFirst() throws Exception {
        CoordinatorAddress address = CoordinatorAddress.parse(NODE.url());
        try (ServerConnection connection = ServerConnection.open(VERTX, address, Duration.ofSeconds(20));
                Connection other = NODE.connect();
                Statement statement = other.createStatement()) {
            Source source = new Source(connection, NAMES);
            statement.execute("BEGIN; INSERT INTO tenantry.move_mark VALUES (" + NAMES.moveId() + ", 1)");
            FutureTask<Long> mark = new FutureTask<>(source::mark);
            Thread.ofVirtual().start(mark);
            Eventually.passes(() -> assertThat(NODE.list(
                            "SELECT query FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0"))
                    .anyMatch(query -> query.contains("tenantry.move_mark")));
            statement.execute("COMMIT");
            assertThat(mark.get(20, TimeUnit.SECONDS)).isEqualTo(2);
            assertThat(source.mark()).isEqualTo(3);
        } finally {
            NODE.list("DELETE FROM tenantry.move_mark WHERE moveid = " + NAMES.moveId());
        }
    }
}
