package dev.tenantry.control.node.copy;

import dev.tenantry.control.node.copy.RowComparison.Rows;
import dev.tenantry.sql.SqlName;
import dev.tenantry.store.CopyConnection;
import dev.tenantry.store.ServerConnection;
import java.util.List;

/**
 * Reads whole tables to sum up their rows in this process, as a connection sees them that has fixed that. COPY of a
 * table is no query: the server plans nothing and calls nothing but the output of types. Used by one thread.
 */
final class RowReader implements AutoCloseable {

    private static final String NAME = "tenantry control";

    private final CopyConnection reading;

    /** Opens one more connection to the same server. */
    RowReader(ServerConnection fixed) {
        String snapshot =
                fixed.query("SELECT pg_export_snapshot()").iterator().next().getString(0);
        reading = CopyConnection.open(fixed.address(), NAME);
        boolean complete = false;
        try {
            reading.row("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
            reading.row("SET TRANSACTION SNAPSHOT " + SqlName.literal(snapshot));
            reading.row(RowText.settings("SET LOCAL"));
            complete = true;
        } finally {
            if (!complete) {
                reading.close();
            }
        }
    }

    /** Of the values of these columns; generated ones are not read. */
    Rows sum(String schema, String table, List<String> columns) {
        RowDigest digest = new RowDigest();
        reading.read(TablePart.whole(table, columns).copyTo(schema), digest);
        return digest.rows();
    }

    @Override
    public void close() {
        reading.close();
    }
}
