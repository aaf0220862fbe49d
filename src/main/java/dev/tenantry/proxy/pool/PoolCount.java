package dev.tenantry.proxy.pool;

/** Told of each connection that begins or ends to be idle, that is held by no session. */
public interface PoolCount {

    /** One more, or one less, to this node. */
    void idle(String node, int change);
}
