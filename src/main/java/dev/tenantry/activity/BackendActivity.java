package dev.tenantry.activity;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A connection to a node.
 *
 * @param node the node's name
 * @param role who is signed in there
 * @param pid the node's process that serves it
 * @param sessionId the session that holds it, if one does
 * @param state what it is doing, in the words of {@code pg_stat_activity}; one that no session holds is {@code idle},
 *     {@code resetting} or {@code checked}
 * @param openedAt when it was opened
 * @param ageMs how long ago that was, ms
 * @param keptFor why it is still there: a statement or transaction that is not over, what its node found on it, its
 *     session, or the next one
 */
public record BackendActivity(
        String node,
        String role,
        int pid,
        @Nullable Long sessionId,
        String state,
        Instant openedAt,
        long ageMs,
        String keptFor) {}
