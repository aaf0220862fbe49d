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

    private PreparedTransactions() {}

    /** A prepared transaction, and how long it has been one. */
    public record Prepared(String gid, Duration age) {}

    /** All in the cluster's database whose name looks like ours. */
    public static List<Prepared> on(ServerConnection node) {
        List<Prepared> found = new ArrayList<>();
        node.query(FOUND)
                .forEach(row -> found.add(
                        new Prepared(row.getString(0), Duration.ofMillis(Math.round(row.getDouble(1) * 1000)))));
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
