package dev.tenantry.proxy.server;

import dev.tenantry.activity.BackendActivity;
import dev.tenantry.activity.PinActivity;
import dev.tenantry.activity.SessionActivity;
import dev.tenantry.activity.TransactionActivity;
import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.pool.BackendPool;
import dev.tenantry.proxy.pool.PinReason;
import dev.tenantry.proxy.pool.PoolContents;
import dev.tenantry.proxy.pool.PoolKey;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Goes over the sessions and connections of one event loop, on that loop, some at a time, so that the loop's other work
 * goes on in between. What was found may be read by any thread when it is done.
 */
final class LoopSurvey {
    private static final int AT_A_TIME = 250;
    private static final long PAUSE_MILLIS = 1;

    private final BackendPool pool;
    private final List<ClientConnection> connections;
    private final Moment now;
    private final CompletableFuture<LoopSurvey> done = new CompletableFuture<>();
    private final List<SessionActivity> sessions = new ArrayList<>();
    private final List<TransactionActivity> transactions = new ArrayList<>();
    private final List<PinActivity> pins = new ArrayList<>();
    private final List<FoundBackend> backends = new ArrayList<>();
    private final Set<BackendConnection> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    private List<PoolContents.Wait> waits = List.of();
    private int next;

    /** A connection, and the key of those that can stand in for it. */
    record FoundBackend(BackendActivity shown, PoolKey key) {}

    LoopSurvey(BackendPool pool, List<ClientConnection> connections, Moment now) {
        this.pool = pool;
        this.connections = connections;
        this.now = now;
    }

    /** Begins; completes on the loop, or exceptionally when the loop has ended. */
    CompletableFuture<LoopSurvey> begin() {
        try {
            pool.loop().execute(this::goOn);
        } catch (RejectedExecutionException ended) {
            done.completeExceptionally(ended);
        }
        return done;
    }

    private void goOn() {
        try {
            PoolContents contents = pool.contents();
            int end = Math.min(connections.size(), next + AT_A_TIME);
            for (; next < end; next++) {
                look(connections.get(next), contents);
            }
            if (next < connections.size()) {
                pool.loop().schedule(this::goOn, PAUSE_MILLIS, TimeUnit.MILLISECONDS);
            } else {
                contents.unheld().forEach(this::unheld);
                waits = contents.waits();
                done.complete(this);
            }
        } catch (RuntimeException failed) {
            done.completeExceptionally(failed);
        }
    }

    private void look(ClientConnection connection, PoolContents contents) {
        ClientSession session = connection.session();
        if (session == null) {
            return;
        }
        SessionPortrait portrait = session.portrait();
        SessionPortrait.Identity identity = connection.identity();
        List<String> reasons = new ArrayList<>();
        for (BackendConnection backend : portrait.backends()) {
            Map<PinReason, Long> pinned = contents.pins().getOrDefault(backend, Map.of());
            List<String> words = pinned.keySet().stream().map(PinReason::text).toList();
            pinned.forEach((reason, since) -> pins.add(new PinActivity(
                    identity.sessionId(),
                    portrait.role(),
                    backend.node().name(),
                    backend.processId(),
                    reason.text(),
                    now.before(since))));
            reasons.addAll(words);
            if (seen.add(backend)) {
                String keptFor = words.isEmpty() ? portrait.use(backend, pool.isSharing()) : String.join(", ", words);
                found(backend, portrait.key(), identity.sessionId(), portrait.state(backend), keptFor);
            }
        }
        sessions.add(portrait.session(identity, now, reasons.stream().distinct().toList()));
        portrait.transaction(identity, now).ifPresent(transactions::add);
    }

    private void unheld(PoolContents.Unheld one) {
        if (seen.add(one.backend())) {
            String state = one.state().name().toLowerCase(Locale.ROOT);
            found(one.backend(), one.key(), null, state, "another session");
        }
    }

    private void found(BackendConnection backend, PoolKey key, @Nullable Long sessionId, String state, String keptFor) {
        long ageMillis = backend.ageMillis();
        backends.add(new FoundBackend(
                new BackendActivity(
                        backend.node().name(),
                        key.role().name(),
                        backend.processId(),
                        sessionId,
                        state,
                        now.time().minusMillis(ageMillis),
                        ageMillis,
                        keptFor),
                key));
    }

    List<SessionActivity> sessions() {
        return sessions;
    }

    List<TransactionActivity> transactions() {
        return transactions;
    }

    List<PinActivity> pins() {
        return pins;
    }

    List<FoundBackend> backends() {
        return backends;
    }

    /** Who waits for a connection. */
    List<PoolContents.Wait> waits() {
        return waits;
    }
}
