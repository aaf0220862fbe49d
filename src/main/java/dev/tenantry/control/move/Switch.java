package dev.tenantry.control.move;

import dev.tenantry.blueprint.SchemaBlueprint;
import dev.tenantry.catalog.Node;
import dev.tenantry.control.node.PreparedTransactions;
import dev.tenantry.control.node.copy.Outcomes;
import dev.tenantry.control.node.copy.SequenceValue;
import dev.tenantry.control.node.copy.Source;
import dev.tenantry.control.node.copy.SqlStates;
import dev.tenantry.control.node.copy.Target;
import dev.tenantry.store.CatalogUnavailableException;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.store.StatementRefusedException;
import dev.tenantry.store.move.MoveRow;
import dev.tenantry.store.move.MoveStore;
import dev.tenantry.store.move.MoveStore.TakenOverException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jboss.logging.Logger;

/**
 * The transaction that makes the target the owner. The coordinator decides it, by changing the catalog's row and
 * noting the transaction's id; on the source the schema gets another name, so that nobody finds the old copy; on the
 * target is done what could not be before. The last two are prepared before the decision, so that recovery can finish
 * them alone.
 */
final class Switch {

    private static final Logger LOG = Logger.getLogger(Switch.class);
    private static final Duration LOCK_MIN = Duration.ofMillis(50);

    private final MoveServices services;
    private final MoveConnections connections;
    private final MoveRow move;
    private final CopyPlan plan;
    private final Source locker;
    private final ServerConnection decider;
    private final String oids;
    private final List<ServerConnection> prepared = new CopyOnWriteArrayList<>();
    private boolean begun;
    private String gid = "";

    /** Opens what it needs. */
    Switch(MoveServices services, MoveConnections connections, MoveRow move, CopyPlan plan, Source locker) {
        this.services = services;
        this.connections = connections;
        this.move = move;
        this.plan = plan;
        this.locker = locker;
        this.decider = connections.sourceIsCoordinator() ? locker.connection() : connections.decider();
        this.oids = connections.target().tableOids(plan.schema());
    }

    /** Does what can be done before anybody waits. */
    void begin() {
        sequences();
        if (!connections.sourceIsCoordinator()) {
            decider.query("BEGIN");
            begun = true;
            name();
        }
    }

    private Map<String, SequenceValue> sequences() {
        try {
            return locker.sequences(plan.schema(), plan.sequences());
        } catch (StatementRefusedException refused) {
            throw CopyInvalidException.unlessOther(refused, plan.schema());
        }
    }

    /** Ends what was begun; nothing has changed. */
    void giveUp() {
        if (begun) {
            begun = false;
            decider.query("ROLLBACK");
        }
    }

    /** Gives the decider's transaction its name, and notes that before anything is prepared under it. */
    private void name() {
        gid = services.gids()
                .next(
                        services.catalog().current().clusterId(),
                        coordinatorNodeId(),
                        new MoveStore(decider).transaction());
        connections.store().prepares(move, gid);
    }

    /**
     * Commits what was begun; the source's tables are locked in a transaction of the locker, which this ends, and
     * nobody uses its sequences any more.
     *
     * @param lockMax how long each lock on the target may take
     * @return false if a lock did not come in time, and nothing has changed
     */
    boolean commit(Duration lockMax) throws InterruptedException {
        if (connections.sourceIsCoordinator()) {
            name();
        }
        prepared.clear();
        try {
            prepare(lockMax);
        } catch (TakenOverException | CopyInvalidException other) {
            rollBack(Runnable::run);
            throw other;
        } catch (CatalogUnavailableException lost) {
            rollBack(this::wherePossible);
            throw lost;
        } catch (StatementRefusedException refused) {
            rollBack(Runnable::run);
            // A node that has restarted meanwhile has had recovery decide against it.
            if (SqlStates.IN_THE_WAY.contains(refused.sqlState())
                    || refused.sqlState().equals(SqlStates.UNIQUE_VIOLATION)) {
                return false;
            }
            throw refused;
        }
        services.observer().reached(MovePoint.PREPARED);
        begun = false;
        new MoveStore(decider).commitSwitch();
        services.observer().reached(MovePoint.SWITCHED);
        prepared.forEach(connection -> PreparedTransactions.commit(connection, gid));
        services.observer().reached(MovePoint.PREPARED_COMMITTED);
        return true;
    }

