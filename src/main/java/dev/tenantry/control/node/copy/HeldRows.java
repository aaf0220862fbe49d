package dev.tenantry.control.node.copy;

import dev.tenantry.sql.SqlName;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.store.StatementRefusedException;
import io.vertx.sqlclient.Row;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Copies rows of tables that nobody can write to at the moment, through this process: each as the text of a row, which
 * means the same on servers of all versions. For what is small; everything else is left to replication.
 */
public final class HeldRows {

    /** Rows may be large, and a batch is in memory. */
    private static final int BATCH = 200;

    private static final String SETTINGS =
            "BEGIN; " + RowText.settings("SET LOCAL") + "; SET LOCAL search_path = pg_catalog";

    private final ServerConnection source;
    private final ServerConnection target;

    /** Uses connections that the caller opened, that nobody else uses, and that it will close. */
    public HeldRows(ServerConnection source, ServerConnection target) {
        this.source = source;
        this.target = target;
    }

    /**
     * Puts the rows of these tables in the place of those on the target; all or none. Triggers, rules and foreign keys
     * do not look at them.
     *
     * @param columns the columns that hold values, by table
     * @param max how long it may take
     * @return false if it did not come to its end in time, and all is as it was
     */
    public boolean copy(String schema, Map<String, List<String>> columns, Duration max) {
        long end = System.nanoTime() + max.toNanos();
        if (max.toMillis() <= 0) {
            return false;
        }
        String limit = "; SET LOCAL statement_timeout = " + max.toMillis();
        boolean copied = false;
        try {
            source.query(SETTINGS + limit + "; " + TablesOnly.LOCAL);
            target.query(SETTINGS + limit + "; SET LOCAL session_replication_role = replica; TRUNCATE "
                    + columns.keySet().stream()
                            .map(table -> "ONLY " + Source.qualified(schema, table))
                            .collect(Collectors.joining(", ")));
            copied = columns.entrySet().stream().allMatch(table -> copy(schema, table.getKey(), table.getValue(), end));
        } catch (StatementRefusedException refused) {
            if (!SqlStates.IN_THE_WAY.contains(refused.sqlState())) {
                throw refused;
            }
        } finally {
            source.query("ROLLBACK");
            target.query(copied ? "COMMIT" : "ROLLBACK");
        }
        return copied;
    }

    private boolean copy(String schema, String table, List<String> columns, long end) {
        String name = Source.qualified(schema, table);
        String insert = columns.isEmpty()
                ? "INSERT INTO " + name + " SELECT FROM unnest($1::text[])"
                : "INSERT INTO " + name + " ("
                        + columns.stream().map(SqlName::quoted).collect(Collectors.joining(", "))
                        + ") OVERRIDING SYSTEM VALUE SELECT "
                        + columns.stream()
                                .map(column -> "(held.row)." + SqlName.quoted(column))
                                .collect(Collectors.joining(", "))
                        // Read once, and not once for each column.
                        + " FROM (SELECT each::" + name + " AS row FROM unnest($1::text[]) AS each OFFSET 0) AS held";
        source.query("DECLARE held NO SCROLL CURSOR FOR SELECT ROW(held.*)::text FROM ONLY " + name + " AS held");
        while (System.nanoTime() < end) {
            List<String> rows = new ArrayList<>();
            for (Row row : source.query("FETCH " + BATCH + " FROM held")) {
                rows.add(row.getString(0));
            }
            if (rows.isEmpty()) {
                source.query("CLOSE held");
                return true;
            }
            target.query(insert, (Object) rows.toArray(new String[0]));
        }
        return false;
    }
}
