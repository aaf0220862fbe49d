package dev.tenantry.control;

import dev.tenantry.activity.ForeignCancels;
import dev.tenantry.activity.LockWaiters;
import dev.tenantry.activity.LostCommits;
import dev.tenantry.catalog.PauseProgress;
import dev.tenantry.control.cancel.CancelExchange;
import dev.tenantry.control.deadlock.DeadlockDetector;
import dev.tenantry.control.move.MovePoint;
import dev.tenantry.control.move.MoveRunner;
import dev.tenantry.control.node.NodeScripts;
import dev.tenantry.control.rebalance.RebalanceRunner;
import dev.tenantry.control.rebalance.Rebalances;
import dev.tenantry.control.recovery.LostCommitRecovery;
import dev.tenantry.control.traces.TraceWatch;
import dev.tenantry.store.CatalogMigration;
import dev.tenantry.store.CatalogStore;
import dev.tenantry.store.CatalogUnavailableException;
import dev.tenantry.store.ClusterViews;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.PostgresCatalogFeed;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.store.StatementRefusedException;
import dev.tenantry.store.move.MoveDesk;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jboss.logging.Logger;

/**
 * Everything of the control plane that runs beside a proxy: prepares the coordinator, adds the workers it was told of,
 * and keeps the catalog feed. Started and stopped once.
 */
public final class ControlPlane implements AutoCloseable {

    private static final Logger LOG = Logger.getLogger(ControlPlane.class);
    private static final Duration ANSWER_MAX = Duration.ofSeconds(60);
    private static final Duration RETRY_PAUSE = Duration.ofSeconds(1);
    private static final Duration SIGN_IN_MAX = Duration.ofSeconds(10);

    /** What the coordinator says when it can't connect to a node. */
    private static final String NOT_CONNECTED = "08001";

    private final Vertx vertx;
    private final CoordinatorAddress coordinator;
    private final List<WorkerAddress> workers;
    private final PostgresCatalogFeed feed;
    private final Upkeep upkeep;
    private final MoveRunner moves;
    private final RebalanceRunner rebalancing;
    private final Rebalances rebalances;
    private final TraceWatch traces;
    private final SilenceWatch silence;
    private final ClusterViews views;
    private final List<Runnable> closings = new CopyOnWriteArrayList<>();
    private volatile List<OptionalInt> workerNodeIds = List.of();

    /** Makes a control plane that does nothing until started. */
    public ControlPlane(
            Vertx vertx,
            CoordinatorAddress coordinator,
            List<WorkerAddress> workers,
            ControlLimits limits,
            MeterRegistry meters) {
        this(vertx, coordinator, workers, limits, meters, MovePoint.Observer.NONE);
    }

    /** The same, and tells of each step of a move. */
    public ControlPlane(
            Vertx vertx,
            CoordinatorAddress coordinator,
            List<WorkerAddress> workers,
            ControlLimits limits,
            MeterRegistry meters,
            MovePoint.Observer moveObserver) {
        this.vertx = vertx;
        this.coordinator = coordinator;
        this.workers = List.copyOf(workers);
        this.feed = new PostgresCatalogFeed(vertx, coordinator, limits.feed());
        this.upkeep = new Upkeep(vertx, feed, coordinator, limits.upkeep(), new ControlMetrics(meters, feed));
        this.moves = new MoveRunner(vertx, feed, coordinator, limits.moves(), moveObserver);
        this.rebalancing =
                new RebalanceRunner(vertx, coordinator, limits.moves().perNode(), limits.rebalances());
        this.rebalances = new Rebalances(vertx, coordinator);
        this.traces = new TraceWatch(vertx, feed, coordinator);
        this.silence = new SilenceWatch(vertx, feed, coordinator);
        this.views = new ClusterViews(vertx, coordinator);
    }

    /** The same as {@link #start(Duration)}, and waits for a coordinator that is away as long as it takes. */
    public void start() throws InterruptedException {
        start(Duration.ofDays(365));
    }

    /**
     * Prepares the coordinator and the workers and reads the catalog; returns when proxies can route. Waits for a
     * coordinator that is away, and says so.
     *
     * @param patience how long to wait for it
     * @throws CatalogUnavailableException if the coordinator stays away for longer
     * @throws dev.tenantry.control.node.NodeUnfitException if the coordinator lacks something
     * @throws StatementRefusedException if the catalog can't be installed or a worker can't be added; the message,
     *     detail and hint say why
     */
    public void start(Duration patience) throws InterruptedException {
        Instant end = Instant.now().plus(patience);
        String reported = "";
        while (true) {
            try (ServerConnection connection = ServerConnection.open(vertx, coordinator, ANSWER_MAX)) {
                prepare(connection);
                break;
            } catch (CatalogUnavailableException away) {
                if (Instant.now().isAfter(end)) {
                    throw away;
                }
                String reason = String.valueOf(away.getMessage());
                if (!reason.equals(reported)) {
                    LOG.warnf("waiting for servers reason=%s", reason);
                    reported = reason;
                }
                Thread.sleep(RETRY_PAUSE);
            }
        }
        feed.start();
        upkeep.start();
        moves.start();
        rebalancing.start();
        traces.start();
        silence.start();
    }

