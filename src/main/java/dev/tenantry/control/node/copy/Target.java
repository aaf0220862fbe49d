package dev.tenantry.control.node.copy;

import dev.tenantry.blueprint.BlueprintStatement;
import dev.tenantry.blueprint.SchemaBlueprint;
import dev.tenantry.sql.SqlName;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.store.StatementRefusedException;
import io.vertx.core.json.JsonObject;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** What a move does on the node that the schema goes to. Everything may be repeated. */
public final class Target {

    private static final String CREATED = "created";

    /** What the deed begins with that has the server keep all but superusers from altering the copy. */
    private static final String GUARDED = "schema ";

    private final ServerConnection connection;
    private final MoveNames names;

    public Target(ServerConnection connection, MoveNames names) {
        this.connection = connection;
        this.names = names;
    }

    /** The connection that all this goes over. */
    public ServerConnection connection() {
        return connection;
    }

    /** Whether there is a schema of that name, or one with something in it. */
    public boolean hasSchema(String schema, boolean evenEmpty) {
        return connection
                        .query(
                                "SELECT FROM pg_namespace n WHERE n.nspname = $1 AND ($2 OR EXISTS (SELECT FROM"
                                        + " pg_depend d WHERE d.refclassid = 'pg_namespace'::regclass"
                                        + " AND d.refobjid = n.oid AND d.classid <> 'pg_default_acl'::regclass))",
                                schema,
                                evenEmpty)
                        .size()
                > 0;
    }

    /** Which PostgreSQL it is. */
    public int majorVersion() {
        return connection
                .query("SELECT current_setting('server_version_num')::int / 10000")
                .iterator()
                .next()
                .getInteger(0);
    }

    /** Whether one more subscription can be served. */
    public boolean hasRoom() {
        return connection.query("""
                SELECT current_setting('max_logical_replication_workers')::int
                           - (SELECT count(*) FROM pg_stat_subscription WHERE pid IS NOT NULL) >= 1
                   AND coalesce(current_setting('max_active_replication_origins', true),
                                current_setting('max_replication_slots'))::int
                           - (SELECT count(*) FROM pg_replication_origin_status) >= 1
                """).iterator().next().getBoolean(0);
    }

    /**
     * Runs statements that create the copy, all or none, and notes that they were run. Until {@link #release}, only
     * superusers can alter it.
     *
     * @param attempt which copy of this move it is
     */
    public static void create(
            ServerConnection patient,
            MoveNames names,
            int attempt,
            String schema,
            List<BlueprintStatement> statements) {
        SchemaBlueprint.settings().forEach(patient::query);
        inTransaction(patient, () -> {
            note(patient, names, CREATED);
            note(patient, names, created(attempt));
            statements.forEach(statement -> patient.query(statement.sql()));
            patient.query(
                    "INSERT INTO tenantry.move_deed (moveid, deed)"
                            + " SELECT $1, $2 || n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = $3",
                    names.moveId(),
                    GUARDED,
                    schema);
        });
    }

    /** A statement after whose commit the copy is its owners'; who alters it meanwhile waits for that. */
    public static String release(MoveNames names) {
        return "DELETE FROM tenantry.move_deed WHERE moveid = " + names.moveId() + " AND pg_catalog.starts_with(deed, "
                + SqlName.literal(GUARDED) + ")";
    }

    private static String created(int attempt) {
        return "created by attempt " + attempt;
    }

    /** A query that finds a row while this attempt's copy is there, and keeps it there until the transaction ends. */
    static String holdCopy(MoveNames names, int attempt) {
        return "SELECT tenantry.hold_copy(%d, md5(%s))".formatted(names.moveId(), SqlName.literal(created(attempt)));
    }

    /**
     * Makes roles to write the rows of these tables as, in place of those that there are.
     *
     * @param owners by table
     * @param calls see {@link GuardedTables}
     * @param sessions how many there may be of each role at a time
     * @return how to sign in, by table
     */
    public Map<String, CoordinatorAddress> makeWriters(
            String schema, Map<String, String> owners, Map<String, List<String>> calls, int sessions) {
        return new OwnerLogins(connection, names).makeWriters(schema, owners, calls, sessions);
    }

    /** Removes them. */
    public void dropLogins() {
        new OwnerLogins(connection, names).drop();
    }

    /**
     * Notes, durably as all that was done before it, that the rows are there.
     *
     * @param tables of which tables, see {@link Source#tables}
     */
    public void copied(String tables) {
        note(connection, names, rowsOf(tables));
    }

    /** Whether the rows that are there are those of these tables. */
    public boolean hasCopied(String tables) {
        return isNoted(rowsOf(tables));
    }

    private static String rowsOf(String tables) {
        return "rows copied of " + tables;
    }

    /** Ends what others still copy for this move. */
    public void endCopies() {
        RowCopy.endOthers(connection, names);
    }

    /**
     * Runs statements one by one, without those that were run before; each is noted with what it does.
     *
     * @param patient has the settings of blueprints
     */
    public static void build(ServerConnection patient, MoveNames names, List<BlueprintStatement> statements) {
        for (BlueprintStatement statement : statements) {
            inTransaction(patient, () -> {
                if (note(patient, names, statement.sql())) {
                    patient.query(statement.sql());
                }
            });
        }
    }

    /** Gathers statistics of the tables, which the new copy has none of. */
    public static void analyze(ServerConnection patient, String schema, Collection<String> tables) {
        if (!tables.isEmpty()) {
            patient.query("ANALYZE "
                    + tables.stream()
                            .map(table -> Source.qualified(schema, table))
                            .collect(Collectors.joining(", ")));
        }
    }

