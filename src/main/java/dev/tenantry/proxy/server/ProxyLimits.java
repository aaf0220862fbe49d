package dev.tenantry.proxy.server;

import dev.tenantry.proxy.pool.PoolLimits;

/**
 * What the proxy allows.
 *
 * @param eventLoops threads of the data path
 * @param connectionsMax client connections, those that have not signed in included
 * @param authenticationTimeoutMillis how long a client may take to sign in, ms
 * @param connectTimeoutMillis how long a node may take to accept a connection, ms
 * @param queryLengthMax bytes of a Query, Parse or Bind message that are looked at as a whole
 * @param statementCacheBytesMax bytes that each event loop remembers of statements seen before
 * @param pauseWaitTimeoutMillis how long a statement waits for the end of a pause, ms
 * @param pool how connections to nodes are kept and shared
 */
public record ProxyLimits(
        int eventLoops,
        int connectionsMax,
        int authenticationTimeoutMillis,
        int connectTimeoutMillis,
        int queryLengthMax,
        long statementCacheBytesMax,
        int pauseWaitTimeoutMillis,
        PoolLimits pool) {

    /** What suits a machine with this many cores. */
    public static ProxyLimits forCores(int cores) {
        return new ProxyLimits(Math.max(1, cores), 20_000, 60_000, 5_000, 16 << 20, 4 << 20, 30_000, PoolLimits.SHARED);
    }

    /** The same, but for how long a statement waits for the end of a pause. */
    public ProxyLimits withPauseWait(int timeoutMillis) {
        return new ProxyLimits(
                eventLoops,
                connectionsMax,
                authenticationTimeoutMillis,
                connectTimeoutMillis,
                queryLengthMax,
                statementCacheBytesMax,
                timeoutMillis,
                pool);
    }

    /** The same, but for the pool. */
    public ProxyLimits withPool(PoolLimits other) {
        return new ProxyLimits(
                eventLoops,
                connectionsMax,
                authenticationTimeoutMillis,
                connectTimeoutMillis,
                queryLengthMax,
                statementCacheBytesMax,
                pauseWaitTimeoutMillis,
                other);
    }
}
