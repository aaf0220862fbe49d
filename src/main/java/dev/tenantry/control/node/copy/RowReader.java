package dev.tenantry.control.node.copy;

import dev.tenantry.control.node.copy.RowComparison.Rows;
import dev.tenantry.sql.SqlName;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.CopyConnection;
import dev.tenantry.store.ServerConnection;
import java.util.List;

/**
 * Reads tables over a connection of its own, as another one sees them that has fixed that. Used by one thread.
 */
final class RowReader implements AutoCloseable {

    private static final String NAME = "tenantry control";

    private final CopyConnection reading;

    private RowReader(CopyConnection reading, ServerConnection fixed) {
        this.reading = reading;
        boolean complete = false;
        try {
            String snapshot =
                    fixed.query("SELECT pg_export_snapshot()").iterator().next().getString(0);
            reading.row("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
            reading.row("SET TRANSACTION SNAPSHOT " + SqlName.literal(snapshot));
            reading.row(RowText.settings("SET LOCAL"));
            reading.row(TablesOnly.LOCAL);
            complete = true;
        } finally {
            if (!complete) {
                reading.close();
            }
        }
    }

    /** One more connection to the same server, as the same role. */
    static RowReader like(ServerConnection fixed) {
        return new RowReader(CopyConnection.open(fixed.address(), NAME), fixed);
    }

    /** One for one of {@link OwnerLogins}. */
    static RowReader as(CoordinatorAddress login, ServerConnection fixed) {
        return new RowReader(OwnerLogins.open(login, NAME), fixed);
    }

    /**
     * Sums up the values of these columns in this process; generated ones are not read. COPY of a whole table is no
     * query: the server plans nothing and calls nothing but the output of types.
     */
    Rows sum(String schema, String table, List<String> columns) {
        RowDigest digest = new RowDigest();
        reading.read(TablePart.whole(table, columns).copyTo(schema), digest);
        return digest.rows();
    }

    /** Has the server count and sum up. */
    Rows ask(String schema, String table, String sum) {
        List<String> found =
                reading.row("SELECT count(*), " + sum + " FROM ONLY " + Source.qualified(schema, table) + " AS t");
        return new Rows(Long.parseLong(found.get(0)), found.get(1));
    }

    @Override
    public void close() {
        reading.close();
    }
}
