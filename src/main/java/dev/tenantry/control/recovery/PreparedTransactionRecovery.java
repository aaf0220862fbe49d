package dev.tenantry.control.recovery;

import dev.tenantry.catalog.CatalogFeed;
import dev.tenantry.catalog.CatalogSnapshot;
import dev.tenantry.catalog.Node;
import dev.tenantry.commit.GlobalTransactionId;
import dev.tenantry.commit.RecoveryRule;
import dev.tenantry.commit.RecoveryRule.Decision;
import dev.tenantry.commit.RecoveryRule.Keeper;
import dev.tenantry.control.node.NodeConnections;
import dev.tenantry.control.node.PreparedTransactions;
import dev.tenantry.control.node.PreparedTransactions.Prepared;
import dev.tenantry.store.CatalogUnavailableException;
import dev.tenantry.store.CommitRecords;
import dev.tenantry.store.CommitRecords.Committed;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.store.StatementRefusedException;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;

/**
 * Commits or rolls back prepared transactions that a proxy has left behind, on every node that answers, by
 * {@link RecoveryRule}. Any number of proxies may run it at the same time; each step may be done twice. For one virtual
 * thread; keeps its connections from one look to the next.
 */
public final class PreparedTransactionRecovery implements AutoCloseable {

    private static final Logger LOG = Logger.getLogger(PreparedTransactionRecovery.class);
    private static final Duration ANSWER_MAX = Duration.ofSeconds(10);

    private final CatalogFeed catalog;
    private final Duration ageMin;
    private final Consumer<RecoveryRule.Action> finished;
    private final NodeConnections connections;

    /** For how long each has run, when last asked. */
    private final Map<Node, Duration> running = new ConcurrentHashMap<>();

    /**
     * Makes one that does nothing until asked.
     *
     * @param coordinator whose database, user and password are those of every node
     * @param ageMin how long transactions are left to their proxy
     * @param finished told of each transaction that was finished on a node
     */
    public PreparedTransactionRecovery(
            Vertx vertx,
            CatalogFeed catalog,
            CoordinatorAddress coordinator,
            Duration ageMin,
            Consumer<RecoveryRule.Action> finished) {
        this.catalog = catalog;
        this.connections = new NodeConnections(vertx, coordinator, ANSWER_MAX);
        this.ageMin = ageMin;
        this.finished = finished;
    }

    /**
     * Looks at every node once.
     *
     * @param proxiesAlive the proxies that may still finish what they have prepared
     * @return how many prepared transactions it finished
     */
    public int recover(Set<String> proxiesAlive) {
        CatalogSnapshot snapshot = catalog.current();
        List<Node> nodes = snapshot.nodes();
        boolean whole = false;
        try {
            connections.closeAllBut(nodes);
            running.keySet().retainAll(nodes);
            connect(nodes);
            int count = recover(snapshot, proxiesAlive);
            whole = true;
            return count;
        } finally {
            if (!whole) {
                close();
            }
        }
    }

    /**
     * Finishes transactions that their proxy has given up, however young they are, where the nodes concerned answer.
     *
     * @param nodeIds where they may be prepared
     */
    public void finish(Set<String> gids, Set<Integer> nodeIds) {
        CatalogSnapshot snapshot = catalog.current();
        Set<Integer> concerned = new HashSet<>(nodeIds);
        gids.forEach(gid ->
                RecoveryRule.concerned(gid, snapshot.clusterId()).ifPresent(id -> concerned.add(id.deciderNodeId())));
        boolean whole = false;
        try {
            connect(snapshot.nodes().stream()
                    .filter(node -> concerned.contains(node.nodeId()))
                    .toList());
            finishDue(snapshot, (id, node, prepared) -> gids.contains(prepared.gid()), new HashSet<>());
            whole = true;
        } finally {
            if (!whole) {
                close();
            }
        }
    }

    /** Closes its connections; it opens others when it is asked again. */
    @Override
    public void close() {
        connections.close();
    }

    private int recover(CatalogSnapshot snapshot, Set<String> proxiesAlive) {
        // Records first: one that is read now belongs to transactions that are already prepared or finished.
        Map<Node, List<Committed>> records = new HashMap<>();
        connections.open().forEach((node, connection) -> records.put(node, CommitRecords.committed(connection)));
        Set<String> unfinished = new HashSet<>();
        Due due = (id, node, prepared) ->
                RecoveryRule.isDue(prepared.age(), keeper(id, node, prepared.age(), snapshot, proxiesAlive), ageMin);
        int count = finishDue(snapshot, due, unfinished);
        Set<Integer> silent = silent(snapshot, connections.open().keySet());
        connections.open().forEach((node, connection) -> {
            CommitRecords.forget(
                    connection,
                    records.getOrDefault(node, List.of()).stream()
                            .filter(record -> Collections.disjoint(record.nodeIds(), silent))
                            .map(Committed::gid)
                            .filter(gid -> !unfinished.contains(gid))
                            .toList());
            CommitRecords.forgetAborts(connection);
        });
        return count;
    }

