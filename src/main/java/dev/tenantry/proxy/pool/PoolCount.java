package dev.tenantry.proxy.pool;

/** Told of what happens to connections in the pools. Called on any event loop. */
public interface PoolCount {

    /** One more, or one less, to this node is idle, that is held by no session. */
    void idle(String node, int change);

    /** Something new was found on a connection that keeps it with its session. */
    void pinned(PinReason reason);
}
