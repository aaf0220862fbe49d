package dev.tenantry.activity;

import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Tells what one proxy is doing; other proxies of the cluster are asked themselves. May be asked on any thread and
 * never blocks; answers come on a thread of the proxy's. Each part of an answer was true at some moment between the
 * question and the answer, not all of them at the same.
 */
public interface ActivityReader {

    /** The sessions, the oldest first. */
    CompletableFuture<List<SessionActivity>> sessions(Viewer viewer);

    /** The connections to nodes, by node. */
    CompletableFuture<List<BackendActivity>> backends(Viewer viewer);

    /** Those that can stand in for each other, counted, by node. */
    CompletableFuture<List<PoolActivity>> pools(Viewer viewer);

    /** What keeps connections with their sessions, the longest known first. */
    CompletableFuture<List<PinActivity>> pins(Viewer viewer);

    /** The open transaction blocks, the oldest first. */
    CompletableFuture<List<TransactionActivity>> transactions(Viewer viewer);
}
