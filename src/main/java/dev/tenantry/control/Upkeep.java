package dev.tenantry.control;

import dev.tenantry.catalog.CatalogFeed;
import dev.tenantry.catalog.Node;
import dev.tenantry.control.background.BackgroundLoop;
import dev.tenantry.control.recovery.PreparedTransactionRecovery;
import dev.tenantry.store.CatalogStore;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.store.StatementRefusedException;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.OptionalLong;
import java.util.Set;
import org.jboss.logging.Logger;

/**
 * What has to be done from time to time and by one proxy only: finish prepared transactions, prepare nodes that were
 * away, measure nodes, sweep. Runs on one virtual thread; whoever has the lead by the catalog does it.
 */
final class Upkeep implements AutoCloseable {

    private static final Logger LOG = Logger.getLogger(Upkeep.class);
    private static final Duration ANSWER_MAX = Duration.ofSeconds(60);

    /** Nodes are measured for a twentieth of the time at most. */
    private static final int MEASURE_REST = 19;

    private final Vertx vertx;
    private final CatalogFeed catalog;
    private final CoordinatorAddress coordinator;
    private final UpkeepLimits limits;
    private final ControlMetrics metrics;
    private final PreparedTransactionRecovery recovery;
    private final BackgroundLoop loop;
    private final Set<Integer> preparedNodes = new HashSet<>();
    private String preparedWith = "";
    private Instant measureNext = Instant.EPOCH;

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
        this.recovery = newRecovery();
        this.loop = new BackgroundLoop("upkeep", limits.interval(), this::lead, recovery::close);
    }

    void start() {
        loop.start();
    }

    /** One more, for a thread of its own. */
    PreparedTransactionRecovery newRecovery() {
        return new PreparedTransactionRecovery(vertx, catalog, coordinator, limits.prepareAgeMin(), metrics::finished);
    }

    /** Stops it; returns when its connections have been closed, or it takes too long. */
    @Override
    public void close() {
        loop.close();
    }

    /** Leads, or waits to, as long as the connection that holds the lock lasts. */
    private void lead(BackgroundLoop running) throws InterruptedException {
        try (ServerConnection connection = ServerConnection.open(vertx, coordinator, ANSWER_MAX)) {
            CatalogStore store = new CatalogStore(connection);
            store.endWhenSilent(limits.silenceMax());
            preparedNodes.clear();
            while (!running.isClosed()) {
                boolean leads = store.lead();
                metrics.leads(leads);
                if (leads) {
                    round(store);
                }
                running.pause(limits.interval());
            }
        } finally {
            metrics.leads(false);
        }
    }

    private void round(CatalogStore store) {
        OptionalLong asked = store.recoveryAsked();
        int finished = recovery.recover(store.proxiesAlive());
        asked.ifPresent(last -> store.recoveryDone(last, finished));
        prepareNodes(store);
        if (Instant.now().isAfter(measureNext)) {
            measure(store);
        }
    }

    /** Each once; again when a proxy of another version has begun, which leaves it those that were away. */
    private void prepareNodes(CatalogStore store) {
        String installed = store.installed();
        if (!installed.equals(preparedWith)) {
            preparedWith = installed;
            preparedNodes.clear();
        }
        for (Node node : catalog.current().nodes()) {
            if (!node.isCoordinator() && !preparedNodes.contains(node.nodeId())) {
                prepare(store, node);
            }
        }
    }

    /** Looks at every file of every node: with very many tables the next time comes later than was asked for. */
    private void measure(CatalogStore store) {
        Instant begun = Instant.now();
        try {
            store.measureNodes();
            store.measureLoad();
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
}
