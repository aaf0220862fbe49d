package dev.tenantry.store;

import dev.tenantry.activity.LockWaiter;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Asks a node, or the coordinator for all proxies, who waits for locks. For a virtual thread. */
public final class LockWaits {

    private static final String ON_NODE = """
            SELECT l.pid, b.pid, coalesce(l.waitstart::text, '')
            FROM pg_catalog.pg_locks l CROSS JOIN LATERAL unnest(pg_catalog.pg_blocking_pids(l.pid)) b (pid)
            WHERE NOT l.granted AND b.pid <> 0
            """;

    private LockWaits() {}

    /** A process waits for another one of the same server. */
    public record Wait(int pid, int blocker, String since) {}

    /** A transaction over several nodes of some proxy that has waited for a while. */
    public record Noted(String proxy, LockWaiter waiter) {}

    /** All waits of one server. */
    public static List<Wait> on(ServerConnection node) {
        List<Wait> waits = new ArrayList<>();
        node.query(ON_NODE).forEach(row -> waits.add(new Wait(row.getInteger(0), row.getInteger(1), row.getString(2))));
        return waits;
    }

    /** Replaces what the coordinator knows of one proxy, and returns what it knows of all. */
    public static List<Noted> note(ServerConnection coordinator, String proxy, List<LockWaiter> waiters) {
        JsonArray rows = new JsonArray();
        for (LockWaiter waiter : waiters) {
            for (LockWaiter.NodeProcess process : waiter.processes()) {
                rows.add(new JsonObject()
                        .put("sessionid", waiter.sessionId())
                        .put("begun", waiter.begun().toString())
                        .put("nodeid", process.nodeId())
                        .put("pid", process.pid()));
            }
        }
        record Key(String proxy, long sessionId, Instant begun) {}
        Map<Key, List<LockWaiter.NodeProcess>> found = new LinkedHashMap<>();
        coordinator
                .query("SELECT proxy, sessionid, begun, nodeid, pid FROM tenantry.note_lock_waits($1, $2)", proxy, rows)
                .forEach(row -> found.computeIfAbsent(
                                new Key(
                                        row.getString(0),
                                        row.getLong(1),
                                        row.get(OffsetDateTime.class, 2).toInstant()),
                                first -> new ArrayList<>())
                        .add(new LockWaiter.NodeProcess(row.getInteger(3), row.getInteger(4))));
        List<Noted> noted = new ArrayList<>();
        found.forEach((key, processes) ->
                noted.add(new Noted(key.proxy(), new LockWaiter(key.sessionId(), key.begun(), 0, processes))));
        return noted;
    }
}
