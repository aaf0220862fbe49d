package dev.tenantry.proxy.pool;

import dev.tenantry.catalog.Node;
import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.backend.BackendRefused;
import dev.tenantry.wire.SqlError;
import io.netty.channel.EventLoop;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Who holds which connection, and who waits for one. A session keeps its connections between its transactions, at no
 * cost, until another session needs one and there is none left: then one that rests is taken from its session. Before
 * that the node is asked whether something is on it that the session could not have on another connection; if so, the
 * session gets it back and keeps it. Who waits is served in turn. Lives on its event loop.
 */
final class SharedBackends {
    private static final long RETRY_MILLIS = 250;

    private final BackendPool pool;
    private final EventLoop loop;
    private final PoolLimits.Sharing limits;
    private final PoolCount count;
    private final Map<Integer, Integer> open = new HashMap<>();
    private final List<Held> held = new ArrayList<>();
    private final Deque<Request> waiting = new ArrayDeque<>();
    private boolean serving;
    private boolean retrying;

    SharedBackends(BackendPool pool, EventLoop loop, PoolLimits.Sharing limits, PoolCount count) {
        this.pool = pool;
        this.loop = loop;
        this.limits = limits;
        this.count = count;
    }

    private boolean isOn() {
        return limits.sizeMax() > 0;
    }

    /** A session wants a connection. */
    void ask(Request request) {
        if (!isOn()) {
            pool.lend(request);
            return;
        }
        Held own = underCheck(request);
        CompletableFuture<Boolean> check = own == null ? null : own.check();
        if (own != null && check != null) {
            check.thenAccept(returned -> {
                if (!returned) {
                    ask(request);
                } else if (!request.opened().complete(own.backend())) {
                    serve();
                }
            });
        } else if (!waiting.isEmpty() && isWaitedFor(request.node()) || !hasRoom(request)) {
            queue(request);
        } else {
            pool.lend(request);
        }
    }

    private @Nullable Held underCheck(Request request) {
        for (Held one : held) {
            if (one.holder() == request.holder() && request.isFor(one.backend()) && one.check() != null) {
                return one;
            }
        }
        return null;
    }

    private boolean isWaitedFor(Node node) {
        return waiting.stream().anyMatch(other -> Request.isSame(other.node(), node));
    }

    private boolean hasRoom(Request request) {
        return pool.hasIdle(request) || open.getOrDefault(request.node().nodeId(), 0) < limits.sizeMax();
    }

    private void queue(Request request) {
        if (waiting.size() >= limits.waitersMax()) {
            request.opened().completeExceptionally(new BackendRefused(request.node(), exhausted(request.node())));
            return;
        }
        waiting.addLast(request);
        var deadline = loop.schedule(
                () -> request.opened()
                        .completeExceptionally(new BackendRefused(request.node(), exhausted(request.node()))),
                limits.waitMillis(),
                TimeUnit.MILLISECONDS);
        request.opened().whenComplete((backend, problem) -> {
            deadline.cancel(false);
            waiting.remove(request);
        });
        serve();
    }

    private SqlError exhausted(Node node) {
        return SqlError.error("53300", "no connection to node \"" + node.name() + "\" is free")
                .withDetail("Other sessions use all " + limits.sizeMax() + " connections that each event loop of this"
                        + " proxy may have to the node, or too many wait for one.")
                .withHint("Raise tenantry.pool.size, or shorten what transactions do.");
    }

    /** Gives those who wait what has become free, or begins to take something for them. */
    void serve() {
        if (waiting.isEmpty() || serving) {
            return;
        }
        serving = true;
        try {
            Set<Integer> later = new HashSet<>();
            for (Request request : List.copyOf(waiting)) {
                if (later.contains(request.node().nodeId()) || request.opened().isDone()) {
                    continue;
                }
                if (hasRoom(request)) {
                    waiting.remove(request);
                    pool.lend(request);
                } else {
                    later.add(request.node().nodeId());
                    take(request.node());
                }
            }
        } finally {
            serving = false;
        }
        if (!waiting.isEmpty() && !retrying) {
            retrying = true;
            loop.schedule(this::retry, RETRY_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    private void retry() {
        retrying = false;
        serve();
    }

    /** Begins to take as many connections as are waited for, as far as sessions rest. */
    private void take(Node node) {
        if (pool.makeRoom(node)) {
            return; // one that another role has left; its end brings us back here
        }
        long wanted = waiting.stream()
                .filter(request -> Request.isSame(request.node(), node))
                .count();
        long coming = held.stream()
                .filter(one ->
                        one.check() != null && Request.isSame(one.backend().node(), node))
                .count();
        for (Held one : List.copyOf(held)) {
            if (coming >= wanted) {
                return;
            }
            if (Request.isSame(one.backend().node(), node) && one.isAvailable()) {
                coming++;
                check(one);
            }
        }
    }

    private void check(Held one) {
        BackendConnection backend = one.backend();
        String query = SessionRemains.query(backend, one.holder().knownSettings(backend));
        one.holder().taken(backend);
        CompletableFuture<Boolean> done = one.beginCheck();
        new IdleBackend(backend, one.key(), closed -> {});
        pool.call(backend, query, BackendPool.RESET_MILLIS).whenComplete((result, problem) -> {
            List<PinReason> remains = problem == null ? SessionRemains.reasons(result) : List.of();
            boolean kept = !remains.isEmpty() && one.holder().returned(backend);
            if (kept) {
                one.pin(remains).forEach(count::pinned);
                held.remove(one);
                held.add(one);
            } else {
                held.remove(one);
                pool.reset(backend, one.key());
            }
            done.complete(kept);
            serve();
        });
    }

    /** A connection is being opened. */
    void begins(Node node) {
        open.merge(node.nodeId(), 1, Integer::sum);
    }

    /** It could not be opened. */
    void failed(Node node) {
        open.merge(node.nodeId(), -1, Integer::sum);
        serve();
    }

    /** A connection has ended. */
    void ended(BackendConnection backend) {
        left(backend);
        failed(backend.node());
    }

    /** A session holds the connection from now on. */
    void held(BackendConnection backend, Request request) {
        if (isOn()) {
            held.add(new Held(backend, request.key(), request.holder()));
        }
    }

    /** The session does not hold it any more. */
    void left(BackendConnection backend) {
        if (isOn()) {
            held.removeIf(one -> one.backend() == backend);
        }
    }

    /** What is held and waited for now, beside these. */
    PoolContents contents(List<PoolContents.Unheld> unheld) {
        List<PoolContents.Unheld> all = new ArrayList<>(unheld);
        Map<BackendConnection, Map<PinReason, Long>> pins = new HashMap<>();
        for (Held one : held) {
            if (one.check() != null) {
                all.add(new PoolContents.Unheld(one.backend(), one.key(), PoolContents.Unheld.State.CHECKED));
            } else if (!one.pins().isEmpty()) {
                pins.put(one.backend(), one.pins());
            }
        }
        return new PoolContents(
                all,
                waiting.stream()
                        .map(request -> new PoolContents.Wait(request.node(), request.key(), request.askedNanos()))
                        .toList(),
                pins);
    }
}
