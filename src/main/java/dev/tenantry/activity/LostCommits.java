package dev.tenantry.activity;

import java.util.List;
import java.util.Set;

/**
 * Transactions over several nodes that a proxy has begun to commit and can't end itself any more, because it has lost
 * connections that it would need. It touches them no more. Safe from any thread; never blocks.
 */
public interface LostCommits {

    /**
     * One of them.
     *
     * @param gid its global id
     * @param nodeIds where it may be prepared, or become so in a moment
     */
    record Lost(String gid, Set<Integer> nodeIds) {}

    /** They come from now on, and the action, which must not block, is run for each one. */
    void onLost(Runnable action);

    /** Those that have come since the last call; when there are very many, not all. */
    List<Lost> lost();
}
