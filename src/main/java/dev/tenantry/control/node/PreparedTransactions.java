package dev.tenantry.control.node;

import dev.tenantry.sql.SqlName;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.store.StatementRefusedException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The prepared transactions of one node. */
public final class PreparedTransactions {

    private static final String UNDEFINED_OBJECT = "42704";

    private static final String FOUND = """
            SELECT gid, extract(epoch FROM clock_timestamp() - prepared)::float8
            FROM pg_catalog.pg_prepared_xacts
            WHERE database = current_database() AND gid LIKE 'tenantry\\_%'
            """;

    /** A server that has ended all its processes after the crash of one starts a new checkpointer too. */
    private static final String RUNNING = """
            SELECT extract(epoch FROM clock_timestamp() - backend_start)::float8
            FROM pg_catalog.pg_stat_activity WHERE backend_type = 'checkpointer'
            """;

    private PreparedTransactions() {}

    /** How long the node has kept its connections: since its start, or its recovery from a crash. */
    public static Duration running(ServerConnection node) {
        var rows = node.query(RUNNING).iterator();
        return rows.hasNext() ? seconds(rows.next().getDouble(0)) : Duration.ZERO;
    }

    private static Duration seconds(double seconds) {
        return Duration.ofMillis(Math.round(seconds * 1000));
    }

    /** A prepared transaction, and how long it has been one. */
    public record Prepared(String gid, Duration age) {}

    /** All in the cluster's database whose name looks like ours. */
    public static List<Prepared> on(ServerConnection node) {
        List<Prepared> found = new ArrayList<>();
        node.query(FOUND).forEach(row -> found.add(new Prepared(row.getString(0), seconds(row.getDouble(1)))));
        return found;
    }

    /** Prepares the open transaction under that name. */
    public static void prepare(ServerConnection node, String gid) {
        node.query("PREPARE TRANSACTION " + SqlName.literal(gid));
    }

    /** Commits one; harmless when somebody was faster. */
    public static void commit(ServerConnection node, String gid) {
        finish(node, "COMMIT PREPARED " + SqlName.literal(gid));
    }

    /** Rolls one back; harmless when somebody was faster. */
    public static void rollback(ServerConnection node, String gid) {
        finish(node, "ROLLBACK PREPARED " + SqlName.literal(gid));
    }

    private static void finish(ServerConnection node, String command) {
        try {
            node.query(command);
        } catch (StatementRefusedException refused) {
            if (!refused.sqlState().equals(UNDEFINED_OBJECT)) {
                throw refused;
            }
        }
    }
}
