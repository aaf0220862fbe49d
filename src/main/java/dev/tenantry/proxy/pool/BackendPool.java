package dev.tenantry.proxy.pool;

import dev.tenantry.catalog.Node;
import dev.tenantry.catalog.TracelessNodes;
import dev.tenantry.proxy.auth.ScramClient;
import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.backend.BackendConnector;
import dev.tenantry.proxy.backend.BackendRefused;
import dev.tenantry.proxy.backend.CallResult;
import dev.tenantry.wire.FrontendMessages;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * The connections to nodes of one event loop: sessions take them and leave them. One that a session leaves is kept for
 * sessions that would open the same: a node then has no new process to start, and the process it has knows its tables.
 * What the last session did to it is discarded first (DISCARD ALL). Where connections are shared,
 * {@link SharedBackends} says who may have one. Lives on its event loop.
 */
public final class BackendPool {
    private static final System.Logger LOG = System.getLogger(BackendPool.class.getName());

    /** How many prepared statements of sessions before may be on a connection that is handed on. */
    private static final int PREPARED_MAX = 1_000;

    static final long RESET_MILLIS = 10_000;
    private static final String DISCARD = "DISCARD ALL";
    private static final String TOO_MANY_CONNECTIONS = "53300";

    private final BackendPools pools;
    private final TracelessNodes traceless;
    private final PoolCount count;
    private final EventLoop loop;
    private final BackendConnector connector;
    private final PoolLimits limits;
    private final IdleBackends idle;
    private final SharedBackends shared;
    private final List<IdleBackend> returning = new ArrayList<>();
    private final Set<String> sequenceReaders = new HashSet<>();

    BackendPool(BackendPools pools, EventLoop loop, BackendConnector connector, PoolLimits limits, PoolCount count) {
        this.pools = pools;
        this.traceless = pools.traceless();
        this.count = count;
        this.loop = loop;
        this.connector = connector;
        this.limits = limits;
        this.idle = new IdleBackends(loop, limits, count);
        this.shared = new SharedBackends(this, limits.sharing(), count);
    }

    /** The connector, for cancel requests. */
    public BackendConnector connector() {
        return connector;
    }

    /** The loop on which all of it lives. */
    public EventLoop loop() {
        return loop;
    }

    /**
     * A connection to a node as if it were new, or one that the session has left something on that it needs.
     *
     * @param credentials what signs in: the client's keys
     * @param holder the session
     * @return completes on the loop; with {@link BackendRefused} when the node can't be reached or says no. Who
     *     completes it exceptionally, on the loop, gives up on the connection
     */
    public CompletableFuture<BackendConnection> open(
            Node node, PoolKey key, ScramClient.Credentials credentials, BackendHolder holder) {
        CompletableFuture<BackendConnection> opened = new CompletableFuture<>();
        shared.ask(new Request(node, key, credentials, holder, opened, System.nanoTime()));
        return opened;
    }

    /** Whether sessions share connections. */
    public boolean isSharing() {
        return limits.sharing().isOn();
    }

    /** What is in it now; on its loop. */
    public PoolContents contents() {
        List<PoolContents.Unheld> unheld = new ArrayList<>();
        idle.all().forEach(one -> unheld.add(one.as(PoolContents.Unheld.State.IDLE)));
        returning.forEach(one -> unheld.add(one.as(PoolContents.Unheld.State.RESETTING)));
        return shared.contents(unheld);
    }

    /** A session rests: one that waits may have its connections. Costs nothing when nobody waits. */
    public void rested() {
        shared.rested();
    }

    /**
     * Whether nothing can be on a connection that its session could not have on another one, nor anything that ends it
     * while it is nobody's.
     */
    boolean isTraceless(BackendConnection backend) {
        boolean endsWhenIdle =
                backend.label() instanceof Map<?, ?> settings && settings.containsKey(PoolKey.IDLE_SESSION_TIMEOUT);
        return !endsWhenIdle
                && !backend.isTraced()
                && !backend.isSpoilt()
                && traceless.isTracelessSince(backend.node().nodeId(), backend.cleanNanos());
    }

    /** The settings with a prefix that routines of that node may have set. */
    Set<String> settingsOfRoutines(Node node) {
        return traceless.settings(node.nodeId());
    }

