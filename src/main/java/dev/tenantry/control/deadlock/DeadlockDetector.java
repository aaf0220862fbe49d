package dev.tenantry.control.deadlock;

import dev.tenantry.activity.LockWaiter;
import dev.tenantry.activity.LockWaiters;
import dev.tenantry.catalog.CatalogFeed;
import dev.tenantry.catalog.Node;
import dev.tenantry.control.background.BackgroundLoop;
import dev.tenantry.control.deadlock.WaitGraph.Transaction;
import dev.tenantry.control.deadlock.WaitGraph.Wait;
import dev.tenantry.control.node.NodeConnections;
import dev.tenantry.store.CatalogUnavailableException;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.LockWaits;
import dev.tenantry.store.StatementRefusedException;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jboss.logging.Logger;

/**
 * Looks whether transactions over several nodes wait for each other, and fails one of this proxy's that must give way.
 * Each proxy does it for its own; the coordinator tells them of each other's long waits. As PostgreSQL does for one
 * server ("Deadlocks" in "Explicit Locking"), it looks only when something has waited for a while: nodes are asked
 * nothing before. Runs on one virtual thread.
 */
public final class DeadlockDetector implements AutoCloseable {
    private static final Logger LOG = Logger.getLogger(DeadlockDetector.class);

    /** PostgreSQL's default of {@code deadlock_timeout}. */
    private static final Duration PATIENCE = Duration.ofSeconds(1);

    private static final Duration INTERVAL = Duration.ofMillis(500);
    private static final Duration ANSWER_MAX = Duration.ofSeconds(5);

    private final CatalogFeed catalog;
    private final LockWaiters waiters;
    private final String proxy = UUID.randomUUID().toString();
    private final NodeConnections connections;
    private final BackgroundLoop loop;
    private boolean noted;

    /**
     * Makes one that does nothing until started.
     *
     * @param coordinator whose database, user and password are those of every node
     */
    public DeadlockDetector(Vertx vertx, CatalogFeed catalog, CoordinatorAddress coordinator, LockWaiters waiters) {
        this.catalog = catalog;
        this.waiters = waiters;
        this.connections = new NodeConnections(vertx, coordinator, ANSWER_MAX);
        this.loop = new BackgroundLoop("deadlocks", INTERVAL, running -> look(), connections::close);
    }

    /** Begins to look. */
    public void start() {
        loop.start();
    }

    /** Stops it; returns when its connections have been closed, or it takes too long. */
    @Override
    public void close() {
        loop.close();
    }

    private void look() throws InterruptedException, ExecutionException, TimeoutException {
        List<LockWaiter> own = own();
        if (own.isEmpty() && !noted) {
            connections.close();
            return;
        }
        connections.closeAllBut(catalog.current().nodes());
        List<Transaction> all = withOthers(own);
        if (own.isEmpty()) {
            return;
        }
        Set<Integer> nodeIds = new HashSet<>();
        all.forEach(transaction -> transaction.processes().forEach(process -> nodeIds.add(process.nodeId())));
        List<Wait> waits = waits(nodeIds);
        if (ours(all, waits).isEmpty()) {
            return;
        }
        // Nodes were asked one after another; waits that are still the same have all been there at one moment.
        waits.retainAll(waits(nodeIds));
        // And a process may be another transaction's by now than when its proxy told of it.
        all.retainAll(withOthers(own()));
        for (Transaction victim : ours(all, waits)) {
            own.stream()
                    .filter(waiter -> waiter.sessionId() == victim.sessionId())
                    .forEach(this::fail);
        }
    }

    private List<LockWaiter> own() throws InterruptedException, ExecutionException, TimeoutException {
        return waiters.waiting(PATIENCE).get(ANSWER_MAX.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void fail(LockWaiter victim) {
        LOG.infof("deadlock over several nodes session=%d", victim.sessionId());
        waiters.fail(victim);
    }

    private List<Transaction> ours(List<Transaction> all, List<Wait> waits) {
        return WaitGraph.victims(all, waits).stream()
                .filter(victim -> victim.proxy().equals(proxy))
                .toList();
    }

    /** Without the coordinator, deadlocks among this proxy's own transactions are found all the same. */
    private List<Transaction> withOthers(List<LockWaiter> own) {
        List<Transaction> all = new ArrayList<>();
        own.forEach(waiter ->
                all.add(new Transaction(proxy, waiter.sessionId(), waiter.begun(), Set.copyOf(waiter.processes()))));
        try {
            List<LockWaits.Noted> known =
                    LockWaits.note(connections.to(catalog.current().coordinator()), proxy, own);
            noted = !own.isEmpty();
            known.stream()
                    .filter(other -> !other.proxy().equals(proxy))
                    .forEach(other -> all.add(new Transaction(
                            other.proxy(),
                            other.waiter().sessionId(),
                            other.waiter().begun(),
                            Set.copyOf(other.waiter().processes()))));
        } catch (CatalogUnavailableException | StatementRefusedException away) {
            connections.close(catalog.current().coordinator());
            LOG.debugf("deadlocks with other proxies are not looked for reason=%s", away.getMessage());
        }
        return all;
    }

    /** A node that does not answer tells of no waits. */
    private List<Wait> waits(Set<Integer> nodeIds) {
        List<Wait> waits = new ArrayList<>();
        for (Node node : catalog.current().nodes()) {
            if (nodeIds.contains(node.nodeId())) {
                try {
                    LockWaits.on(connections.to(node))
                            .forEach(wait ->
                                    waits.add(new Wait(node.nodeId(), wait.pid(), wait.blocker(), wait.since())));
                } catch (CatalogUnavailableException | StatementRefusedException away) {
                    connections.close(node);
                    LOG.debugf("node does not tell its waits node=%s reason=%s", node.name(), away.getMessage());
                }
            }
        }
        return waits;
    }
}
