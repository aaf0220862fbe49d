package dev.tenantry.control.node.copy;

import dev.tenantry.sql.SqlName;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.store.StatementRefusedException;
import io.vertx.sqlclient.Row;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What a move does on the node that the schema leaves. Everything may be repeated. */
public final class Source {

    /** Sessions other than this that hold or want locks of the relations of schema $1, or are making some in it. */
    private static final String USERS = """
            SELECT array_agg(DISTINCT coalesce(l.pid, 0)) FROM pg_locks l
            LEFT JOIN pg_class c ON l.locktype = 'relation' AND c.oid = l.relation
            JOIN pg_namespace n ON n.oid = c.relnamespace OR l.locktype = 'object' AND n.oid = l.objid
                AND l.classid = 'pg_namespace'::regclass
            LEFT JOIN pg_stat_activity a ON a.pid = l.pid
            WHERE n.nspname = $1 AND l.pid IS DISTINCT FROM pg_backend_pid()
              AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
              AND a.backend_type IS DISTINCT FROM 'autovacuum worker'
            """;

    /** Who has waited for an autovacuum for so long has it step aside; the default is a second a table. */
    private static final String PASSING_AUTOVACUUM = "SET LOCAL deadlock_timeout = '10ms'";

    private final ServerConnection connection;
    private final MoveNames names;

    public Source(ServerConnection connection, MoveNames names) {
        this.connection = connection;
        this.names = names;
    }

    /** The connection that all this goes over. */
    public ServerConnection connection() {
        return connection;
    }

    /** A value that differs when the definition of the schema has changed. */
    public String fingerprint(String schema) {
        return connection
                .query(Fingerprints.DEFINITION, schema)
                .iterator()
                .next()
                .getString(0);
    }

    /** The size of each table of a schema. */
    public Map<String, TableSize> sizes(String schema) {
        Map<String, TableSize> sizes = new HashMap<>();
        connection
                .query("""
                SELECT c.relname::text, pg_table_size(c.oid), pg_relation_size(c.oid) / current_setting('block_size')::int
                FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = $1 AND c.relkind = 'r'
                """, schema)
                .forEach(row -> sizes.put(row.getString(0), new TableSize(row.getLong(1), row.getLong(2))));
        return sizes;
    }

    /**
     * The tables whose values all have a binary form that is one and the same on servers of all versions, whatever
     * their types' oids; it takes half the time of their text.
     */
    public Set<String> tablesInBinary(String schema) {
        Set<String> tables = new HashSet<>();
        connection.query("""
                SELECT c.relname::text
                FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = $1 AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
                GROUP BY c.oid
                HAVING bool_and(a.atttypid = ANY ('{bool,int2,int4,int8,float4,float8,numeric,text,varchar,bpchar,bytea,
                    uuid,date,time,timetz,timestamp,timestamptz,interval,json,jsonb,_int4,_int8,_text,_varchar,_uuid
                    }'::regtype[]::oid[]))
                """, schema).forEach(row -> tables.add(row.getString(0)));
        return tables;
    }

    /**
     * A value that differs when tables are others than before, even if they look the same, or when rows may have been
     * written anew, as ALTER TABLE does it: a publication does not know the former and does not tell of the latter, and
     * those who see by an older snapshot find an empty table then.
     */
    public String tables(String schema) {
        return connection.query(Fingerprints.TABLES, schema).iterator().next().getString(0);
    }

    /** The tables of a schema that call what must not be called with a superuser's rights. */
    public GuardedTables guarded(String schema) {
        return RowFunctions.in(connection, schema);
    }

    /**
     * Makes roles to ask about these tables as, in place of those that there are.
     *
     * @param owners by table
     * @param sessions how many there may be of each role at a time
     * @return how to sign in, by table
     */
    public Map<String, CoordinatorAddress> makeReaders(Map<String, String> owners, int sessions) {
        return new OwnerLogins(connection, names).makeReaders(owners, sessions);
    }