    private static void inTransaction(ServerConnection connection, Runnable work) {
        connection.query("BEGIN");
        try {
            work.run();
            connection.query("COMMIT");
        } catch (StatementRefusedException refused) {
            connection.query("ROLLBACK");
            throw refused;
        }
    }

    /** Whether it was not noted before. */
    private static boolean note(ServerConnection connection, MoveNames names, String deed) {
        return connection
                        .query(
                                "INSERT INTO tenantry.move_deed (moveid, deed) VALUES ($1, md5($2))"
                                        + " ON CONFLICT DO NOTHING RETURNING deed",
                                names.moveId(),
                                deed)
                        .size()
                > 0;
    }

    /** Whether what is there under the schema's name was made by this move. */
    public boolean hasCreated() {
        return isNoted(CREATED);
    }

    private boolean isNoted(String deed) {
        return connection
                        .query(
                                "SELECT FROM tenantry.move_deed WHERE moveid = $1 AND deed = md5($2)",
                                names.moveId(),
                                deed)
                        .size()
                > 0;
    }

    /** Drops what this move has made, if it has. */
    public static void dropCopy(ServerConnection patient, MoveNames names, String schema) {
        inTransaction(patient, () -> {
            patient.query("DROP SCHEMA IF EXISTS " + SqlName.quoted(schema) + " CASCADE");
            patient.query("DELETE FROM tenantry.move_deed WHERE moveid = $1", names.moveId());
        });
    }

    public void forgetDeeds() {
        connection.query("DELETE FROM tenantry.move_deed WHERE moveid = $1", names.moveId());
        connection.query("DELETE FROM tenantry.move_mark WHERE moveid = $1", names.moveId());
    }

    /** Prepares the target to follow the changes since the slot was made. */
    public void subscribe(CoordinatorAddress source) {
        String name = SqlName.quoted(names.replication());
        connection.query("CREATE SUBSCRIPTION " + name + " CONNECTION " + SqlName.literal(connectionString(source))
                + " PUBLICATION " + name + " WITH (create_slot = false, slot_name = "
                + SqlName.literal(names.replication())
                + ", copy_data = false, enabled = false, disable_on_error = true, streaming = off)");
    }

    /** Lets the target follow. */
    public void follow() {
        connection.query("ALTER SUBSCRIPTION " + SqlName.quoted(names.replication()) + " ENABLE");
    }

    /**
     * Ends the replication. The slot stays for {@link Source#dropSlot}: the source need not answer, and were it dropped
     * from here and this ended just then, the subscription would stay without it, and could not be dropped again.
     */
    public void unsubscribe() {
        String name = SqlName.quoted(names.replication());
        connection.query("ALTER SUBSCRIPTION " + name + " DISABLE");
        connection.query("ALTER SUBSCRIPTION " + name + " SET (slot_name = NONE)");
        connection.query("DROP SUBSCRIPTION " + name);
    }

    /** Whether there is a subscription of this move. */
    public boolean isSubscribed() {
        return connection
                        .query("SELECT FROM pg_subscription WHERE subname = $1", names.replication())
                        .size()
                > 0;
    }

    /** How a node signs in at another: as the control plane does. */
    private static String connectionString(CoordinatorAddress address) {
        String mode = address.tls().mode().word();
        boolean verifies = mode.startsWith("verify-");
        // Root certificates would have to lie on the node's disk; see tenantry.set_node_login().
        String encryption = verifies ? "sslmode=require channel_binding=require" : "sslmode=" + mode;
        return "host=" + libpq(address.host()) + " port=" + address.port() + " dbname=" + libpq(address.database())
                + " user=" + libpq(address.user()) + " password=" + libpq(address.password()) + " " + encryption
                + " connect_timeout=10 keepalives_idle=10 tcp_user_timeout=10000";
    }

    private static String libpq(String value) {
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'";
    }

    /** Whether the target follows, which it does until an error. */
    public boolean isFollowing() {
        return connection
                        .query("SELECT FROM pg_subscription WHERE subname = $1 AND subenabled", names.replication())
                        .size()
                > 0;
    }

    /** Whether all that was committed on the source before that mark is here. */
    public boolean hasMark(long mark) {
        return connection
                        .query("SELECT FROM tenantry.move_mark WHERE moveid = $1 AND mark = $2", names.moveId(), mark)
                        .size()
                > 0;
    }

    /** Sets sequences, and lets what was applied until now reach the disk, by committing something of its own. */
    public void setSequences(String schema, Map<String, SequenceValue> values) {
        StringBuilder sql = new StringBuilder("INSERT INTO tenantry.move_deed (moveid, deed) VALUES (")
                .append(names.moveId())
                .append(", 'level') ON CONFLICT (moveid, deed) DO UPDATE SET deed = excluded.deed");
        values.forEach((name, value) -> sql.append("; SELECT setval(")
                .append(SqlName.literal(Source.qualified(schema, name)))
                .append(", ")
                .append(value.last())
                .append(", ")
                .append(value.called())
                .append(')'));
        connection.query(sql.toString());
    }

    /** The oids of relations by name, as a JSON object. */
    public String tableOids(String schema) {
        JsonObject oids = new JsonObject();
        connection.query("""
                SELECT c.relname, c.oid::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'f')
                """, schema).forEach(row -> oids.put(row.getString(0), row.getLong(1)));
        return oids.encode();
    }
}
