package dev.tenantry.proxy.pool;

import dev.tenantry.proxy.backend.BackendConnection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A connection that a session holds. Lives on the connection's event loop. */
final class Held {
    private static final long PINNED_NANOS = 1_000_000_000;

    private final BackendConnection backend;
    private final PoolKey key;
    private final BackendHolder holder;
    private @Nullable CompletableFuture<Boolean> check;
    private Map<PinReason, Long> pins = Map.of();
    private long pinnedNanos;

    Held(BackendConnection backend, PoolKey key, BackendHolder holder) {
        this.backend = backend;
        this.key = key;
        this.holder = holder;
    }

    BackendConnection backend() {
        return backend;
    }

    PoolKey key() {
        return key;
    }

    BackendHolder holder() {
        return holder;
    }

    /** Whether it may be taken, as far as is known before the node has been asked. */
    boolean isAvailable() {
        boolean lately = !pins.isEmpty() && System.nanoTime() - pinnedNanos < PINNED_NANOS;
        return check == null && !lately && !backend.isClosed() && holder.rests(backend);
    }

    /** Whether its session has not used a node for so long. */
    boolean isUnused(long millis) {
        return millis == 0 || System.nanoTime() - holder.restsSinceNanos() >= millis * 1_000_000;
    }

    /** Whether the node is being asked what is on it; completes with whether the session has got it back. */
    @Nullable
    CompletableFuture<Boolean> check() {
        return check;
    }

    /** The node is asked from now on. */
    CompletableFuture<Boolean> beginCheck() {
        CompletableFuture<Boolean> begun = new CompletableFuture<>();
        check = begun;
        return begun;
    }

    /**
     * It has something on it that only its session can have; it is asked again after a while.
     *
     * @return what was not known of it before
     */
    List<PinReason> pin(List<PinReason> reasons) {
        check = null;
        pinnedNanos = System.nanoTime();
        Map<PinReason, Long> before = pins;
        Map<PinReason, Long> now = new EnumMap<>(PinReason.class);
        reasons.forEach(reason -> now.put(reason, before.getOrDefault(reason, pinnedNanos)));
        pins = Collections.unmodifiableMap(now);
        return reasons.stream().filter(reason -> !before.containsKey(reason)).toList();
    }

    /** What the node said when it was asked last, with since when it has, of {@link System#nanoTime()}. */
    Map<PinReason, Long> pins() {
        return pins;
    }
}
