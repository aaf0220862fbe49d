package dev.tenantry.proxy.pool;

/**
 * How connections to nodes are kept and shared.
 *
 * @param idleMax connections that are kept for each node and event loop while no session holds them; 0 keeps none
 * @param idleMillis how long one is kept that nobody takes, ms
 * @param lifeMillis how old a connection may be that is still handed on, ms; each ends up to a tenth earlier, so that
 *     not all end at once
 * @param checkMillis after how long without use a node must answer before the connection is handed on, ms
 * @param sharing whether sessions share connections while they last
 */
public record PoolLimits(int idleMax, long idleMillis, long lifeMillis, long checkMillis, Sharing sharing) {

    /**
     * How sessions share connections: one that rests between two transactions may have to leave its connection to one
     * that has work for the same node.
     *
     * @param sizeMax connections to each node, of all event loops together; 0 when there is no limit and nothing is
     *     shared
     * @param waitMillis how long a session waits for a connection, ms
     * @param waitersMax how many sessions of an event loop wait for a node at a time
     */
    public record Sharing(int sizeMax, long waitMillis, int waitersMax) {

        /** Every session keeps what it has. */
        public static final Sharing NONE = new Sharing(0, 1, 0);

        /** Whether sessions share connections. */
        public boolean isOn() {
            return sizeMax > 0;
        }
    }

    /** Keeps nothing: every connection ends with its session. */
    public static final PoolLimits NONE = new PoolLimits(0, 1, 1, 1, Sharing.NONE);

    /** Shares up to 50 connections to each node, and keeps them for a minute each. */
    public static final PoolLimits SHARED = keeping(50).sharing(new Sharing(50, 30_000, 10_000));

    /** Keeps up to this many for a minute each. */
    public static PoolLimits keeping(int idleMax) {
        return new PoolLimits(idleMax, 60_000, 3_600_000, 5_000, Sharing.NONE);
    }

    /** The same, but for what is shared. */
    public PoolLimits sharing(Sharing other) {
        return new PoolLimits(idleMax, idleMillis, lifeMillis, checkMillis, other);
    }
}