    /** What a session is about to run changes what other statements on that node may do unseen. */
    public void changesRoutines(Node node) {
        traceless.unknown(node.nodeId());
    }

    /** A session has something that keeps a connection with it, as it has found itself. */
    public void pinned(PinReason reason) {
        count.pinned(reason);
    }

    /** A session of this role asks for what sequences gave it; so others of the role may. */
    public void readsSequences(String role) {
        sequenceReaders.add(role);
    }

    /** Whether a session of this role has ever asked for what sequences gave it. */
    public boolean isSequenceReader(String role) {
        return sequenceReaders.contains(role);
    }

    /** Gives a session, as it is, what was another's. */
    void handOver(BackendConnection backend, Request request) {
        backend.autoRead(true);
        if (backend.isSequenced()) {
            handOverAfter("DISCARD SEQUENCES", () -> backend.sequenced(false), backend, request);
            return;
        }
        if (backend.prepared().size() > PREPARED_MAX) {
            handOverAfter("DEALLOCATE ALL", backend.prepared()::clear, backend, request);
            return;
        }
        complete(request, backend);
    }

    private void complete(Request request, BackendConnection backend) {
        shared.held(backend, request);
        if (!request.opened().complete(backend)) {
            shared.left(backend);
            keep(new IdleBackend(backend, request.key(), idle::remove)); // who wanted it has given up
        }
    }

    /** What sequences gave one session is nothing to the next, and statements must not heap up. */
    private void handOverAfter(String sql, Runnable done, BackendConnection backend, Request request) {
        IdleBackend between = new IdleBackend(backend, request.key(), closed -> {});
        between.promise();
        returning.add(between);
        call(backend, sql, RESET_MILLIS).whenComplete((result, problem) -> {
            returning.remove(between);
            if (problem == null && result.isSuccess()) {
                done.run();
                handOver(backend, request);
            } else {
                backend.close();
                lend(request);
            }
        });
    }

    private void keep(IdleBackend one) {
        one.backend().autoRead(true);
        idle.keep(one);
        shared.serve(one.backend().node());
    }

    /** Lends what there is, or opens a new connection if there is still room for it. */
    void lend(Request request) {
        if (request.opened().isDone()) {
            return; // who wanted it has given up meanwhile
        }
        IdleBackend found = idle.take(request);
        IdleBackend soon = found == null ? promised(request) : null;
        if (soon != null) {
            soon.discarded().whenComplete((done, problem) -> lend(request));
        } else if (found == null) {
            if (shared.begins(request)) {
                connect(request, true);
            }
        } else if (found.idleMillis() < limits.checkMillis()) {
            complete(request, found.backend());
        } else {
            check(found, request);
        }
    }

    /** Whether there is one that no session holds. */
    boolean hasIdle(Request request) {
        for (IdleBackend one : idle.all()) { // asked for each hand-over, when there is mostly none
            if (request.fits(one.backend(), one.key())) {
                return true;
            }
        }
        return false;
    }

    /** One that will be idle in a moment, which is sooner than a new one would be there. */
    private @Nullable IdleBackend promised(Request request) {
        for (IdleBackend one : returning) {
            if (request.fits(one.backend(), one.key()) && one.promise()) {
                return one;
            }
        }
        return null;
    }

    /** A node that went away without a word is noticed here, and not by the session's first statement. */
    private void check(IdleBackend found, Request request) {
        BackendConnection backend = found.backend();
        call(backend, "", connector.connectTimeoutMillis()).whenComplete((result, problem) -> {
            if (problem != null || !result.isSuccess() || backend.isClosed()) {
                backend.close();
                lend(request);
            } else {
                complete(request, found.backend());
            }
        });
    }

    private void connect(Request request, boolean again) {
        CompletableFuture<BackendConnection> connecting =
                connector.open(request.node(), loop, request.key().startupParameters(), request.credentials());
        if (!isSharing()) {
            request.opened().whenComplete((backend, problem) -> {
                if (problem != null) {
                    connecting.completeExceptionally(problem); // nobody wants it any more
                }
            });
        } // else it takes its place until the node has ended it, so the next may as well have it
        connecting.whenComplete((backend, problem) -> {
            if (problem == null) {
                backend.channel().closeFuture().addListener(closed -> shared.ended(backend));
                complete(request, backend);
                return;
            }
            if (again && !request.opened().isDone() && isFull(problem)) {
                pools.evict(request.node()).whenCompleteAsync((done, never) -> connect(request, false), loop);
            } else {
                request.opened().completeExceptionally(problem);
                shared.failed(request.node());
            }
        });
    }

