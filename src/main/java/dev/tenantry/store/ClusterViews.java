package dev.tenantry.store;

import io.vertx.core.Vertx;
import io.vertx.sqlclient.Row;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Reads the views {@code citus_schemas}, {@code citus_shards}, {@code citus_tables} and {@code citus_nodes} page by
 * page. May be used from any number of virtual threads; a few are served at a time, the others wait their turn.
 */
public final class ClusterViews {

    private static final int AT_A_TIME = 4;
    private static final Duration ANSWER_MAX = Duration.ofSeconds(30);

    private static final String OF_SCHEMAS = """
            colocation_id IN (
                SELECT s.colocationid FROM tenantry.schema s JOIN pg_catalog.pg_namespace n ON n.oid = s.schemaid
                WHERE n.nspname = ANY ($1::text[]))
            """;

    private final Vertx vertx;
    private final CoordinatorAddress coordinator;
    private final Semaphore turns = new Semaphore(AT_A_TIME, true);

    /** Reads from that coordinator. */
    public ClusterViews(Vertx vertx, CoordinatorAddress coordinator) {
        this.vertx = vertx;
        this.coordinator = coordinator;
    }

    /** Some rows of a view, and how many there are. */
    public record Rows<T>(long total, List<T> items) {}

    /** A row of {@code citus_schemas}. */
    public record Schema(
            String schemaName,
            int colocationId,
            @Nullable String schemaSize,
            String schemaOwner,
            String nodename,
            int nodeport) {}

    /** A row of {@code citus_shards}. */
    public record Shard(
            String tableName,
            long shardid,
            String shardName,
            String citusTableType,
            int colocationId,
            String nodename,
            int nodeport,
            @Nullable Long shardSize) {}

    /** A row of {@code citus_tables}. */
    public record Table(
            String tableName,
            String citusTableType,
            String distributionColumn,
            int colocationId,
            @Nullable String tableSize,
            long shardCount,
            @Nullable String tableOwner,
            @Nullable String accessMethod) {}

    /** A row of {@code citus_nodes}. */
    public record ClusterNode(String nodename, int nodeport, String role, boolean active) {}

    /** Schemas, all of them when no names are given. */
    public Rows<Schema> schemas(List<String> names, int limit, int offset) {
        return read(
                "SELECT schema_name::text, colocation_id, schema_size, schema_owner, nodename, nodeport"
                        + " FROM tenantry.citus_schemas",
                names,
                limit,
                offset,
                row -> new Schema(
                        row.getString(1),
                        row.getInteger(2),
                        row.getString(3),
                        row.getString(4),
                        row.getString(5),
                        row.getInteger(6)));
    }

    /** Shards of these schemas, of all when no names are given. */
    public Rows<Shard> shards(List<String> names, int limit, int offset) {
        return read(
                "SELECT table_name, shardid, shard_name, citus_table_type, colocation_id, nodename, nodeport,"
                        + " shard_size FROM tenantry.citus_shards",
                names,
                limit,
                offset,
                row -> new Shard(
                        row.getString(1),
                        row.getLong(2),
                        row.getString(3),
                        row.getString(4),
                        row.getInteger(5),
                        row.getString(6),
                        row.getInteger(7),
                        row.getLong(8)));
    }

    /** Tables of these schemas, of all when no names are given. */
    public Rows<Table> tables(List<String> names, int limit, int offset) {
        return read(
                "SELECT table_name, citus_table_type, distribution_column, colocation_id, table_size, shard_count,"
                        + " table_owner, access_method FROM tenantry.citus_tables",
                names,
                limit,
                offset,
                row -> new Table(
                        row.getString(1),
                        row.getString(2),
                        row.getString(3),
                        row.getInteger(4),
                        row.getString(5),
                        row.getLong(6),
                        row.getString(7),
                        row.getString(8)));
    }

    /** Nodes; those that hold these schemas, all when no names are given. */
    public Rows<ClusterNode> nodes(List<String> names, int limit, int offset) {
        return read(
                """
                SELECT c.nodename, c.nodeport, c.role, c.active,
                       (SELECT min(s.colocationid)
                        FROM tenantry.node k JOIN tenantry.schema s USING (nodeid)
                        JOIN pg_catalog.pg_namespace p ON p.oid = s.schemaid
                        WHERE k.nodename = c.nodename AND k.nodeport = c.nodeport AND p.nspname = ANY ($1::text[]))
                       AS colocation_id
                FROM tenantry.citus_nodes c
                """,
                names,
                limit,
                offset,
                row -> new ClusterNode(row.getString(1), row.getInteger(2), row.getString(3), row.getBoolean(4)));
    }

    private <T> Rows<T> read(String select, List<String> names, int limit, int offset, Function<Row, T> item) {
        String filter = names.isEmpty() ? "cardinality($1::text[]) = 0" : OF_SCHEMAS;
        String sql = """
                WITH shown AS MATERIALIZED (SELECT * FROM (%s) AS view WHERE %s),
                     page AS (SELECT *, row_number() OVER () AS position FROM shown LIMIT $2 OFFSET $3)
                SELECT counted.total, page.* FROM (SELECT count(*) AS total FROM shown) AS counted
                LEFT JOIN page ON true ORDER BY page.position
                """.formatted(select, filter);
        List<T> items = new ArrayList<>();
        long total = 0;
        takeTurn();
        try (ServerConnection connection = ServerConnection.open(vertx, coordinator, ANSWER_MAX)) {
            for (Row row : connection.query(sql, names.toArray(new String[0]), (long) limit, (long) offset)) {
                total = row.getLong(0);
                if (row.getValue(1) != null) {
                    items.add(item.apply(row));
                }
            }
        } finally {
            turns.release();
        }
        return new Rows<>(total, items);
    }

    private void takeTurn() {
        try {
            if (!turns.tryAcquire(ANSWER_MAX.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new CatalogUnavailableException(
                        "too many requests for " + coordinator, new IllegalStateException("no turn"));
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new CatalogUnavailableException("interrupted", interrupted);
        }
    }
}
