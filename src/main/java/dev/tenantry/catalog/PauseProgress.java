package dev.tenantry.catalog;

import java.util.Map;

/**
 * Tells how far the sessions of one proxy are with what is paused. An interface because its user, the control plane,
 * may not see its maker, the proxy.
 */
public interface PauseProgress {

    /** Names the proxy among all that ever were. */
    String proxyId();

    /**
     * Lets every session hear of these pauses, so that none begins a transaction there from now on; blocks, so only
     * from a virtual thread.
     *
     * @param ended called, from any thread, when the last of the counted sessions of a pause has ended its transaction;
     *     not for one that leaves meanwhile, and not for the sessions of a call before the last
     * @return by number of the pause, how many sessions are still in a transaction that was on its node before
     * @throws IllegalStateException when the proxy stops meanwhile
     */
    Map<Long, Integer> running(Pauses pauses, Runnable ended);
}