    /** Which of the prepared transactions of our cluster are to be finished now. */
    private interface Due {
        boolean is(GlobalTransactionId id, Node node, Prepared prepared);
    }

    /** On every node there is a connection to; notes what it leaves. */
    private int finishDue(CatalogSnapshot snapshot, Due due, Set<String> unfinished) {
        Map<GlobalTransactionId, Decision> decisions = new HashMap<>();
        int count = 0;
        for (Map.Entry<Node, ServerConnection> entry : connections.open().entrySet()) {
            Node node = entry.getKey();
            for (Prepared prepared : PreparedTransactions.on(entry.getValue())) {
                Decision decision = RecoveryRule.concerned(prepared.gid(), snapshot.clusterId())
                        .filter(id -> due.is(id, node, prepared))
                        .map(id -> decisions.computeIfAbsent(id, unknown -> decision(unknown, snapshot)))
                        .orElse(Decision.UNKNOWN);
                if (finish(node, entry.getValue(), prepared.gid(), decision)) {
                    count++;
                } else {
                    unfinished.add(prepared.gid());
                }
            }
        }
        return count;
    }

    private Keeper keeper(
            GlobalTransactionId id, Node node, Duration age, CatalogSnapshot snapshot, Set<String> proxiesAlive) {
        boolean cutOff = hasStartedWithin(age, node)
                || decider(id, snapshot)
                        .filter(decider -> hasStartedWithin(age, decider))
                        .isPresent();
        if (cutOff) {
            return Keeper.CUT_OFF;
        }
        return proxiesAlive.contains(id.proxyId()) ? Keeper.ALIVE : Keeper.GONE;
    }

    private boolean hasStartedWithin(Duration age, Node node) {
        Duration since = running.get(node);
        return since != null && since.compareTo(age) < 0;
    }

    private static Optional<Node> decider(GlobalTransactionId id, CatalogSnapshot snapshot) {
        return snapshot.nodes().stream()
                .filter(node -> node.nodeId() == id.deciderNodeId())
                .findFirst();
    }

    /** Nodes that may still have prepared what we can't see. */
    private static Set<Integer> silent(CatalogSnapshot snapshot, Set<Node> answering) {
        return snapshot.nodes().stream()
                .filter(node -> !answering.contains(node))
                .map(Node::nodeId)
                .collect(Collectors.toSet());
    }

    private Decision decision(GlobalTransactionId id, CatalogSnapshot snapshot) {
        Optional<ServerConnection> decider = decider(id, snapshot)
                .flatMap(node -> Optional.ofNullable(connections.open().get(node)));
        if (decider.isEmpty()) {
            LOG.warnf("prepared transaction waits for its decider transaction=%s node=%d", id, id.deciderNodeId());
            return Decision.UNKNOWN;
        }
        try {
            return switch (CommitRecords.abort(decider.get(), id.toString())) {
                case ABORTED -> Decision.ABORTED;
                case COMMITTED -> Decision.COMMITTED;
                case STILL_OPEN -> Decision.UNKNOWN;
            };
        } catch (StatementRefusedException refused) { // it is read-only, or full; others are not
            LOG.warnf(
                    "prepared transaction's decider does not decide transaction=%s node=%d sqlstate=%s reason=%s",
                    id, id.deciderNodeId(), refused.sqlState(), refused.error());
            return Decision.UNKNOWN;
        }
    }

    private boolean finish(Node node, ServerConnection connection, String gid, Decision decision) {
        RecoveryRule.Action action = RecoveryRule.action(decision);
        try {
            switch (action) {
                case COMMIT_PREPARED -> PreparedTransactions.commit(connection, gid);
                case ROLLBACK_PREPARED -> PreparedTransactions.rollback(connection, gid);
                case LEAVE -> {
                    return false;
                }
            }
            finished.accept(action);
            LOG.infof("prepared transaction finished transaction=%s node=%s action=%s", gid, node.name(), action);
            return true;
        } catch (StatementRefusedException refused) {
            LOG.warnf(
                    "prepared transaction can't be finished transaction=%s node=%s sqlstate=%s reason=%s",
                    gid, node.name(), refused.sqlState(), refused.error());
            return false;
        }
    }

    /** To all at the same time, so that those that do not answer hold the others up only once. */
    private void connect(List<Node> nodes) {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            nodes.forEach(node -> threads.execute(() -> connect(node)));
        }
    }

    private void connect(Node node) {
        try {
            ServerConnection known = connections.open().get(node);
            if (known != null) {
                running.put(node, PreparedTransactions.running(known));
                return;
            }
        } catch (CatalogUnavailableException | StatementRefusedException lost) {
            LOG.debugf("recovery connects again node=%s reason=%s", node.name(), lost.getMessage());
            connections.close(node);
        }
        try {
            running.put(node, PreparedTransactions.running(connections.to(node)));
        } catch (CatalogUnavailableException | StatementRefusedException away) {
            LOG.debugf("node does not answer recovery node=%s reason=%s", node.name(), away.getMessage());
            connections.close(node);
        }
    }
}
