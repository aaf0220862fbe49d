package dev.tenantry.proxy.pool;

import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.backend.BackendRefused;
import dev.tenantry.proxy.pool.NodeBudget.Claim;
import dev.tenantry.wire.SqlError;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The connections to one node that the sessions of an event loop share: who holds one, who waits. How many there may be
 * is a matter of all loops ({@link BudgetPart}). Whoever waits is served when a session rests, a connection ends or is
 * left, a node has answered, or another loop gives one up; beside that, once in a second it is looked for what no one
 * tells: what keeps a connection with its session may be gone. Lives on its event loop.
 */
final class NodeShare {
    private static final long LOOK_MILLIS = 1_000;

    /** How long a connection must not have been used to be given to a loop that has as many. */
    private static final long UNUSED_MILLIS = 100;

    private final int nodeId;
    private final BackendPool pool;
    private final PoolLimits.Sharing limits;
    private final PoolCount count;
    private final List<Held> held = new ArrayList<>();
    private final WaitQueue waiting = new WaitQueue();
    private final Set<BackendConnection> ending = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Set<BackendConnection> given = Collections.newSetFromMap(new IdentityHashMap<>());
    private final BudgetPart part;
    private boolean serving;
    private boolean again;
    private boolean looking;
    private boolean askable;

    NodeShare(int nodeId, BackendPool pool, PoolLimits.Sharing limits, PoolCount count) {
        this.nodeId = nodeId;
        this.part = new BudgetPart(pool.budget(nodeId), pool::onLoop, this::stirred);
        this.pool = pool;
        this.limits = limits;
        this.count = count;
    }

