package dev.tenantry.proxy.pool;

import dev.tenantry.catalog.Node;
import dev.tenantry.proxy.auth.ScramClient;
import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.backend.BackendConnector;
import dev.tenantry.proxy.backend.BackendRefused;
import dev.tenantry.proxy.backend.CallResult;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The connections to nodes that sessions of one event loop have left, for sessions that would open the same: a node
 * then has no new process to start, and the process it has knows its tables. What the last session had is discarded
 * first (DISCARD ALL). The one left last is taken first. Lives on its event loop.
 */
public final class BackendPool {
    private static final String TOO_MANY_CONNECTIONS = "53300";
    private static final long RESET_MILLIS = 10_000;

    private final BackendPools pools;
    private final EventLoop loop;
    private final BackendConnector connector;
    private final PoolLimits limits;
    private final PoolCount count;
    private final Deque<IdleBackend> idle = new ArrayDeque<>();
    private final List<IdleBackend> returning = new ArrayList<>();
    private @Nullable ScheduledFuture<?> sweep;
    private boolean closed;

    BackendPool(BackendPools pools, EventLoop loop, BackendConnector connector, PoolLimits limits, PoolCount count) {
        this.pools = pools;
        this.loop = loop;
        this.connector = connector;
        this.limits = limits;
        this.count = count;
    }

    /** The connector, for cancel requests. */
    public BackendConnector connector() {
        return connector;
    }

    /**
     * A connection to a node as if it were new: one that was left, or else a new one.
     *
     * @param credentials what signs in: the client's keys
     * @return completes on the loop; with {@link BackendRefused} when the node can't be reached or says no. Who
     *     completes it exceptionally, on the loop, gives up on the connection
     */
    public CompletableFuture<BackendConnection> open(Node node, PoolKey key, ScramClient.Credentials credentials) {
        CompletableFuture<BackendConnection> opened = new CompletableFuture<>();
        lend(new Request(node, key, credentials, opened));
        return opened;
    }

    /** Who wants which connection. */
    private record Request(
            Node node, PoolKey key, ScramClient.Credentials credentials, CompletableFuture<BackendConnection> opened) {}

    private void lend(Request request) {
        IdleBackend found = take(request.node(), request.key());
        IdleBackend soon = found == null ? promised(request.node(), request.key()) : null;
        if (soon != null) {
            soon.discarded().whenComplete((done, problem) -> lend(request));
        } else if (found == null) {
            connect(request, true);
        } else if (found.idleMillis() < limits.checkMillis()) {
            hand(found, request);
        } else {
            check(found, request);
        }
    }

    /** A node that went away without a word is noticed here, and not by the session's first statement. */
    private void check(IdleBackend found, Request request) {
        BackendConnection backend = found.backend();
        call(backend, "", connector.connectTimeoutMillis()).whenComplete((result, problem) -> {
            if (problem != null || !result.isSuccess() || backend.isClosed()) {
                backend.close();
                lend(request);
            } else {
                hand(found, request);
            }
        });
    }

    private void hand(IdleBackend found, Request request) {
        if (!request.opened().complete(found.backend())) {
            keep(found); // who wanted it has given up
        }
    }

    private void connect(Request request, boolean again) {
        CompletableFuture<BackendConnection> connecting =
                connector.open(request.node(), loop, request.key().startupParameters(), request.credentials());
        request.opened().whenComplete((backend, problem) -> {
            if (problem != null) {
                connecting.completeExceptionally(problem); // nobody wants it any more
            }
        });
        connecting.whenComplete((backend, problem) -> {
            if (problem == null) {
                request.opened().complete(backend);
            } else if (again && !request.opened().isDone() && isFull(problem)) {
                pools.evict(request.node()).whenCompleteAsync((done, never) -> connect(request, false), loop);
            } else {
                request.opened().completeExceptionally(problem);
            }
        });
    }

    private static boolean isFull(Throwable problem) {
        return problem instanceof BackendRefused refused
                && refused.error().sqlState().equals(TOO_MANY_CONNECTIONS);
    }

