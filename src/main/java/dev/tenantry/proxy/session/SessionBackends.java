package dev.tenantry.proxy.session;

import dev.tenantry.catalog.Node;
import dev.tenantry.proxy.auth.ScramClient;
import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.backend.BackendListener;
import dev.tenantry.proxy.pool.BackendHolder;
import dev.tenantry.proxy.pool.BackendPool;
import dev.tenantry.proxy.pool.PoolKey;
import dev.tenantry.wire.SqlError;
import dev.tenantry.wire.SqlErrorException;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The connections to nodes that one session holds, at most one a node: it takes them from the pool and gives them back
 * when it ends. This is the seam where transaction pooling gives back earlier. Lives on the client's event loop.
 */
public final class SessionBackends implements BackendHolder {
    private final BackendPool pool;
    private final PoolKey key;
    private final ScramClient.Credentials credentials;
    private final Map<Integer, BackendConnection> byNode = new HashMap<>();
    private final List<CompletableFuture<BackendConnection>> opening = new ArrayList<>();
    private @Nullable BackendConnection active;
    private boolean unsynced;
    private boolean executed;
    private boolean flushSent;
    private boolean abandoned;
    private @Nullable Node last;
    private @Nullable BackendListener listener;
    private Predicate<BackendConnection> dispensable = backend -> false;

    public SessionBackends(BackendPool pool, PoolKey key, ScramClient.Credentials credentials) {
        this.pool = pool;
        this.key = key;
        this.credentials = credentials;
    }

    /** The session that they belong to, and which of them it could do without now, as far as it knows itself. */
    public void belongTo(BackendListener session, Predicate<BackendConnection> canDoWithout) {
        listener = session;
        dispensable = canDoWithout;
    }

    public EventLoop loop() {
        return pool.loop();
    }

    /** The node that the client's messages went to last, though there may be no connection to it now. */
    @Nullable
    public Node last() {
        return last;
    }

    /** The session has begun to rest: others may have its connections. */
    public void rested() {
        pool.rested();
    }

    @Override
    public boolean rests(BackendConnection backend) {
        return byNode.get(backend.node().nodeId()) == backend
                && !abandoned
                && !(backend == active && unsynced)
                && backend.status() == BackendConnection.IDLE
                && !backend.isInCall()
                && !backend.isInsideBody()
                && dispensable.test(backend);
    }

    @Override
    public Collection<String> knownSettings(BackendConnection backend) {
        return backend.label() instanceof Map<?, ?> settings
                ? settings.keySet().stream().map(String::valueOf).toList()
                : List.of();
    }

    @Override
    public void taken(BackendConnection backend) {
        lost(backend);
    }

    @Override
    public boolean returned(BackendConnection backend) {
        BackendListener session = listener;
        if (abandoned || session == null || byNode.containsKey(backend.node().nodeId())) {
            return false;
        }
        backend.attach(session);
        byNode.put(backend.node().nodeId(), backend);
        return true;
    }

    /** The backend that the client's messages go to now. */
    @Nullable
    public BackendConnection active() {
        return active;
    }

    public void activate(BackendConnection backend) {
        active = backend;
        last = backend.node();
        unsynced = false;
        executed = false;
        flushSent = false;
    }

    /** What they were opened with. */
    public PoolKey key() {
        return key;
    }

    /** The open connection to a node, if there is one. */
    @Nullable
    public BackendConnection of(Node node) {
        return byNode.get(node.nodeId());
    }

    public Collection<BackendConnection> all() {
        return byNode.values();
    }

    /** Whether a connection is being opened, or waited for. */
    public boolean isOpening() {
        return !opening.isEmpty();
    }

    /** Opens the connection to a node and keeps it. */
    public CompletableFuture<BackendConnection> open(Node node, BackendListener session) {
        CompletableFuture<BackendConnection> opened = pool.open(node, key, credentials, this);
        opening.add(opened);
        return opened.whenComplete((backend, problem) -> opening.removeIf(CompletableFuture::isDone))
                .thenApply(backend -> {
                    if (abandoned) {
                        pool.give(backend, key);
                        throw new SqlErrorException(SqlErrors.lost(node)); // nobody is left to hear it
                    }
                    backend.attach(session);
                    byNode.put(node.nodeId(), backend);
                    return backend;
                });
    }

    /** Gives up on connections that are being opened; who waits for one is told why. */
    private void giveUpOpening(SqlError why) {
        new ArrayList<>(opening).forEach(opened -> opened.completeExceptionally(new SqlErrorException(why)));
    }

    /** Keeps a connection that was opened elsewhere. */
    public void keep(BackendConnection backend) {
        byNode.put(backend.node().nodeId(), backend);
    }

    /**
     * Asks the nodes to cancel what runs; completes when all have taken notice. Connections that are being opened are
     * given up at once.
     *
     * @param activeOwes whether the active backend owes the client replies
     */
    public CompletableFuture<Void> cancelRunning(boolean activeOwes) {
        CompletableFuture<Void> all = CompletableFuture.allOf(byNode.values().stream()
                .filter(backend -> backend == active && activeOwes || backend.isInCall())
                .map(this::cancel)
                .toArray(CompletableFuture[]::new));
        giveUpOpening(SqlErrors.cancelled());
        return all;
    }

    /** Asks the node to cancel what the backend runs. */
    public CompletableFuture<Void> cancel(BackendConnection backend) {
        return pool.connector().cancel(backend);
    }

    /** Forgets a connection that has ended. */
    public void lost(BackendConnection backend) {
        byNode.remove(backend.node().nodeId(), backend);
        if (active == backend) {
            active = null;
            unsynced = false;
            executed = false;
        }
    }

    /** Ends every connection but the active one. */
    public void terminateOthers() {
        for (BackendConnection backend : new ArrayList<>(byNode.values())) {
            if (backend != active) {
                byNode.remove(backend.node().nodeId());
                backend.terminate();
            }
        }
    }

    /**
     * Leaves every connection because the client is gone. One that is busy is told to stop, so that the node does not
     * go on for nobody; one that is in a transaction is ended, which rolls it back.
     *
     * @param busy whether the active backend owes replies
     * @param reusable whether others may have them: nothing that concerns them is still on its way to a node, and
     *     nothing was done to them that can't be undone
     */
    public void abandonAll(boolean busy, boolean reusable) {
        BackendConnection was = active;
        abandoned = true;
        active = null;
        for (BackendConnection backend : new ArrayList<>(byNode.values())) {
            if (busy && backend == was || backend.isInCall()) {
                pool.connector().cancel(backend).whenComplete((done, problem) -> backend.close());
            } else if (reusable && backend.status() == BackendConnection.IDLE && !(backend == was && unsynced)) {
                pool.give(backend, key);
            } else {
                backend.terminate();
            }
        }
        byNode.clear();
        giveUpOpening(SqlErrors.cancelled()); // nobody is left to hear it
    }

    /** Whether the active backend has been sent extended messages without a Sync. */
    public boolean isUnsynced() {
        return unsynced;
    }

    /** Whether one of them was an Execute, so that an implicit transaction is open there. */
    public boolean isExecuted() {
        return executed;
    }

    /** An extended message goes to the active backend. */
    public void extended(boolean execute) {
        unsynced = true;
        executed |= execute;
        flushSent = false;
    }

    /** A Flush must be sent to see the replies of the batch; told once. */
    public boolean needsFlush() {
        boolean needs = unsynced && !flushSent;
        flushSent = true;
        return needs;
    }

    /** Sync goes to the active backend. */
    public void synced() {
        unsynced = false;
        executed = false;
        flushSent = false;
    }
}
