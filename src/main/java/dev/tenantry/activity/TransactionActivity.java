package dev.tenantry.activity;

import java.time.Instant;
import java.util.List;

/**
 * An open transaction block.
 *
 * @param sessionId the session
 * @param role its role
 * @param state what the session is doing, as {@link SessionActivity#state()}
 * @param nodes the nodes that are in it, in the order they came in
 * @param distributed whether its end needs more than one node
 * @param xactStart when it began
 * @param ageMs how long ago that was, ms
 */
public record TransactionActivity(
        long sessionId,
        String role,
        String state,
        List<String> nodes,
        boolean distributed,
        Instant xactStart,
        long ageMs) {}
