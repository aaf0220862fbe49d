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
}