    private @Nullable IdleBackend take(Node node, PoolKey key) {
        for (Iterator<IdleBackend> each = idle.descendingIterator(); each.hasNext(); ) {
            IdleBackend one = each.next();
            if (isOf(one, node) && one.key().equals(key)) {
                each.remove();
                count.idle(node.name(), -1);
                return one;
            }
        }
        return null;
    }

    /** One that will be idle in a moment, which is sooner than a new one would be there. */
    private @Nullable IdleBackend promised(Node node, PoolKey key) {
        for (IdleBackend one : returning) {
            if (isOf(one, node) && one.key().equals(key) && one.promise()) {
                return one;
            }
        }
        return null;
    }

    private static boolean isOf(IdleBackend one, Node node) {
        Node other = one.backend().node();
        return other.nodeId() == node.nodeId() && other.address().equals(node.address());
    }

    /**
     * A session leaves a connection that is in no transaction and owes nothing; what the session did to it is
     * discarded, and it is kept, or it is ended.
     */
    public void give(BackendConnection backend, PoolKey key) {
        if (closed || limits.idleMax() == 0 || isOld(backend)) {
            backend.terminate();
            return;
        }
        IdleBackend left = new IdleBackend(backend, key, this::ended);
        backend.autoRead(true);
        returning.add(left);
        call(backend, "DISCARD ALL", RESET_MILLIS).whenComplete((result, problem) -> {
            returning.remove(left);
            backend.prepared().clear();
            backend.label(null);
            if (problem != null || !result.isSuccess()) {
                backend.terminate();
            } else {
                keep(left);
            }
            left.discarded().complete(null);
        });
    }

    private CompletableFuture<CallResult> call(BackendConnection backend, String sql, long timeoutMillis) {
        ScheduledFuture<?> deadline = loop.schedule(backend::close, timeoutMillis, TimeUnit.MILLISECONDS);
        return backend.call(sql).whenComplete((result, problem) -> deadline.cancel(false));
    }

    private void keep(IdleBackend one) {
        Node node = one.backend().node();
        if (closed) {
            one.backend().terminate();
            return;
        }
        one.rest();
        idle.addLast(one);
        count.idle(node.name(), 1);
        List<IdleBackend> same =
                idle.stream().filter(other -> isOf(other, node)).toList();
        if (same.size() > limits.idleMax()) {
            remove(same.getFirst());
            same.getFirst().backend().terminate();
        }
        if (sweep == null) {
            long pause = Math.max(1, limits.idleMillis() / 4);
            sweep = loop.scheduleWithFixedDelay(this::sweep, pause, pause, TimeUnit.MILLISECONDS);
        }
    }

    private void ended(IdleBackend one) {
        remove(one);
    }

    private boolean remove(IdleBackend one) {
        boolean was = idle.remove(one);
        if (was) {
            count.idle(one.backend().node().name(), -1);
        }
        return was;
    }

    private boolean isOld(BackendConnection backend) {
        long tenth = limits.lifeMillis() / 10;
        long jitter = tenth == 0 ? 0 : Math.floorMod(System.identityHashCode(backend), tenth);
        return backend.ageMillis() > limits.lifeMillis() - jitter;
    }

    private void sweep() {
        for (IdleBackend one : List.copyOf(idle)) {
            if (one.idleMillis() > limits.idleMillis() || isOld(one.backend())) {
                remove(one);
                one.backend().terminate();
            }
        }
        ScheduledFuture<?> running = sweep;
        if (idle.isEmpty() && running != null) {
            running.cancel(false);
            sweep = null;
        }
    }

    /** Ends the idle connections to a node; completes when the node has let go of them. */
    CompletableFuture<Void> evict(Node node) {
        List<IdleBackend> those = idle.stream().filter(one -> isOf(one, node)).toList();
        return CompletableFuture.allOf(those.stream()
                .map(one -> {
                    remove(one);
                    return one.backend().leave(RESET_MILLIS);
                })
                .toArray(CompletableFuture[]::new));
    }

    /** Ends all idle connections, and from now on each that a session leaves. */
    void close() {
        closed = true;
        for (IdleBackend one : List.copyOf(idle)) {
            remove(one);
            one.backend().terminate();
        }
        sweep();
    }
}
