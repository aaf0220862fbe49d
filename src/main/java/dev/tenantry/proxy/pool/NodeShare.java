package dev.tenantry.proxy.pool;

import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.backend.BackendRefused;
import dev.tenantry.wire.SqlError;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The connections to one node that the sessions of an event loop share: how many there are, who holds one, who waits.
 * Lives on that loop.
 */
final class NodeShare {
    private static final long LOOK_MILLIS_MAX = 250;

    private final BackendPool pool;
    private final PoolLimits.Sharing limits;
    private final PoolCount count;
    private final List<Held> held = new ArrayList<>();
    private final WaitQueue waiting = new WaitQueue();
    private int open;
    private boolean serving;
    private boolean again;
    private boolean looking;

    NodeShare(BackendPool pool, PoolLimits.Sharing limits, PoolCount count) {
        this.pool = pool;
        this.limits = limits;
        this.count = count;
    }

    /** A session wants a connection: it gets one, or waits for its turn. */
    void ask(Request request) {
        if (waiting.size() == 0 && hasRoom(request)) {
            pool.lend(request);
            return;
        }
        if (waiting.size() >= limits.waitersMax()) {
            request.opened().completeExceptionally(new BackendRefused(request.node(), exhausted(request)));
            return;
        }
        waiting.add(request);
        serve();
    }

    /** The connection that the session has, or gets back if it must, when the node has been asked about it. */
    @Nullable
    Held own(Request request) {
        for (Held one : held) {
            if (one.holder() == request.holder() && request.isFor(one.backend())) {
                return one;
            }
        }
        return null;
    }

    /** Transactions that hold other connections may exceed the limit by half, or they would wait for each other. */
    private boolean hasRoom(Request request) {
        int reserve = request.holder().holdsInTransaction() ? (limits.sizeMax() + 1) / 2 : 0;
        return pool.hasIdle(request) || open < limits.sizeMax() + reserve;
    }

    private SqlError exhausted(Request request) {
        return SqlError.error(
                        "53300", "no connection to node \"" + request.node().name() + "\" is free")
                .withDetail("Other sessions use all " + limits.sizeMax() + " connections that each event loop of this"
                        + " proxy may have to the node, or too many wait for one.")
                .withHint("Raise tenantry.pool.size, or shorten what transactions do.");
    }

    /** Gives those who wait what has become free, or begins to take something for them. */
    void serve() {
        if (waiting.size() == 0) {
            return;
        }
        if (serving) {
            again = true; // who was served has rested at once
            return;
        }
        serving = true;
        try {
            do {
                again = false;
                for (Request next = waiting.peek(); next != null && serve(next); ) {
                    next = waiting.peek();
                }
            } while (again);
        } finally {
            serving = false;
        }
        if (waiting.size() > 0 && !looking) {
            looking = true;
            long pause = Math.max(1, Math.min(LOOK_MILLIS_MAX, limits.waitMillis() / 4));
            pool.loop().schedule(this::look, pause, TimeUnit.MILLISECONDS);
        }
    }

    /** Not everything that ends a wait is told: time passes, and what kept a connection may be gone. */
    private void look() {
        looking = false;
        long now = System.nanoTime();
        for (Request request : waiting.all()) {
            if (now - request.askedNanos() >= TimeUnit.MILLISECONDS.toNanos(limits.waitMillis())) {
                request.opened().completeExceptionally(new BackendRefused(request.node(), exhausted(request)));
            }
        }
        serve();
    }

    /** Whether the request, the next one, has been served; if not, something may be on its way. */
    private boolean serve(Request request) {
        if (hasRoom(request)) {
            waiting.take(request);
            pool.lend(request);
            return true;
        }
        if (pool.makeRoom(request.node())) {
            return false; // one that another role has left; its end brings us back here
        }
        Held found = best(request);
        if (found == null) {
            checkMore();
            return false;
        }
        BackendConnection backend = found.backend();
        held.remove(found);
        found.holder().taken(backend);
        if (!request.fits(backend, found.key())) {
            backend.terminate(); // its end brings us back here
            return false;
        }
        waiting.take(request);
        pool.handOver(backend, request);
        return true;
    }

    /** One that rests and can be taken as it is; best one with the settings that are wanted. */
    private @Nullable Held best(Request request) {
        Held best = null;
        int rank = 0;
        for (Held one : held) {
            int its = 0;
            if (one.isAvailable() && pool.isTraceless(one.backend())) {
                boolean fits = request.fits(one.backend(), one.key())
                        && (!one.holder().usesCustomSettings()
                                || request.holder().usesCustomSettings());
                its = !fits ? 1 : request.holder().isLabel(one.backend()) ? 3 : 2;
            }
            if (its > rank) {
                rank = its;
                best = one;
            }
        }
        return best;
    }

    /** Has the node asked about as many connections as are waited for, as far as sessions rest. */
    private void checkMore() {
        int coming = (int) held.stream().filter(one -> one.check() != null).count();
        for (Held one : List.copyOf(held)) {
            if (coming >= waiting.size()) {
                return;
            }
            if (one.isAvailable()) {
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
            held.remove(one);
            if (kept) {
                one.pin(remains).forEach(count::pinned);
                held.add(one);
            } else {
                pool.reset(backend, one.key());
            }
            done.complete(kept);
            serve();
        });
    }

    void begins() {
        open++;
    }

    void failed() {
        open--;
        serve();
    }

    void held(BackendConnection backend, Request request) {
        held.add(new Held(backend, request.key(), request.holder()));
    }

    void left(BackendConnection backend) {
        held.removeIf(one -> one.backend() == backend);
    }

    void addTo(PoolContents contents) {
        for (Held one : held) {
            Map<PinReason, Long> pins = new EnumMap<>(PinReason.class);
            pins.putAll(one.pins());
            pins.putAll(one.holder().pins(one.backend()));
            if (one.check() != null) {
                contents.unheld()
                        .add(new PoolContents.Unheld(one.backend(), one.key(), PoolContents.Unheld.State.CHECKED));
            } else if (!pins.isEmpty()) {
                contents.pins().put(one.backend(), pins);
            }
        }
        waiting.all()
                .forEach(request -> contents.waits()
                        .add(new PoolContents.Wait(request.node(), request.key(), request.askedNanos())));
    }
}
