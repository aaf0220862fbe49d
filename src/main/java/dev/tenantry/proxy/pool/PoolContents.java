package dev.tenantry.proxy.pool;

import dev.tenantry.catalog.Node;
import dev.tenantry.proxy.backend.BackendConnection;
import java.util.List;
import java.util.Map;

/**
 * What a pool knows at one moment that the sessions do not. The connections may only be looked at on the pool's loop.
 *
 * @param unheld connections that no session holds
 * @param waits who waits for a connection, in their order
 * @param pins connections that their sessions keep, with since when each reason is known, of {@link System#nanoTime()}
 */
public record PoolContents(List<Unheld> unheld, List<Wait> waits, Map<BackendConnection, Map<PinReason, Long>> pins) {

    /**
     * A connection that no session holds.
     *
     * @param key for which sessions it can be used
     * @param state what becomes of it
     */
    public record Unheld(BackendConnection backend, PoolKey key, State state) {
        /** What becomes of a connection that no session holds. */
        public enum State {
            /** The next session may have it. */
            IDLE,
            /** What its last session did to it is being discarded. */
            RESETTING,
            /** Its node is being asked whether it can be taken from its session. */
            CHECKED
        }
    }

    /**
     * A session waits for a connection.
     *
     * @param sinceNanos since when, of {@link System#nanoTime()}
     */
    public record Wait(Node node, PoolKey key, long sinceNanos) {}
}
