package dev.tenantry.proxy.pool;

import dev.tenantry.catalog.Node;
import dev.tenantry.catalog.TracelessNodes;
import dev.tenantry.proxy.backend.BackendConnector;
import io.netty.channel.EventLoop;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/** The pools of a proxy, one to each event loop. Safe from any thread. */
public final class BackendPools implements AutoCloseable {
    private final BackendConnector connector;
    private final PoolLimits limits;
    private final TracelessNodes traceless;
    private final PoolCount count;
    private final Map<Integer, NodeBudget> budgets = new ConcurrentHashMap<>();
    private final Map<EventLoop, BackendPool> byLoop = new ConcurrentHashMap<>();

    public BackendPools(BackendConnector connector, PoolLimits limits, TracelessNodes traceless, PoolCount count) {
        this.connector = connector;
        this.traceless = traceless;
        this.limits = limits;
        this.count = count;
    }

    /** The pool of an event loop. */
    public BackendPool of(EventLoop loop) {
        return byLoop.computeIfAbsent(loop, its -> new BackendPool(this, its, connector, limits, count));
    }

    /** How many connections to a node the loops may have together. */
    NodeBudget budget(int nodeId) {
        return budgets.computeIfAbsent(
                nodeId, first -> new NodeBudget(limits.sharing().sizeMax()));
    }

    /** The nodes on which statements leave no trace that they don't tell of. */
    TracelessNodes traceless() {
        return traceless;
    }

    /** The event loops that have a pool. */
    public Set<EventLoop> loops() {
        return Set.copyOf(byLoop.keySet());
    }

    /** Ends the idle connections to a node; completes when the node has let go of them. */
    CompletableFuture<Void> evict(Node node) {
        return CompletableFuture.allOf(byLoop.entrySet().stream()
                .map(entry -> CompletableFuture.supplyAsync(
                                () -> entry.getValue().evict(node), entry.getKey())
                        .thenCompose(evicted -> evicted))
                .toArray(CompletableFuture[]::new));
    }

    /** Ends all idle connections; those that sessions leave from now on end as well. Does not wait. */
    @Override
    public void close() {
        byLoop.forEach((loop, pool) -> loop.execute(pool::close));
    }
}
