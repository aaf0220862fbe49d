package dev.tenantry.control.node.copy;

import dev.tenantry.sql.SqlName;
import dev.tenantry.store.ServerConnection;
import io.vertx.sqlclient.Row;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The expressions that sum up what is in the rows of tables, equal on servers of all versions for equal rows.
 *
 * <p>A row is hashed as a record, which takes a third of the time that its text takes, as far as the types of its
 * columns are hashed by nothing but what is in a value; the other columns are hashed as text. The hash of a record is
 * linear in those of its columns, so it is hashed once more: else a sum would not tell which value is in which row.
 */
final class RowSums {

    /** Of these types, values with equal hashes are equal in print, and the other way round. */
    private static final String COLUMNS = """
            SELECT c.relname::text, a.attname::text,
                   CASE WHEN a.atttypid = ANY ('{bool,int2,int4,int8,text,varchar,bytea,uuid,date,time,timestamp,
                                                 timestamptz}'::regtype[]::oid[]) THEN 'hashed'
                        WHEN a.atttypid = 'numeric'::regtype THEN 'numeric' ELSE 'text' END
            FROM pg_attribute a
            JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = $1 AND c.relname = ANY ($2) AND a.attnum > 0 AND NOT a.attisdropped
            ORDER BY a.attrelid, a.attnum
            """;

    private RowSums() {}

    private static final class Columns {
        private final List<String> hashed = new ArrayList<>();
        private final List<String> asText = new ArrayList<>();

        private void add(String name, String how) {
            String value = "t." + SqlName.quoted(name);
            switch (how) {
                case "hashed" -> hashed.add(value);
                // Its hash leaves out the scale, which its bytes have.
                case "numeric" -> hashed.add("numeric_send(" + value + ")");
                default -> asText.add(value);
            }
        }

        private String sum() {
            List<String> parts = new ArrayList<>(hashed);
            if (!asText.isEmpty() || parts.isEmpty()) {
                parts.add(row(asText) + "::text");
            }
            return "coalesce(sum(hashint8extended(hash_record_extended(" + row(parts) + ", 0), 0)), 0)::text";
        }

        private static String row(List<String> values) {
            return values.stream().collect(Collectors.joining(", ", "ROW(", ")"));
        }
    }

    /** The expressions by table; each table is to be called {@code t}. */
    static Map<String, String> of(ServerConnection connection, String schema, Collection<String> tables) {
        Map<String, Columns> columns = new HashMap<>();
        for (Row row : connection.query(COLUMNS, schema, tables.toArray(new String[0]))) {
            columns.computeIfAbsent(row.getString(0), first -> new Columns()).add(row.getString(1), row.getString(2));
        }
        return tables.stream()
                .collect(Collectors.toMap(
                        table -> table,
                        table -> columns.getOrDefault(table, new Columns()).sum()));
    }
}
