package dev.tenantry.proxy.pool;

/**
 * How long connections to nodes are kept.
 *
 * @param idleMax connections that are kept for each node and event loop while no session holds them; 0 keeps none
 * @param idleMillis how long one is kept that nobody takes, ms
 * @param lifeMillis how old a connection may be that is still handed on, ms; each ends up to a tenth earlier, so that
 *     not all end at once
 * @param checkMillis after how long without use a node must answer before the connection is handed on, ms
 */
public record PoolLimits(int idleMax, long idleMillis, long lifeMillis, long checkMillis) {

    /** Keeps nothing: every connection ends with its session. */
    public static final PoolLimits NONE = new PoolLimits(0, 1, 1, 1);

    /** As configured where nothing is configured, for this many event loops. */
    public static PoolLimits standard(int eventLoops) {
        return new PoolLimits(Math.max(1, 50 / eventLoops), 60_000, 3_600_000, 5_000);
    }
}
