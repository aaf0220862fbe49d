package dev.tenantry.control.node.copy;

import dev.tenantry.sql.SqlName;
import dev.tenantry.store.ServerConnection;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;

/**
 * Compares the rows of both sides as they were at one moment, while both go on. {@link #fix} is called on each side
 * when it is as the other was then; what comes after that is not seen.
 */
public final class RowComparison {

    private RowComparison() {}

    /** Rows of a table, and a sum over what is in them. */
    private record Rows(long count, String sum) {}

    /** Begins what {@link #fix} and {@link #differences} go on with. */
    public static void begin(ServerConnection patient) {
        patient.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; " + RowText.settings("SET LOCAL"));
    }

    /** Fixes what a connection sees from now on. */
    public static void fix(ServerConnection patient) {
        patient.query("SELECT 1");
    }

    /** Lets a connection see what is there again. */
    public static void release(ServerConnection patient) {
        patient.query("ROLLBACK");
    }

    /**
     * Counts the rows of all tables on both sides at the same time.
     *
     * @param withSums whether to compare a checksum of all values too
     * @return one sentence for each table that differs
     */
    public static List<String> differences(
            ServerConnection source,
            ServerConnection target,
            String schema,
            Collection<String> tables,
            boolean withSums)
            throws InterruptedException {
        // Both sides are asked in the words of the source's definition.
        Map<String, String> sums = withSums ? RowSums.of(source, schema, tables) : Map.of();
        String query = tables.stream()
                .map(table -> "SELECT " + SqlName.literal(table) + "::text, count(*), " + sums.getOrDefault(table, "''")
                        + " FROM ONLY " + Source.qualified(schema, table) + " AS t")
                .collect(Collectors.joining(" UNION ALL "));
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<Map<String, Rows>> there = threads.submit(() -> rows(source, query));
            Future<Map<String, Rows>> here = threads.submit(() -> rows(target, query));
            Map<String, Rows> expected = Outcomes.of(there);
            Map<String, Rows> found = Outcomes.of(here);
            List<String> differences = new ArrayList<>();
            expected.forEach((table, rows) -> {
                Rows copied = found.get(table);
                if (copied == null || copied.count() != rows.count()) {
                    differences.add("table %s has %d rows and its copy has %d"
                            .formatted(
                                    Source.qualified(schema, table),
                                    rows.count(),
                                    copied == null ? 0 : copied.count()));
                } else if (!copied.equals(rows)) {
                    differences.add(
                            "table %s and its copy have different values".formatted(Source.qualified(schema, table)));
                }
            });
            return differences;
        }
    }

    private static Map<String, Rows> rows(ServerConnection connection, String query) {
        Map<String, Rows> found = new LinkedHashMap<>();
        connection.query(query).forEach(row -> found.put(row.getString(0), new Rows(row.getLong(1), row.getString(2))));
        return found;
    }
}