    private static boolean isFull(Throwable problem) {
        return problem instanceof BackendRefused refused
                && refused.error().sqlState().equals(TOO_MANY_CONNECTIONS);
    }

    /**
     * A session leaves a connection that is in no transaction and owes nothing. It is kept, without what the session
     * did to it, or it is ended.
     */
    public void give(BackendConnection backend, PoolKey key) {
        shared.left(backend);
        boolean asItIs = isSharing()
                && !key.endsWhenIdle()
                && idle.keepsMore(backend)
                && isTraceless(backend)
                && !backend.isSequenced()
                && backend.prepared().size() <= PREPARED_MAX;
        if (asItIs) {
            keep(new IdleBackend(backend, key, idle::remove));
        } else {
            reset(backend, key);
        }
    }

    /** Discards what a session did to a connection that it does not hold any more, and keeps it, or ends it. */
    void reset(BackendConnection backend, PoolKey key) {
        if (!idle.keepsMore(backend) || key.endsWhenIdle() || backend.isSpoilt()) {
            backend.terminate();
            return;
        }
        IdleBackend left = new IdleBackend(backend, key, idle::remove);
        backend.autoRead(true);
        returning.add(left);
        discard(backend).whenComplete((result, problem) -> {
            returning.remove(left);
            backend.prepared().clear();
            backend.label(null);
            if (problem != null || !result.isSuccess() || SessionRemains.hasTemporarySchema(result)) {
                backend.terminate();
            } else {
                backend.clean();
                backend.sequenced(false);
                idle.keep(left);
            }
            left.discarded().complete(null);
            shared.serve(backend.node());
        });
    }

    private CompletableFuture<CallResult> discard(BackendConnection backend) {
        ByteBuf out = backend.channel().alloc().buffer(128);
        FrontendMessages.query(out, DISCARD);
        FrontendMessages.query(out, SessionRemains.TEMPORARY_SCHEMA);
        return backend.within(RESET_MILLIS, backend.call(out, 2));
    }

    CompletableFuture<CallResult> call(BackendConnection backend, String sql, long timeoutMillis) {
        return backend.within(timeoutMillis, backend.call(sql));
    }

    /** Takes out the connection to a node that has been idle the longest, and for so long, to be ended; or null. */
    @Nullable
    BackendConnection takeIdle(int nodeId, long idleMillis) {
        for (IdleBackend one : idle.all()) {
            if (one.backend().node().nodeId() == nodeId && one.idleMillis() >= idleMillis) {
                idle.remove(one);
                return one.backend();
            }
        }
        return null;
    }

    /** What all loops together may have to a node. */
    NodeBudget budget(int nodeId) {
        return pools.budget(nodeId);
    }

    /** Runs an action on the loop, unless that has stopped, when nobody waits any more. */
    void onLoop(Runnable action) {
        try {
            loop.execute(action);
        } catch (RejectedExecutionException stopped) {
            LOG.log(System.Logger.Level.DEBUG, "the event loop has stopped", stopped);
        }
    }

    /** Ends the idle connections to a node, and those about to be; completes when the node has let go of them. */
    CompletableFuture<Void> evict(Node node) {
        List<CompletableFuture<Void>> gone = new ArrayList<>();
        for (IdleBackend one : idle.of(node)) {
            gone.add(end(one));
        }
        for (IdleBackend one : returning) {
            if (Request.isSame(one.backend().node(), node) && one.promise()) {
                gone.add(one.discarded().thenCompose(done -> end(one)));
            }
        }
        return CompletableFuture.allOf(gone.toArray(CompletableFuture[]::new));
    }

    private CompletableFuture<Void> end(IdleBackend one) {
        idle.remove(one);
        return one.backend().leave(RESET_MILLIS);
    }

    /** Ends all idle connections, and from now on each that a session leaves. */
    void close() {
        idle.close();
    }
}
