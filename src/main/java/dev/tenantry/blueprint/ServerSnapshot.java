package dev.tenantry.blueprint;

import dev.tenantry.sql.SqlName;
import dev.tenantry.store.CatalogUnavailableException;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.store.StatementRefusedException;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The catalogs of a server in a transaction of their own; close it. */
final class ServerSnapshot implements Snapshot, AutoCloseable {

    private static final String BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

    /**
     * Names and constants are shown alike everywhere. Every table we read has an index for what we look for, and the
     * statistics of a catalog that has just grown are of no use, so the planner gets no choice.
     */
    private static final List<String> SETTINGS = List.of(
            "search_path = pg_catalog",
            "quote_all_identifiers = on",
            "DateStyle = ISO",
            "IntervalStyle = postgres",
            "TimeZone = 'UTC'",
            "bytea_output = hex",
            "xmlbinary = base64",
            "extra_float_digits = 1",
            "lc_monetary = 'C'",
            "lc_numeric = 'C'",
            "standard_conforming_strings = on",
            "enable_seqscan = off",
            "enable_hashjoin = off",
            "enable_mergejoin = off",
            "max_parallel_workers_per_gather = 0",
            "jit = off");

    private static final String WHICH = """
            SELECT current_setting('server_version_num')::int / 10000, $1::text::regnamespace::oid::bigint
            """;

    private final ServerConnection connection;
    private final String schema;
    private final int major;
    private final long oid;

    private ServerSnapshot(ServerConnection connection, String schema, int major, long oid) {
        this.connection = connection;
        this.schema = schema;
        this.major = major;
        this.oid = oid;
    }

    static ServerSnapshot begin(ServerConnection connection, String schema) {
        StringBuilder settings = new StringBuilder(BEGIN);
        SETTINGS.forEach(setting -> settings.append("; SET LOCAL ").append(setting));
        connection.query(settings.toString());
        try {
            Row row = connection.query(WHICH, SqlName.quoted(schema)).iterator().next();
            return new ServerSnapshot(connection, schema, row.getInteger(0), row.getLong(1));
        } catch (StatementRefusedException refused) {
            connection.query("ROLLBACK");
            throw refused;
        }
    }

    @Override
    public List<CatalogRow> rows(String query) {
        RowSet<Row> found = connection.query(query.replace(":schema", Long.toString(oid)));
        List<String> names = found.columnsNames();
        List<CatalogRow> rows = new ArrayList<>(found.size());
        for (Row row : found) {
            Map<String, @Nullable Object> columns = HashMap.newHashMap(names.size());
            for (int i = 0; i < names.size(); i++) {
                columns.put(names.get(i), row.getValue(i));
            }
            rows.add(new CatalogRow(columns));
        }
        return rows;
    }

    @Override
    public int major() {
        return major;
    }

    @Override
    public String schema() {
        return schema;
    }

    /** Oid of the schema. */
    long oid() {
        return oid;
    }

    @Override
    public void close() {
        try {
            connection.query("ROLLBACK");
        } catch (CatalogUnavailableException gone) {
            // The transaction has ended with the connection; what the caller was doing tells of it.
        }
    }
}
