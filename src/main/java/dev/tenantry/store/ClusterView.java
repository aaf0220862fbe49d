package dev.tenantry.store;

import io.vertx.sqlclient.Row;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A view of the cluster as programs read it: the columns asked for, and what becomes of a row. The first column of a
 * view counts from 1, because the number of all rows comes before it.
 *
 * @param <T> a row
 */
public final class ClusterView<T> {

    /** {@code citus_schemas}. */
    public static final ClusterView<Schema> SCHEMAS = new ClusterView<>(
            "SELECT schema_name::text, colocation_id, schema_size, schema_owner, nodename, nodeport"
                    + " FROM tenantry.citus_schemas",
            row -> new Schema(
                    row.getString(1),
                    row.getInteger(2),
                    row.getString(3),
                    row.getString(4),
                    row.getString(5),
                    row.getInteger(6)));

    /** {@code citus_shards}. */
    public static final ClusterView<Shard> SHARDS = new ClusterView<>(
            "SELECT table_name, shardid, shard_name, citus_table_type, colocation_id, nodename, nodeport, shard_size"
                    + " FROM tenantry.citus_shards",
            row -> new Shard(
                    row.getString(1),
                    row.getLong(2),
                    row.getString(3),
                    row.getString(4),
                    row.getInteger(5),
                    row.getString(6),
                    row.getInteger(7),
                    row.getLong(8)));

    /** {@code citus_tables}. */
    public static final ClusterView<Table> TABLES = new ClusterView<>(
            "SELECT table_name, citus_table_type, distribution_column, colocation_id, table_size, shard_count,"
                    + " table_owner, access_method FROM tenantry.citus_tables",
            row -> new Table(
                    row.getString(1),
                    row.getString(2),
                    row.getString(3),
                    row.getInteger(4),
                    row.getString(5),
                    row.getLong(6),
                    row.getString(7),
                    row.getString(8)));

    /** {@code citus_nodes}; a node is one of a schema's when it holds it. */
    public static final ClusterView<ClusterNode> NODES = new ClusterView<>(
            """
            SELECT c.nodename, c.nodeport, c.role, c.active,
                   (SELECT min(s.colocationid)
                    FROM tenantry.node k JOIN tenantry.schema s USING (nodeid)
                    JOIN pg_catalog.pg_namespace p ON p.oid = s.schemaid
                    WHERE k.nodename = c.nodename AND k.nodeport = c.nodeport AND p.nspname = ANY ($1::text[]))
                   AS colocation_id
            FROM tenantry.citus_nodes c
            """, row -> new ClusterNode(row.getString(1), row.getInteger(2), row.getString(3), row.getBoolean(4)));

    private final String select;
    private final Function<Row, T> item;

    private ClusterView(String select, Function<Row, T> item) {
        this.select = select;
        this.item = item;
    }

    /** The view's query; it has a column {@code colocation_id}, and may use $1, the names of schemas asked for. */
    String select() {
        return select;
    }

    T item(Row row) {
        return item.apply(row);
    }

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
}
