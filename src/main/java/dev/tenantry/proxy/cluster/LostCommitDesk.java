package dev.tenantry.proxy.cluster;

import dev.tenantry.activity.LostCommits;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Where sessions leave the transactions that they can't end. What does not fit is found by the next look of whoever
 * looks after the cluster. Safe from any thread; never blocks.
 */
public final class LostCommitDesk implements LostCommits {

    private static final int LOST_MAX = 1000;

    private final Queue<Lost> lost = new LinkedBlockingQueue<>(LOST_MAX);
    private volatile Runnable action = () -> {};

    @Override
    public void onLost(Runnable told) {
        action = told;
    }

    @Override
    public List<Lost> lost() {
        List<Lost> taken = new ArrayList<>();
        for (Lost next = lost.poll(); next != null; next = lost.poll()) {
            taken.add(next);
        }
        return taken;
    }

    void leave(String gid, Set<Integer> nodeIds) {
        if (lost.offer(new Lost(gid, nodeIds))) {
            action.run();
        }
    }
}
