package dev.tenantry.activity;

import java.time.Instant;

/**
 * Something on a connection that keeps it with its session, as the node said when it was asked last, which is when
 * another session waits for a connection.
 *
 * @param sessionId the session
 * @param role its role
 * @param node the node's name
 * @param pid the node's process
 * @param reason what it is
 * @param since when it was found
 */
public record PinActivity(long sessionId, String role, String node, int pid, String reason, Instant since) {}
