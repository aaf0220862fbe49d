package dev.tenantry.store.move;

import dev.tenantry.sql.SqlName;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.store.StatementRefusedException;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The moves in the catalog, over one connection to the coordinator. Everything but {@link #claim} fails with
 * {@link TakenOverException} once somebody else has claimed the move. For virtual threads, one at a time.
 */
public final class MoveStore {

    /** A move may not be changed by who asks: our own SQLSTATE, see R__6_moves.sql. */
    private static final String TAKEN_OVER = "TN010";

    private static final String COLUMNS =
            "moveid, epoch, schema_name::text, source_nodeid, target_nodeid, transfer_mode, phase, attempt, gid,"
                    + " old_schema::text, widened";

    private final ServerConnection connection;

    /** Uses a connection that the caller opened and will close. */
    public MoveStore(ServerConnection connection) {
        this.connection = connection;
    }

    /**
     * A move that has not ended, as a runner must know it to plan.
     *
     * @param attempt how often it was begun
     * @param phase what is done now
     * @param cancelled whether it is to be undone
     * @param switched whether it is too late for that
     * @param stands whether there still is the schema, under the name that the move knows
     */
    public record Open(
            long id,
            int sourceNodeId,
            int targetNodeId,
            int attempt,
            String phase,
            boolean cancelled,
            boolean switched,
            boolean stands) {}

    /** How far proxies are with a pause: alive, that begin nothing any more, sessions that have still to end. */
    public record PauseState(long proxies, long acknowledged, long running) {}

    /** Why a move has failed, in PostgreSQL's parts of an error. */
    public record Failure(String sqlState, String message, String detail, String hint) {}

    /** Another proxy has taken the move over, or somebody has ended it: who gets this leaves everything as it is. */
    public static final class TakenOverException extends RuntimeException {

        private static final long serialVersionUID = 1L;

        private TakenOverException(long moveId) {
            super("move " + moveId + " is done by another proxy");
        }
    }

    /** Where a node is and how it is called. */
    public record NodePlace(int nodeId, int groupId, String name, String host, int port) {}

    /** Has the coordinator tell of new requests; see {@link ServerConnection#onNotification}. */
    public void listen() {
        connection.query("LISTEN tenantry_move");
    }

    /** Moves that have not ended, oldest first. */
    public List<Open> open() {
        List<Open> found = new ArrayList<>();
        connection
                .query("""
                SELECT m.moveid, m.source_nodeid, m.target_nodeid, m.attempt, m.phase, m.cancel_requested,
                       m.switched_at IS NOT NULL, n.nspname IS NOT NULL
                FROM tenantry.move m
                LEFT JOIN tenantry.schema s ON s.schemaid = m.schemaid AND s.nodeid = m.source_nodeid
                LEFT JOIN pg_catalog.pg_namespace n ON n.oid = s.schemaid AND n.nspname = m.schema_name
                WHERE m.finished_at IS NULL ORDER BY m.moveid
                """)
                .forEach(row -> found.add(new Open(
                        row.getLong(0),
                        row.getInteger(1),
                        row.getInteger(2),
                        row.getInteger(3),
                        row.getString(4),
                        row.getBoolean(5),
                        row.getBoolean(6),
                        row.getBoolean(7))));
        return found;
    }

    /** Ended moves whose old copy should go now. */
    public List<Long> overdue() {
        List<Long> found = new ArrayList<>();
        connection.query("""
                SELECT moveid FROM tenantry.move
                WHERE finished_at IS NOT NULL AND old_schema IS NOT NULL AND drop_after < clock_timestamp()
                """).forEach(row -> found.add(row.getLong(0)));
        return found;
    }

    /** Takes a move over: whoever had it may change nothing more. */
    public MoveRow claim(long moveId) {
        RowSet<Row> rows = connection.query(
                "UPDATE tenantry.move SET epoch = epoch + 1 WHERE moveid = $1 RETURNING " + COLUMNS, moveId);
        if (rows.size() == 0) {
            throw new TakenOverException(moveId);
        }
        return row(rows.iterator().next());
    }

    /** Notes a new phase. */
    public void enter(MoveRow move, String phase) {
        change(move, "phase = $3, waiting_for = '{}', eta_at = NULL", phase);
    }

    /** Notes that it is begun from the start; returns it with the name that the schema has now. */
    public MoveRow begin(MoveRow move, String phase) {
        return row(change(move, """
                phase = $3, attempt = attempt + 1, waiting_for = '{}', bytes_copied = NULL, tables_copied = NULL,
                lag_bytes = NULL, eta_at = NULL,
                schema_name = coalesce((SELECT n.nspname FROM pg_catalog.pg_namespace n WHERE n.oid = schemaid),
                                       schema_name)
                """, phase).iterator().next());
    }

    /** Whether the schema still is a distributed one of the source, under the name that the move knows. */
    public boolean stands(MoveRow move) {
        return connection.query("""
                                SELECT FROM tenantry.move m
                                JOIN tenantry.schema s ON s.schemaid = m.schemaid AND s.nodeid = m.source_nodeid
                                JOIN pg_catalog.pg_namespace n ON n.oid = s.schemaid AND n.nspname = m.schema_name
                                WHERE m.moveid = $1
                                """, move.id()).size() > 0;
    }

    /** How much is there of how much: bytes of tables without their indexes, and tables. */
    public record Copied(long bytes, long bytesTotal, int tables, int tablesTotal) {}

    /**
     * Notes how far the copy is.
     *
     * @param left how long it will take at the pace of late, if there is one
     */
    public void copied(MoveRow move, Copied copied, Optional<Duration> left) {
        change(
                move,
                "bytes_copied = $3, bytes_total = $4, tables_copied = $5, tables_total = $6, " + eta(7),
                copied.bytes(),
                copied.bytesTotal(),
                copied.tables(),
                copied.tablesTotal(),
                millis(left));
    }

    /**
     * Notes how far the target is behind.
     *
     * @param left how long it will be at the pace of late, if it comes nearer
     */
    public void lag(MoveRow move, long bytes, Optional<Duration> left) {
        change(move, "lag_bytes = $3, " + eta(4), bytes, millis(left));
    }

    private static String eta(int parameter) {
        return "eta_at = clock_timestamp() + nullif($" + parameter + "::float8, -1) * interval '1 ms'";
    }

    private static double millis(Optional<Duration> left) {
        return left.map(duration -> (double) duration.toMillis()).orElse(-1.0);
    }

    /** Notes for whom it waits on the source. */
    public void waitsFor(MoveRow move, Set<Integer> pids) {
        change(move, "waiting_for = $3", (Object) pids.toArray(new Integer[0]));
    }

    /** Notes, before it is done, what is changed on the source for the time; returns the move with it. */
    public MoveRow widens(MoveRow move, List<String> tables) {
        return row(change(move, "widened = $3", (Object) tables.toArray(new String[0]))
                .iterator()
                .next());
    }

    /** Notes, before it is prepared, the transaction that is to hide the old copy. */
    public void prepares(MoveRow move, String gid) {
        change(move, "gid = $3", gid);
    }

    /** Notes for how long the schema was paused in the end. */
    public void stalled(MoveRow move, double millis) {
        change(move, "stall_ms = $3", millis);
    }

    /** Notes what keeps it from going on, which is tried again. */
    public void troubled(MoveRow move, String message) {
        change(move, "message = $3", message);
    }

    /** Notes why it is undone from now on. */
    public void fails(MoveRow move, String phase, Failure why) {
        change(
                move,
                "phase = $3, sqlstate = $4, message = $5, detail = $6, hint = $7, waiting_for = '{}',"
                        + " eta_at = NULL",
                phase,
                why.sqlState(),
                why.message(),
                why.detail(),
                why.hint());
    }

    /** Notes that the schema is on its new node and nothing but the old copy is left, which may go after that time. */
    public void done(MoveRow move, String phase, long keepMillis) {
        change(move, """
                phase = $3, finished_at = clock_timestamp(), waiting_for = '{}', message = NULL, lag_bytes = NULL,
                eta_at = NULL, gid = NULL, drop_after = clock_timestamp() + $4 * interval '1 ms'
                """, phase, (double) keepMillis);
    }

    /** Notes that it is undone. */
    public void undone(MoveRow move, String phase) {
        change(move, """
                phase = $3, finished_at = clock_timestamp(), waiting_for = '{}', lag_bytes = NULL, gid = NULL,
                eta_at = NULL, widened = '{}'
                """, phase);
    }

    /** Notes that the old copy is gone. */
    public void dropped(long moveId) {
        connection.query("UPDATE tenantry.move SET old_schema = NULL WHERE moveid = $1", moveId);
    }

    /** Whether somebody wants it undone. */
    public boolean isCancelled(MoveRow move) {
        return connection
                .query("SELECT cancel_requested FROM tenantry.move WHERE moveid = $1", move.id())
                .iterator()
                .next()
                .getBoolean(0);
    }

    /** Pauses the schema; returns the number of the pause. */
    public long pause(MoveRow move) {
        try {
            return connection
                    .query("SELECT tenantry.pause_for_move($1, $2)", move.id(), move.epoch())
                    .iterator()
                    .next()
                    .getLong(0);
        } catch (StatementRefusedException refused) {
            throw translated(move, refused);
        }
    }

    /** Lets readers go on, and writers not, under the pause that the move has made. */
    public void admitReaders(MoveRow move) {
        try {
            connection.query("SELECT tenantry.admit_readers($1, $2)", move.id(), move.epoch());
        } catch (StatementRefusedException refused) {
            throw translated(move, refused);
        }
    }

    /** Ends the pause that the move has made, if it has. */
    public void resume(MoveRow move) {
        connection.query("SELECT tenantry.resume_after_move($1, $2)", move.id(), move.epoch());
    }

    /** Has the coordinator tell, from now on, of each proxy where nothing paused runs any more; on an event loop. */
    public void onAcknowledgement(Runnable action) {
        connection.onNotification(payload -> action.run());
        connection.query("LISTEN tenantry_pause");
    }

    /** Whether a proxy has lost its session with the coordinator, and may be back soon. */
    public boolean isProxyMissed() {
        return connection
                .query("SELECT tenantry.is_proxy_missed()")
                .iterator()
                .next()
                .getBoolean(0);
    }

    /** How far proxies are with a pause. */
    public PauseState pauseState(long pauseId) {
        Row row = connection
                .query(
                        "SELECT proxies, acknowledged, running::bigint FROM tenantry.tenantry_pauses"
                                + " WHERE pauseid = $1",
                        pauseId)
                .iterator()
                .next();
        return new PauseState(row.getLong(0), row.getLong(1), row.getLong(2));
    }

    /** The number of the open transaction. */
    public long transaction() {
        return Long.parseLong(connection
                .query("SELECT pg_catalog.pg_current_xact_id()::text")
                .iterator()
                .next()
                .getString(0));
    }

    /**
     * Switches in the open transaction.
     *
     * @param oldSchema what the old copy is called from then on
     * @param tableOids the oids of tables on the target, by name, as a JSON object
     */
    public void switchTo(MoveRow move, String oldSchema, String tableOids) {
        try {
            connection.query("SET LOCAL lock_timeout = '200ms'");
            connection.query(
                    "SELECT tenantry.switch_move($1, $2, $3, $4::text::jsonb)",
                    move.id(),
                    move.epoch(),
                    oldSchema,
                    tableOids);
        } catch (StatementRefusedException refused) {
            throw translated(move, refused);
        }
    }

    /** Makes the commit of the open transaction that of what is prepared under that name on those nodes. */
    public void recordSwitch(String gid, Integer[] nodeIds) {
        connection.query("SELECT tenantry.record_commit($1, $2)", gid, nodeIds);
    }

    /** Commits the open transaction. */
    public void commitSwitch() {
        connection.query("COMMIT");
    }

    /**
     * Puts an empty namespace in the place of the one that holds a copy on the coordinator, and drops that one, which
     * may take long. May be repeated.
     */
    public void emptyNamespace(MoveRow move, String aside) {
        connection.query(
                "SELECT tenantry.replace_namespace(n.oid, $2) FROM tenantry.move m"
                        + " JOIN pg_catalog.pg_namespace n ON n.oid = m.schemaid WHERE m.moveid = $1"
                        + " AND NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $2)",
                move.id(),
                aside);
        connection.query("DROP SCHEMA IF EXISTS " + SqlName.quoted(aside) + " CASCADE");
        connection.query("DELETE FROM tenantry.move_deed WHERE moveid = $1", move.id());
    }

    /** Where a node is, unless it has been removed. */
    public Optional<NodePlace> node(int nodeId) {
        RowSet<Row> rows = connection.query(
                "SELECT nodeid, groupid, name, nodename, nodeport FROM tenantry.node WHERE nodeid = $1", nodeId);
        return rows.size() == 0
                ? Optional.empty()
                : Optional.of(rows.iterator().next())
                        .map(row -> new NodePlace(
                                row.getInteger(0),
                                row.getInteger(1),
                                row.getString(2),
                                row.getString(3),
                                row.getInteger(4)));
    }

    private RowSet<Row> change(MoveRow move, String set, Object... values) {
        Object[] parameters = new Object[values.length + 2];
        parameters[0] = move.id();
        parameters[1] = move.epoch();
        System.arraycopy(values, 0, parameters, 2, values.length);
        RowSet<Row> rows = connection.query(
                "UPDATE tenantry.move SET " + set + " WHERE moveid = $1 AND epoch = $2 RETURNING " + COLUMNS,
                parameters);
        if (rows.size() == 0) {
            throw new TakenOverException(move.id());
        }
        return rows;
    }

    private static RuntimeException translated(MoveRow move, StatementRefusedException refused) {
        return refused.sqlState().equals(TAKEN_OVER) ? new TakenOverException(move.id()) : refused;
    }

    private static MoveRow row(Row row) {
        return new MoveRow(
                row.getLong(0),
                row.getLong(1),
                row.getString(2),
                row.getInteger(3),
                row.getInteger(4),
                row.getString(5),
                row.getString(6),
                row.getInteger(7),
                Optional.ofNullable(row.getString(8)),
                Optional.ofNullable(row.getString(9)),
                List.of(row.getArrayOfStrings(10)));
    }
}
