package dev.tenantry.activity;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A client's session.
 *
 * @param sessionId what the client was given as its process id, by which it cancels
 * @param clientAddr the client's address
 * @param clientPort its port
 * @param role who signed in
 * @param applicationName as far as the proxy knows it
 * @param schema the first distributed schema of the search_path
 * @param node the node that holds it
 * @param state what it is doing, in the words of {@code pg_stat_activity}, or that it waits for a connection
 * @param stateSince since when
 * @param sessionStart when it signed in
 * @param xactStart when its transaction began, if it is in one
 * @param pinReasons why it can't do without the connections that it holds, as their nodes said when asked last
 */
public record SessionActivity(
        long sessionId,
        String clientAddr,
        int clientPort,
        String role,
        String applicationName,
        @Nullable String schema,
        @Nullable String node,
        String state,
        Instant stateSince,
        Instant sessionStart,
        @Nullable Instant xactStart,
        List<String> pinReasons) {}