    private void prepare(ServerConnection connection) {
        connection.onWarning(warning -> LOG.warnf("a server warns reason=%s", warning));
        NodeScripts.requireCoordinator(connection);
        CatalogMigration.migrate(coordinator);
        CatalogStore store = new CatalogStore(connection);
        boolean changed = store.keepScripts(NodeScripts.check(), NodeScripts.install());
        store.prepareCoordinator();
        List<Integer> earlier = changed ? store.workers() : List.of();
        workerNodeIds = workers.stream().map(worker -> join(store, worker)).toList();
        earlier.forEach(nodeId -> prepareAgain(store, nodeId));
        store.warnOfCoordinator();
    }

    /** What this version calls on nodes must be there when it begins; one that is away gets it when it is back. */
    private static void prepareAgain(CatalogStore store, int nodeId) {
        try {
            store.prepareAgain(nodeId);
        } catch (StatementRefusedException refused) {
            LOG.warnf(
                    "node can't be prepared now nodeid=%d sqlstate=%s reason=%s",
                    nodeId, refused.sqlState(), refused.error());
        }
    }

    /** A node that was one before is added only if it never was; one that somebody has removed stays away. */
    private OptionalInt join(CatalogStore store, WorkerAddress worker) {
        if (worker.former().isEmpty()) {
            return OptionalInt.of(add(store, worker));
        }
        WorkerAddress.Former former = worker.former().get();
        OptionalInt known = store.findNode(former.nodeId(), worker.host(), former.port());
        known.ifPresent(nodeId -> store.moveNode(nodeId, worker.host(), worker.port()));
        return known;
    }

    /** What keeps the coordinator from a worker that answers us is said once; a worker that is away is waited for. */
    private int add(CatalogStore store, WorkerAddress worker) {
        try {
            return store.addNode(worker.host(), worker.port());
        } catch (CatalogUnavailableException away) {
            if (!away.sqlState().equals(NOT_CONNECTED)) {
                throw away;
            }
            CoordinatorAddress address = coordinator.at(worker.host(), worker.port());
            try {
                ServerConnection.open(vertx, address, SIGN_IN_MAX).close();
            } catch (StatementRefusedException refused) {
                throw refused.of(
                        "worker " + worker + " can't be a node",
                        "A worker has the database, the superuser and the password that the coordinator's address"
                                + " names, and admits the coordinator in pg_hba.conf.");
            } catch (CatalogUnavailableException unreachable) {
                throw new CatalogUnavailableException(
                        "could not connect to worker " + worker + ": " + unreachable.getMessage(), unreachable);
            }
            throw new CatalogUnavailableException(
                    "the coordinator could not connect to worker " + worker + ", which answers here", away);
        }
    }

    /** The node that each given worker is, in their order; empty for one that was removed. Valid once started. */
    public List<OptionalInt> workerNodeIds() {
        return workerNodeIds;
    }

    /** Tells the cluster from now on how far this proxy is with what is paused, until this is closed. */
    public void acknowledge(PauseProgress proxy) {
        PauseAcknowledgement started = new PauseAcknowledgement(vertx, coordinator, feed, proxy);
        closings.add(started::close);
        started.start();
    }

    /** The catalog as it is now; valid once started. */
    public PostgresCatalogFeed catalog() {
        return feed;
    }

    /** The cluster's views, page by page. */
    public ClusterViews views() {
        return views;
    }

    /** Rebalances, as programs ask for them. */
    public Rebalances rebalances() {
        return rebalances;
    }

    /** Asks for moves, and tells what becomes of them; close it. */
    public MoveDesk openMoves() {
        return MoveDesk.open(vertx, coordinator);
    }

    /** Ends deadlocks over several nodes among these sessions and those of other proxies, until this is closed. */
    public void endDeadlocks(LockWaiters waiters) {
        DeadlockDetector started = new DeadlockDetector(vertx, feed, coordinator, waiters);
        closings.add(started::close);
        started.start();
    }

    /** Exchanges cancel requests with other proxies, until this is closed. */
    public void exchangeCancels(ForeignCancels proxy) {
        CancelExchange started = new CancelExchange(vertx, coordinator, feed, proxy);
        closings.add(started::close);
        started.start();
    }

    /** Finishes at once what this proxy can't end, until this is closed. */
    public void finishLost(LostCommits proxy) {
        LostCommitRecovery started = new LostCommitRecovery(upkeep.newRecovery(), proxy);
        closings.add(started::close);
        started.start();
    }

    @Override
    public void close() {
        closings.forEach(Runnable::run);
        rebalancing.close();
        moves.close();
        traces.close();
        silence.close();
        upkeep.close();
        feed.close();
    }
}
