package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.store.CatalogUnavailableException;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.store.StatementRefusedException;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import io.vertx.core.Vertx;
import io.vertx.core.impl.CloseFuture;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;

/** A connection of the control plane is closed when it says so, and leaves nothing to the garbage collector. */
class ServerConnectionIT {

    private static final Duration LIMIT = Duration.ofSeconds(20);

    private final CoordinatorAddress coordinator =
            CoordinatorAddress.parse(Cluster.shared().coordinator().url());
    private final Logger complaints = Logger.getLogger("io.netty.util.concurrent.DefaultPromise.rejectedExecution");
    private final List<String> complained = new CopyOnWriteArrayList<>();
    private final Handler listening = new Handler() {
        @Override
        public void publish(LogRecord complaint) {
            complained.add(complaint.getMessage());
        }

        @Override
        public void flush() {
            // nothing is kept
        }

        @Override
        public void close() {
            // nothing is open
        }
    };

    @Test
    void leavesNothingOpenBehindAVertxThatIsClosed() {
        complaints.addHandler(listening);
        complaints.setUseParentHandlers(false);
        try {
            // What other tests have dropped may complain in between, but not each time; what this leaves open always
            // does.
            Eventually.holds("a use without complaints", () -> {
                collectGarbage();
                collectGarbage();
                complained.clear();
                useAndClose();
                collectGarbage();
                collectGarbage();
                return complained.isEmpty();
            });
        } finally {
            complaints.setUseParentHandlers(true);
            complaints.removeHandler(listening);
        }
    }

    @Test
    void leavesNothingRunningThatItDoesNotWaitForAnyMore() throws Exception {
        Vertx vertx = Vertx.vertx();
        try (ServerConnection connection = ServerConnection.open(vertx, coordinator, LIMIT, Duration.ofMillis(200))) {
            assertThatThrownBy(() -> connection.query("SELECT pg_sleep(600) AS abandoned"))
                    .isInstanceOf(CatalogUnavailableException.class);
            Eventually.passes(() -> assertThat(Cluster.shared()
                            .coordinator()
                            .list("SELECT pid FROM pg_stat_activity WHERE query LIKE '%600) AS abandoned'"))
                    .isEmpty());
        } finally {
            vertx.close().toCompletionStage().toCompletableFuture().join();
        }
    }

    /** Returns when a thing that was dropped before has been finalized, as the factories would have been. */
    private static void collectGarbage() {
        CountDownLatch finalized = new CountDownLatch(1);
        dropWhatCloses(finalized);
        Eventually.holds("a finalizer", () -> {
            System.gc();
            return finalized.getCount() == 0;
        });
    }

    private static void dropWhatCloses(CountDownLatch finalized) {
        new CloseFuture().add(done -> {
            finalized.countDown();
            done.complete();
        });
    }

    private void useAndClose() {
        Vertx vertx = Vertx.vertx();
        for (int i = 0; i < 5; i++) {
            try (ServerConnection connection = ServerConnection.open(vertx, coordinator, LIMIT)) {
                assertThat(connection.query("SELECT 1").size()).isEqualTo(1);
            }
        }
        CoordinatorAddress stranger = new CoordinatorAddress(
                coordinator.host(), coordinator.port(), coordinator.database(), "nobody", "nothing", coordinator.tls());
        assertThatThrownBy(() -> ServerConnection.open(vertx, stranger, LIMIT))
                .isInstanceOfAny(StatementRefusedException.class, CatalogUnavailableException.class);
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }
}