    /** Removes them. */
    public void dropLogins() {
        new OwnerLogins(connection, names).drop();
    }

    /** Whether its log tells of what is written. */
    public boolean logsChanges() {
        return connection
                .query("SELECT current_setting('wal_level') = 'logical'")
                .iterator()
                .next()
                .getBoolean(0);
    }

    /** Begins a transaction and returns the name by which others see what it sees, as long as it is open. */
    public String exportSnapshot() {
        connection.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
        return connection.query("SELECT pg_export_snapshot()").iterator().next().getString(0);
    }

    /** Cancels what waits for locks of this connection; returns whose it was. */
    public Set<Integer> cancelBlocked() {
        return pids(connection.query("""
                SELECT array_agg(a.pid) FILTER (WHERE pg_cancel_backend(a.pid)) FROM pg_stat_activity a
                WHERE a.wait_event_type = 'Lock' AND pg_backend_pid() = ANY (pg_blocking_pids(a.pid))
                """).iterator().next().getArrayOfIntegers(0));
    }

    /** Whether one more move can be served, which needs a slot and a sender. */
    public boolean hasRoom() {
        return connection.query("""
                SELECT current_setting('max_replication_slots')::int
                           - (SELECT count(*) FROM pg_replication_slots) >= 1
                   AND current_setting('max_wal_senders')::int - (SELECT count(*) FROM pg_stat_replication) >= 1
                """).iterator().next().getBoolean(0);
    }

    /**
     * The replica identity of a table that has no key.
     *
     * @param word DEFAULT or NOTHING
     */
    public record TableIdentity(long tableOid, String word) {}

    /** The one that a table has now. */
    public TableIdentity identity(String schema, String table) {
        Row row = connection
                .query(
                        "SELECT c.oid::bigint, CASE c.relreplident WHEN 'n' THEN 'NOTHING' ELSE 'DEFAULT' END"
                                + " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                                + " WHERE n.nspname = $1 AND c.relname = $2",
                        schema,
                        table)
                .iterator()
                .next();
        return new TableIdentity(row.getLong(0), row.getString(1));
    }

    /** Whether a table has a column whose values can't be told to be equal, so that no row can be found by all. */
    public boolean hasIncomparable(String schema, String table) {
        return connection.query("""
                                SELECT FROM pg_attribute a
                                JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                                JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type b ON b.oid = t.typbasetype
                                WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped
                                  AND a.attgenerated = '' AND NOT EXISTS (
                                      SELECT FROM pg_opclass o WHERE o.opcdefault
                                        AND o.opcmethod IN (SELECT oid FROM pg_am WHERE amname IN ('btree', 'hash'))
                                        AND (o.opcintype IN (t.oid, b.oid)
                                             OR o.opcintype = 'anyarray'::regtype AND t.typcategory = 'A'
                                                AND t.typelem NOT IN ('json'::regtype, 'xml'::regtype)
                                             OR o.opcintype = 'anyenum'::regtype AND t.typtype = 'e'
                                             OR o.opcintype = 'record'::regtype AND t.typtype = 'c'
                                             OR o.opcintype = 'anyrange'::regtype AND t.typtype = 'r'
                                             OR o.opcintype = 'anymultirange'::regtype AND t.typtype = 'm'
                                             OR EXISTS (SELECT FROM pg_cast k WHERE k.castsource IN (t.oid, b.oid)
                                                        AND k.casttarget = o.opcintype AND k.castmethod = 'b'
                                                        AND k.castcontext = 'i')))
                                """, schema, table).size() > 0;
    }

    /** Sets the replica identity of a table, unless its lock does not come in time. */
    public boolean setIdentity(String schema, String table, String identity, Duration lockMax) {
        return inTime("ALTER TABLE " + qualified(schema, table) + " REPLICA IDENTITY " + identity, lockMax);
    }