    /**
     * Clients go on at the source, and what is prepared there would have them wait for recovery. The decider's
     * transaction has rows of the catalog locked, which whoever ends the pause needs.
     *
     * @param how each step is run
     */
    private void rollBack(Consumer<Runnable> how) {
        begun = false;
        how.accept(() -> decider.query("ROLLBACK"));
        how.accept(locker::rollback);
        prepared.forEach(connection -> how.accept(() -> PreparedTransactions.rollback(connection, gid)));
    }

    private void wherePossible(Runnable step) {
        try {
            step.run();
        } catch (CatalogUnavailableException lost) {
            LOG.debugf("recovery will undo the switch move=%d reason=%s", move.id(), lost.getMessage());
        }
    }

    /** Everything but the decision, on all servers at the same time; returns when all have done their part. */
    private void prepare(Duration lockMax) throws InterruptedException {
        Map<String, SequenceValue> values = sequences();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Outcomes.ofAll(List.of(
                    threads.submit(() -> prepareTarget(values, lockMax)),
                    threads.submit(this::prepareSource),
                    threads.submit(() -> prepareDecision(lockMax))));
        }
    }

    private void prepareTarget(Map<String, SequenceValue> values, Duration lockMax) {
        connections.target().setSequences(plan.schema(), values);
        if (isTargetPrepared()) {
            ServerConnection target = connections.target().connection();
            target.query("BEGIN");
            try {
                finishTarget(target, lockMax);
                PreparedTransactions.prepare(target, gid);
            } catch (StatementRefusedException refused) {
                target.query("ROLLBACK");
                throw refused;
            }
            prepared.add(target);
        }
    }

    private void prepareSource() {
        if (!connections.sourceIsCoordinator()) {
            locker.rename(plan.schema(), connections.names().oldSchema());
            PreparedTransactions.prepare(locker.connection(), gid);
            prepared.add(locker.connection());
        }
    }

    private void prepareDecision(Duration lockMax) {
        MoveStore deciding = new MoveStore(decider);
        deciding.switchTo(move, connections.names().oldSchema(), oids);
        if (connections.targetIsCoordinator()) {
            finishTarget(decider, lockMax);
        }
        Integer[] nodeIds = preparedNodeIds();
        if (nodeIds.length > 0) {
            deciding.recordSwitch(gid, nodeIds);
        }
    }

    private boolean isTargetPrepared() {
        return !connections.targetIsCoordinator();
    }

    /** On which nodes something will be prepared, whether or not it is so yet. */
    private Integer[] preparedNodeIds() {
        List<Integer> nodeIds = new ArrayList<>();
        if (!connections.sourceIsCoordinator()) {
            nodeIds.add(move.sourceNodeId());
        }
        if (isTargetPrepared()) {
            nodeIds.add(move.targetNodeId());
        }
        return nodeIds.toArray(new Integer[0]);
    }

    /** Takes locks that somebody may hold, so that clients would wait for him. */
    private void finishTarget(ServerConnection target, Duration lockMax) {
        Stream<String> settings =
                SchemaBlueprint.settings().stream().map(setting -> setting.replaceFirst("^SET ", "SET LOCAL "));
        long millis = Math.max(LOCK_MIN.toMillis(), lockMax.toMillis());
        target.query(settings.collect(Collectors.joining("; ")) + "; SET LOCAL deadlock_timeout = '10ms'"
                + "; SET LOCAL lock_timeout = '" + millis + "ms'"
                + "; SET LOCAL statement_timeout = '" + millis + "ms'");
        target.query(plan.atSwitch().stream()
                        .map(statement -> statement.sql() + "; ")
                        .collect(Collectors.joining())
                + Target.release(connections.names()) + "; SET LOCAL statement_timeout = 0");
    }

    private int coordinatorNodeId() {
        return services.catalog().current().nodes().stream()
                .filter(Node::isCoordinator)
                .findFirst()
                .orElseThrow()
                .nodeId();
    }
}
