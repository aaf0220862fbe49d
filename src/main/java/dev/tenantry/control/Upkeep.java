package dev.tenantry.control;

import dev.tenantry.catalog.CatalogFeed;
import dev.tenantry.catalog.Node;
import dev.tenantry.control.recovery.PreparedTransactionRecovery;
import dev.tenantry.store.CatalogStore;
import dev.tenantry.store.CatalogUnavailableException;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.store.StatementRefusedException;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.Set;
import org.jboss.logging.Logger;

/**
 * What has to be done from time to time and by one proxy only: finish prepared transactions, prepare nodes that were
 * away, measure nodes, sweep. Runs on one virtual thread; whoever holds an advisory lock of the coordinator does it.
 */
final class Upkeep implements AutoCloseable {

    private static final Logger LOG = Logger.getLogger(Upkeep.class);
    private static final Duration ANSWER_MAX = Duration.ofSeconds(60);
    private static final long CLOSE_MAX_MILLIS = 5_000;

    /** Nodes are measured for a twentieth of the time at most. */
    private static final int MEASURE_REST = 19;

    private final Vertx vertx;
    private final CatalogFeed catalog;
    private final CoordinatorAddress coordinator;
    private final UpkeepLimits limits;
    private final ControlMetrics metrics;
    private final PreparedTransactionRecovery recovery;
    private final Thread thread;
    private final Set<Integer> preparedNodes = new HashSet<>();
    private Instant measureNext = Instant.EPOCH;
    private volatile boolean closed;

    Upkeep(
            Vertx vertx,
            CatalogFeed catalog,
            CoordinatorAddress coordinator,
            UpkeepLimits limits,
            ControlMetrics metrics) {
        this.vertx = vertx;
        this.catalog = catalog;
        this.coordinator = coordinator;
        this.limits = limits;
        this.metrics = metrics;
        this.recovery =
                new PreparedTransactionRecovery(vertx, catalog, coordinator, limits.prepareAgeMin(), metrics::finished);
        this.thread = Thread.ofVirtual().name("upkeep").unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    /** Stops it; returns when its connections have been closed, or it takes too long. */
    @Override
    public void close() {
        closed = true;
        thread.interrupt();
        try {
            thread.join(CLOSE_MAX_MILLIS);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        while (!closed) {
            try (ServerConnection connection = ServerConnection.open(vertx, coordinator, ANSWER_MAX)) {
                CatalogStore store = new CatalogStore(connection);
                store.endWhenSilent(limits.silenceMax());
                preparedNodes.clear();
                while (!closed) {
                    boolean leads = store.lead();
                    metrics.leads(leads);
                    if (leads) {
                        round(store);
                    }
                    Thread.sleep(limits.interval());
                }
            } catch (InterruptedException stopped) {
                metrics.leads(false);
                return;
            } catch (CatalogUnavailableException | StatementRefusedException failed) {
                LOG.debugf("upkeep waits reason=%s", failed.getMessage());
                pause();
            } catch (RuntimeException ours) {
                LOG.error("upkeep failed and starts afresh", ours);
                pause();
            }
        }
    }

    private void round(CatalogStore store) {
        recovery.recover();
        for (Node node : catalog.current().nodes()) {
            if (!node.isCoordinator() && !preparedNodes.contains(node.nodeId())) {
                prepare(store, node);
            }
        }
        if (Instant.now().isAfter(measureNext)) {
            measure(store);
        }
    }

    /** Looks at every file of every node: with very many tables the next time comes later than was asked for. */
    private void measure(CatalogStore store) {
        Instant begun = Instant.now();
        try {
            store.measureNodes();
            store.sweep();
        } finally {
            Instant ended = Instant.now();
            Duration rest = Duration.between(begun, ended).multipliedBy(MEASURE_REST);
            measureNext = ended.plus(rest.compareTo(limits.measureInterval()) > 0 ? rest : limits.measureInterval());
        }
    }

    private void prepare(CatalogStore store, Node node) {
        try {
            store.prepareAgain(node.nodeId());
            preparedNodes.add(node.nodeId());
        } catch (StatementRefusedException refused) {
            LOG.debugf(
                    "node can't be prepared now node=%s sqlstate=%s reason=%s",
                    node.name(), refused.sqlState(), refused.error());
        }
    }

    private void pause() {
        metrics.leads(false);
        try {
            Thread.sleep(limits.interval());
        } catch (InterruptedException stopped) {
            closed = true;
        }
    }
}