    private boolean inTime(String sql, Duration lockMax) {
        try {
            connection.query(PASSING_AUTOVACUUM + "; SET LOCAL lock_timeout = '" + lockMax.toMillis() + "ms'; " + sql);
            return true;
        } catch (StatementRefusedException refused) {
            if (refused.sqlState().equals(SqlStates.LOCK_NOT_AVAILABLE)) {
                return false;
            }
            throw refused;
        }
    }

    /** Sets it back, whatever the table and its schema are called by now, if it is there; false if not in time. */
    public boolean restoreIdentity(TableIdentity identity, Duration lockMax) {
        Iterator<Row> found = connection
                .query(
                        "SELECT c.oid::regclass::text FROM pg_class c"
                                + " WHERE c.oid = $1::bigint::oid AND c.relreplident = 'f'",
                        identity.tableOid())
                .iterator();
        return !found.hasNext()
                || inTime("ALTER TABLE " + found.next().getString(0) + " REPLICA IDENTITY " + identity.word(), lockMax);
    }

    /** Publishes the rows and changes of these tables, and the marks of this move, unless a lock comes too late. */
    public boolean publish(String schema, Collection<String> tables, Duration lockMax) {
        StringBuilder list = new StringBuilder("tenantry.move_mark WHERE (moveid = " + names.moveId() + ")");
        tables.forEach(table -> list.append(", TABLE ONLY ").append(qualified(schema, table)));
        return inTime("CREATE PUBLICATION " + SqlName.quoted(names.replication()) + " FOR TABLE " + list, lockMax);
    }

    public void unpublish() {
        connection.query("DROP PUBLICATION IF EXISTS " + SqlName.quoted(names.replication()));
    }

    /** Ends what others still read to copy for this move. */
    public void endCopies() {
        RowCopy.endOthers(connection, names);
    }

    /** Takes the slot from whoever reads it, who may be gone without the server's having noticed. */
    public void freeSlot() {
        connection.query("""
                SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots
                WHERE slot_name = $1 AND active_pid IS NOT NULL
                """, names.replication());
    }

    /** Drops the slot if it is there; says that it can't while somebody uses it all the same. */
    public void dropSlot() {
        freeSlot();
        connection.query(
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1",
                names.replication());
    }

    /** Sessions whose transactions keep the slot from being made. */
    public Set<Integer> writers() {
        return pids(connection
                .query("SELECT array_agg(pid) FROM pg_stat_activity WHERE backend_xid IS NOT NULL")
                .iterator()
                .next()
                .getArrayOfIntegers(0));
    }

    /** Sessions other than this connection's that hold or want locks of the schema's relations. */
    public Set<Integer> users(String schema) {
        return pids(connection.query(USERS, schema).iterator().next().getArrayOfIntegers(0));
    }

    private static Set<Integer> pids(Integer @Nullable [] found) {
        return found == null ? Set.of() : new TreeSet<>(List.of(found));
    }

    /** Writes the next mark, which arrives on the target when all that was committed before is there. */
    public long mark() {
        while (true) {
            // Somebody else, who has not heard yet that the move is not his any more, may be writing that one.
            Iterator<Row> written = connection
                    .query(
                            "INSERT INTO tenantry.move_mark (moveid, mark)"
                                    + " SELECT $1, coalesce(max(mark), 0) + 1 FROM tenantry.move_mark WHERE moveid = $1"
                                    + " ON CONFLICT DO NOTHING RETURNING mark",
                            names.moveId())
                    .iterator();
            if (written.hasNext()) {
                return written.next().getLong(0);
            }
        }
    }

    /** The mark that is written next, if nobody writes one meanwhile. */
    public long nextMark() {
        return connection
                .query("SELECT coalesce(max(mark), 0) + 1 FROM tenantry.move_mark WHERE moveid = $1", names.moveId())
                .iterator()
                .next()
                .getLong(0);
    }

