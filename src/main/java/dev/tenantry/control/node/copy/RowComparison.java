package dev.tenantry.control.node.copy;

import dev.tenantry.sql.SqlName;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.ServerConnection;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Compares the rows of both sides as they were at one moment, while both go on. {@link #fix} is called on each side
 * when it is as the other was then; what comes after that is not seen.
 */
public final class RowComparison {

    private final ServerConnection source;
    private final ServerConnection target;
    private final String schema;
    private final Map<String, List<String>> whole;
    private final Map<String, CoordinatorAddress> readers;

    /**
     * Of one schema.
     *
     * @param source patient, as is the target; both see what was fixed
     * @param whole the columns that hold values, by table, of those of {@link RowAccess#whole}; their rows are read and
     *     summed up here
     * @param readers as those of {@link RowAccess}; on the target, nobody else can alter tables
     */
    public RowComparison(
            ServerConnection source,
            ServerConnection target,
            String schema,
            Map<String, List<String>> whole,
            Map<String, CoordinatorAddress> readers) {
        this.source = source;
        this.target = target;
        this.schema = schema;
        this.whole = Map.copyOf(whole);
        this.readers = Map.copyOf(readers);
    }

    /** Rows of a table, and a sum over what is in them. */
    record Rows(long count, String sum) {}

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
     * Counts the rows of tables on both sides at the same time.
     *
     * @param withSums whether to compare a checksum of all values too
     * @return one sentence for each table that differs
     */
    public List<String> differences(Collection<String> tables, boolean withSums) throws InterruptedException {
        List<String> asked = new ArrayList<>(tables);
        asked.removeAll(whole.keySet());
        List<String> read = new ArrayList<>(tables);
        read.retainAll(whole.keySet());
        // Both sides are asked in the words of the source's definition.
        Map<String, String> sums = withSums ? RowSums.of(source, schema, asked) : Map.of();
        Map<String, String> queries = new LinkedHashMap<>();
        asked.forEach(table -> queries.put(table, sums.getOrDefault(table, "''")));
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<Map<String, Rows>> there = threads.submit(() -> rows(source, queries, read, readers));
            Future<Map<String, Rows>> here = threads.submit(() -> rows(target, queries, read, Map.of()));
            Map<String, Rows> expected = Outcomes.of(there);
            Map<String, Rows> found = Outcomes.of(here);
            List<String> differences = new ArrayList<>();
            expected.forEach(
                    (table, rows) -> differing(table, rows, found.get(table)).ifPresent(differences::add));
            return differences;
        }
    }

    private Optional<String> differing(String table, Rows rows, @Nullable Rows copied) {
        if (copied == null || copied.count() != rows.count()) {
            return Optional.of("table %s has %d rows and its copy has %d"
                    .formatted(Source.qualified(schema, table), rows.count(), copied == null ? 0 : copied.count()));
        }
        return copied.equals(rows)
                ? Optional.empty()
                : Optional.of("table %s and its copy have different values".formatted(Source.qualified(schema, table)));
    }

    /**
     * Of one side.
     *
     * @param sums of tables that are asked about, by table
     * @param read tables that are read
     * @param logins as whom to ask, by table, if not as the control plane
     */
    private Map<String, Rows> rows(
            ServerConnection connection,
            Map<String, String> sums,
            List<String> read,
            Map<String, CoordinatorAddress> logins) {
        Map<String, Rows> found = new LinkedHashMap<>();
        ask(connection, sums, logins, found);
        Map<CoordinatorAddress, List<String>> asked = new LinkedHashMap<>();
        sums.keySet().stream()
                .filter(logins::containsKey)
                .forEach(table -> asked.computeIfAbsent(logins.get(table), first -> new ArrayList<>())
                        .add(table));
        asked.forEach((login, tables) -> {
            try (RowReader reader = RowReader.as(login, connection)) {
                tables.forEach(table -> found.put(table, reader.ask(schema, table, sums.getOrDefault(table, "''"))));
            }
        });
        if (!read.isEmpty()) {
            try (RowReader reader = RowReader.like(connection)) {
                read.forEach(table ->
                        found.put(table, reader.sum(schema, table, whole.getOrDefault(table, List.of()))));
            }
        }
        return found;
    }

    private void ask(
            ServerConnection connection,
            Map<String, String> sums,
            Map<String, CoordinatorAddress> logins,
            Map<String, Rows> found) {
        String query = sums.entrySet().stream()
                .filter(sum -> !logins.containsKey(sum.getKey()))
                .map(sum -> "SELECT " + SqlName.literal(sum.getKey()) + "::text, count(*), " + sum.getValue()
                        + " FROM ONLY " + Source.qualified(schema, sum.getKey()) + " AS t")
                .collect(Collectors.joining(" UNION ALL "));
        if (!query.isEmpty()) {
            connection.query(TablesOnly.LOCAL); // not before the side is fixed, which any query does
            connection
                    .query(query)
                    .forEach(row -> found.put(row.getString(0), new Rows(row.getLong(1), row.getString(2))));
        }
    }
}