    /** A session wants a connection: it gets one, or waits for its turn. */
    void ask(Request request) {
        if (waiting.size() == 0 && hasRoom(request)) {
            pool.lend(request);
            part.settle(waiting.size() > 0);
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

    /** Transactions that hold other connections may exceed the limit, or they would wait for each other. */
    private boolean hasRoom(Request request) {
        return pool.hasIdle(request) || part.hasPlace(request.holder().holdsInTransaction());
    }

    /** A connection is to be opened for a request that has been let through: there is a place, or it waits again. */
    boolean begins(Request request) {
        boolean place = part.hasPlace(request.holder().holdsInTransaction());
        if (place) {
            part.use();
        } else {
            waiting.add(request);
            serve();
        }
        return place;
    }

    private SqlError exhausted(Request request) {
        return SqlError.error(
                        "53300", "no connection to node \"" + request.node().name() + "\" is free")
                .withDetail("Other sessions use all " + limits.sizeMax() + " connections that this proxy may have to"
                        + " the node, or too many wait for one.")
                .withHint("Raise tenantry.pool.size, or shorten what transactions do.");
    }

    /** Gives those who wait what has become free, or begins to take something for them. */
    void serve() {
        if (waiting.size() == 0 && part.isSettled()) {
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
                while (part.lastClaim() == Claim.NEXT && part.claim() == Claim.NEXT && giveUp(0)) {
                    // once for each that is wanted
                }
                for (Request next = waiting.peek(); next != null && serve(next); ) {
                    next = waiting.peek();
                }
            } while (again);
        } finally {
            serving = false;
        }
        part.settle(waiting.size() > 0);
        lookLater();
    }

    /** The budget of all loops has something for this one. */
    private void stirred() {
        serve();
        lookLater();
    }

    private void lookLater() {
        boolean unused = part.lastClaim() == Claim.UNUSED;
        if (!looking && (waiting.size() > 0 || part.lastClaim() != Claim.NONE)) {
            looking = true;
            long pause = Math.min(unused ? UNUSED_MILLIS : LOOK_MILLIS, limits.waitMillis());
            long now = System.nanoTime();
            for (Request request : waiting.all()) {
                pause = Math.min(pause, limits.waitMillis() - (now - request.askedNanos()) / 1_000_000);
            }
            pool.loop().schedule(this::look, Math.max(1, pause), TimeUnit.MILLISECONDS);
        }
    }

    private void look() {
        looking = false;
        long now = System.nanoTime();
        for (Request request : waiting.all()) {
            if (now - request.askedNanos() >= TimeUnit.MILLISECONDS.toNanos(limits.waitMillis())) {
                request.opened().completeExceptionally(new BackendRefused(request.node(), exhausted(request)));
            }
        }
        while (part.lastClaim() == Claim.UNUSED
                && waiting.size() == 0
                && part.claim() == Claim.UNUSED
                && giveUp(UNUSED_MILLIS)) {
            // once for each that is wanted
        }
        serve();
        lookLater();
    }

    /** Ends a connection for another loop, that has not been used for so long; it is opened again there. */
    private boolean giveUp(long unusedMillis) {
        BackendConnection idle = pool.takeIdle(nodeId, unusedMillis);
        if (idle != null) {
            give(idle);
            return true;
        }
        for (Held one : held) {
            if (one.isAvailable() && one.isUnused(unusedMillis) && pool.isTraceless(one.backend())) {
                give(take(one));
                return true;
            }
        }
        if (held.stream().noneMatch(one -> one.check() != null)) {
            held.stream()
                    .filter(one -> one.isAvailable() && one.isUnused(unusedMillis))
                    .findFirst()
                    .ifPresent(this::check); // when it is left, it is looked at here again
        }
        return false;
    }

    private void give(BackendConnection backend) {
        given.add(backend);
        part.gives();
        backend.leave(BackendPool.RESET_MILLIS);
    }

    /** Ends a connection that is of no use to those who wait, to make room for one that is. */
    private void makeRoom(BackendConnection backend) {
        ending.add(backend);
        backend.leave(BackendPool.RESET_MILLIS);
    }

    /** Takes a connection from its session. */
    private BackendConnection take(Held one) {
        held.remove(one);
        one.holder().taken(one.backend());
        new IdleBackend(one.backend(), one.key(), closed -> {});
        one.backend().autoRead(true);
        return one.backend();
    }

    /** Whether the request, the next one, has been served; if not, something may be on its way. */
    private boolean serve(Request request) {
        if (hasRoom(request)) {
            waiting.take(request);
            pool.lend(request);
            return true;
        }
        Held found = best(request);
        if (found != null && request.fits(found.backend(), found.key())) {
            held.remove(found);
            found.holder().taken(found.backend());
            waiting.take(request);
            pool.handOver(found.backend(), request);
            return true;
        }
        if (part.wantsPlace(request.holder().holdsInTransaction())) {
            return serve(request); // one has become free meanwhile
        }
        if (ending.size() < waiting.size()) { // else there will be room, and that brings us back here
            BackendConnection idle = pool.takeIdle(nodeId, 0);
            if (idle != null) {
                makeRoom(idle); // one that another role has left
            } else if (found != null) {
                makeRoom(take(found));
            } else if (askable) {
                checkMore();
            }
        }
        return false;
    }

    /** One that rests and can be taken as it is; best one with the settings that are wanted. */
    private @Nullable Held best(Request request) {
        Held best = null;
        int rank = 0;
        askable = false;
        for (Held one : held) {
            int its = 0;
            boolean available = one.isAvailable();
            askable |= available;
            if (available && pool.isTraceless(one.backend())) {
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
        String query = SessionRemains.query(
                backend,
                one.key().role().name(),
                one.holder().knownSettings(backend),
                pool.settingsOfRoutines(backend.node()));
        one.holder().taken(backend);
        CompletableFuture<Boolean> done = one.beginCheck();
        IdleBackend between = IdleBackend.returnable(backend, one.key());
        pool.call(backend, query, BackendPool.RESET_MILLIS).whenComplete((result, problem) -> {
            List<PinReason> remains = problem == null ? SessionRemains.reasons(result) : List.of();
            boolean kept = !remains.isEmpty() && one.holder().returned(backend);
            held.remove(one);
            if (kept) {
                one.pin(remains).forEach(count::pinned);
                held.add(one);
                between.returned();
            } else {
                pool.reset(backend, one.key());
            }
            done.complete(kept);
            serve();
        });
    }

    /** A connection could not be opened. */
    void failed() {
        part.ended(false);
        serve();
    }

    /** A connection has ended. */
    void ended(BackendConnection backend) {
        left(backend);
        ending.remove(backend);
        part.ended(given.remove(backend));
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
