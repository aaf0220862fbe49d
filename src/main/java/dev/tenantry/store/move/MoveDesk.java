package dev.tenantry.store.move;

import dev.tenantry.sql.SqlName;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.ServerConnection;
import io.vertx.core.Vertx;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Asks for moves and tells what becomes of them. One connection to the coordinator: for virtual threads, one at a time;
 * what fails says so as {@link ServerConnection} does.
 */
public final class MoveDesk implements AutoCloseable {

    private static final Duration ANSWER_MAX = Duration.ofSeconds(30);

    private final ServerConnection connection;

    private MoveDesk(ServerConnection connection) {
        this.connection = connection;
    }

    /** Connects. */
    public static MoveDesk open(Vertx vertx, CoordinatorAddress coordinator) {
        return new MoveDesk(ServerConnection.open(vertx, coordinator, ANSWER_MAX));
    }

    /** Some moves, and how many there are. */
    public record Page(long total, List<MoveReport> items) {}

    /**
     * Moves, the last one first.
     *
     * @param schemas whose; all when there are none
     * @param running whether only those that have not ended
     */
    public Page moves(List<String> schemas, boolean running, int limit, int offset) {
        List<MoveReport> items = new ArrayList<>();
        long total = 0;
        for (Row row : connection.query(
                """
                WITH shown AS MATERIALIZED (
                    SELECT * FROM tenantry.tenantry_moves
                    WHERE (cardinality($1::text[]) = 0 OR schema_name = ANY ($1::text[]))
                      AND NOT ($2 AND finished_at IS NOT NULL))
                SELECT counted.total, page.*
                FROM (SELECT count(*) AS total FROM shown) AS counted
                LEFT JOIN (SELECT %s FROM shown ORDER BY shown.moveid DESC LIMIT $3 OFFSET $4) AS page ON true
                ORDER BY page.moveid DESC
                """.formatted(MoveReport.COLUMNS), schemas.toArray(new String[0]), running, (long) limit, (long)
                        offset)) {
            total = row.getLong("total");
            if (row.getValue("moveid") != null) {
                items.add(MoveReport.of(row));
            }
        }
        return new Page(total, items);
    }

    /** One move. */
    public Optional<MoveReport> move(long id) {
        RowSet<Row> rows = connection.query(
                "SELECT " + MoveReport.COLUMNS + " FROM tenantry.tenantry_moves WHERE moveid = $1", id);
        return rows.size() == 0
                ? Optional.empty()
                : Optional.of(MoveReport.of(rows.iterator().next()));
    }

    /** Moves that have not ended, or ended after the move of that number was asked for; the oldest first. */
    public List<MoveReport> since(long id) {
        List<MoveReport> found = new ArrayList<>();
        connection
                .query(
                        "SELECT " + MoveReport.COLUMNS + " FROM tenantry.tenantry_moves"
                                + " WHERE finished_at IS NULL OR moveid >= $1 ORDER BY moveid",
                        id)
                .forEach(row -> found.add(MoveReport.of(row)));
        return found;
    }

    /**
     * Has a schema moved, if that role may ask for it; returns the number of the move.
     *
     * @param role whose request it is
     * @param node the target, by its name or as {@code host:port}
     * @param mode Citus's {@code shard_transfer_mode}
     */
    public long start(String role, String schema, String node, String mode) {
        Row place = connection
                .query("SELECT nodename, nodeport FROM tenantry.node_called($1)", node)
                .iterator()
                .next();
        return as(
                        role,
                        "SELECT tenantry.tenantry_move_start(quote_ident($1)::regnamespace, $2, $3,"
                                + " $4::text::tenantry.shard_transfer_mode)",
                        schema,
                        place.getString(0),
                        place.getInteger(1),
                        mode)
                .getLong(0);
    }

    /** Has a move undone, if that role may; false if it is too late. */
    public boolean cancel(String role, long id) {
        return as(role, "SELECT tenantry.tenantry_move_cancel($1)", id).getBoolean(0);
    }

    /** The functions go by the role that is set, as they do for clients. */
    private Row as(String role, String call, Object... parameters) {
        connection.query("SET ROLE " + SqlName.quoted(role));
        try {
            return connection.query(call, parameters).iterator().next();
        } finally {
            connection.query("RESET ROLE");
        }
    }

    @Override
    public void close() {
        connection.close();
    }
}