    /**
     * Writes that mark and commits the open transaction, whose locks end at once: that it is on disk, without which it
     * does not leave the server, is seen to by the next commit of any session.
     */
    public void commitWithMark(long mark) {
        connection.query("SET LOCAL synchronous_commit = off; INSERT INTO tenantry.move_mark (moveid, mark) VALUES ("
                + names.moveId() + ", " + mark + "); COMMIT");
    }

    public void forgetMarks() {
        connection.query("DELETE FROM tenantry.move_mark WHERE moveid = $1", names.moveId());
    }

    /** How many bytes of log the target has still to apply; 0 when nobody reads the slot. */
    public long lag() {
        long lag = connection
                .query(
                        "SELECT coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)), 0)::bigint"
                                + " FROM pg_stat_replication WHERE application_name = $1",
                        names.replication())
                .iterator()
                .next()
                .getLong(0);
        return Math.max(0L, lag);
    }

    /** Locks tables against all writers in a transaction that this begins; false, and undone, if not in time. */
    public boolean lock(String schema, Collection<String> tables, String mode, Duration max) {
        if (max.isNegative() || max.isZero()) {
            return false;
        }
        String list =
                tables.stream().map(table -> "ONLY " + qualified(schema, table)).collect(Collectors.joining(", "));
        try {
            connection.query("BEGIN; " + PASSING_AUTOVACUUM + "; SET LOCAL lock_timeout = '" + max.toMillis()
                    + "ms'; SET LOCAL statement_timeout = '" + max.toMillis() + "ms'"
                    + (tables.isEmpty() ? "" : "; LOCK TABLE " + list + " IN " + mode + " MODE")
                    + "; SET LOCAL statement_timeout = 0");
            return true;
        } catch (StatementRefusedException refused) {
            rollback();
            if (SqlStates.IN_THE_WAY.contains(refused.sqlState())) {
                return false;
            }
            throw refused;
        }
    }

    public void rollback() {
        connection.query("ROLLBACK");
    }

    /**
     * Values of sequences by name: the last one, and whether it was given out.
     *
     * @throws StatementRefusedException with a state of {@link SqlStates#isOfDefinition} if one is none any more
     */
    public Map<String, SequenceValue> sequences(String schema, Collection<String> sequences) {
        Map<String, SequenceValue> values = new LinkedHashMap<>();
        if (!sequences.isEmpty()) {
            String query = sequences.stream()
                    .map(name -> "SELECT " + SqlName.literal(name) + "::text, last_value, is_called FROM "
                            + qualified(schema, name))
                    .collect(Collectors.joining(" UNION ALL "));
            connection
                    .query(TablesOnly.LOCAL + "; " + query + "; " + TablesOnly.LOCAL_END)
                    .next()
                    .forEach(row -> values.put(row.getString(0), new SequenceValue(row.getLong(1), row.getBoolean(2))));
        }
        return values;
    }

    /** Gives the schema another name in the open transaction. */
    public void rename(String schema, String newName) {
        connection.query("ALTER SCHEMA " + SqlName.quoted(schema) + " RENAME TO " + SqlName.quoted(newName));
    }

    /** What objects of other schemas use something of this one, in the server's words; none may when it moves. */
    public List<String> usedBy(String schema) {
        List<String> found = new ArrayList<>();
        connection.query(Fingerprints.USED_BY, schema).forEach(row -> found.add(row.getString(0)));
        return found;
    }

    /** Drops the old copy; false if somebody still reads it. */
    public boolean drop(String oldSchema, Duration lockMax) {
        try {
            connection.query(PASSING_AUTOVACUUM + "; SET LOCAL lock_timeout = '" + lockMax.toMillis()
                    + "ms'; DROP SCHEMA IF EXISTS " + SqlName.quoted(oldSchema) + " CASCADE");
            return true;
        } catch (StatementRefusedException refused) {
            if (SqlStates.IN_THE_WAY.contains(refused.sqlState())) {
                return false;
            }
            throw refused;
        }
    }

    public static String qualified(String schema, String name) {
        return SqlName.quoted(schema) + "." + SqlName.quoted(name);
    }
}
