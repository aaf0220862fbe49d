package dev.tenantry.activity;

import java.time.Instant;
import java.util.List;

/**
 * A session whose transaction uses several nodes and whose statement has run for a while, perhaps because it waits for
 * a lock.
 *
 * @param sessionId the session
 * @param begun when its transaction began
 * @param statement tells this statement from the session's other ones
 * @param processes those that the transaction has on nodes
 */
public record LockWaiter(long sessionId, Instant begun, long statement, List<NodeProcess> processes) {

    /**
     * A server process.
     *
     * @param nodeId the node's id
     * @param pid its number there
     */
    public record NodeProcess(int nodeId, int pid) {}
}
