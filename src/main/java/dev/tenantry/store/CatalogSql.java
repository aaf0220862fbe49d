package dev.tenantry.store;

import static dev.tenantry.store.generated.Tables.CLUSTER;
import static dev.tenantry.store.generated.Tables.COMMIT_RECORD;
import static dev.tenantry.store.generated.Tables.DROPPED_SCHEMA;
import static dev.tenantry.store.generated.Tables.NODE;
import static dev.tenantry.store.generated.Tables.NODE_SCRIPT;
import static dev.tenantry.store.generated.Tables.NODE_SIZE;
import static dev.tenantry.store.generated.Tables.PAUSE;
import static dev.tenantry.store.generated.Tables.SCHEMA;
import static org.jooq.impl.DSL.condition;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.table;
import static org.jooq.impl.DSL.val;

import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.Query;
import org.jooq.Record;
import org.jooq.SQLDialect;
import org.jooq.Table;
import org.jooq.conf.Settings;
import org.jooq.impl.DSL;
import org.jooq.impl.SQLDataType;

/** The store's statements on its own tables, rendered once; parameters are {@code $1, $2 ...} in the order of use. */
final class CatalogSql {

    static {
        System.setProperty("org.jooq.no-logo", "true");
        System.setProperty("org.jooq.no-tips", "true");
    }

    private static final DSLContext DSL_CONTEXT = DSL.using(
            SQLDialect.POSTGRES, new Settings().withRenderNamedParamPrefix("$").withRenderFormatted(false));

    /** More than could be prepared at a time, so that those to keep never hide those to forget. */
    private static final int COMMITTED_MAX = 10_000;

    private static final Table<Record> NAMESPACE = table(name("pg_catalog", "pg_namespace"));
    private static final Field<Long> NAMESPACE_OID = field(name("pg_namespace", "oid"), SQLDataType.BIGINT);
    private static final Field<String> NSPNAME = field(name("pg_namespace", "nspname"), SQLDataType.VARCHAR);

    /** Cluster id, database. */
    static final String IDENTITY =
            render(DSL_CONTEXT.select(CLUSTER.CLUSTER_ID, CLUSTER.DATABASE_NAME).from(CLUSTER));

    /** Node id, group, name, host, port, active, may have schemas, bytes; by node id. */
    static final String NODES = render(DSL_CONTEXT
            .select(
                    NODE.NODEID,
                    NODE.GROUPID,
                    NODE.NAME,
                    NODE.NODENAME,
                    NODE.NODEPORT,
                    NODE.ISACTIVE,
                    NODE.SHOULDHAVESHARDS,
                    DSL.coalesce(NODE_SIZE.BYTES, inline(0L)))
            .from(NODE)
            .leftJoin(NODE_SIZE)
            .on(NODE_SIZE.NODEID.eq(NODE.NODEID))
            .orderBy(NODE.NODEID));

    /** Schema oid, name, colocation id, node id, transaction of what changed in transaction $1 or a later one. */
    static final String SCHEMAS_SINCE = render(DSL_CONTEXT
            .select(
                    SCHEMA.SCHEMAID.cast(SQLDataType.BIGINT),
                    NSPNAME,
                    SCHEMA.COLOCATIONID,
                    SCHEMA.NODEID,
                    field("{0}::text::bigint", SQLDataType.BIGINT, SCHEMA.CHANGED))
            .from(SCHEMA)
            .join(NAMESPACE)
            .on(NAMESPACE_OID.eq(SCHEMA.SCHEMAID))
            .where(since(SCHEMA.CHANGED)));

    /** Oids of schemas dropped in transaction $1 or a later one. */
    static final String DROPPED_SINCE = render(DSL_CONTEXT
            .select(DROPPED_SCHEMA.SCHEMAID.cast(SQLDataType.BIGINT))
            .from(DROPPED_SCHEMA)
            .where(since(DROPPED_SCHEMA.CHANGED)));

    /** Number, name of the schema or null, node id or null of what is paused, and what of it; by number. */
    static final String PAUSES = render(DSL_CONTEXT
            .select(PAUSE.PAUSEID, NSPNAME, PAUSE.NODEID, PAUSE.HELD)
            .from(PAUSE)
            .leftJoin(NAMESPACE)
            .on(NAMESPACE_OID.eq(PAUSE.SCHEMAID))
            .where(PAUSE.NODEID.isNotNull().or(NSPNAME.isNotNull()))
            .orderBy(PAUSE.PAUSEID));

    /** Keeps a script ($1 name, $2 text); counts no row if it is that one already. */
    static final String PUT_SCRIPT = render(DSL_CONTEXT
            .insertInto(NODE_SCRIPT, NODE_SCRIPT.NAME, NODE_SCRIPT.SCRIPT)
            .values(val(""), val(""))
            .onConflict(NODE_SCRIPT.NAME)
            .doUpdate()
            .set(NODE_SCRIPT.SCRIPT, DSL.excluded(NODE_SCRIPT.SCRIPT))
            .where(NODE_SCRIPT.SCRIPT.ne(DSL.excluded(NODE_SCRIPT.SCRIPT))));

    /** Inserts a decision to abort ($1 global id); a unique violation says that it was decided to commit. */
    static final String DECIDE_ABORT = render(DSL_CONTEXT
            .insertInto(COMMIT_RECORD, COMMIT_RECORD.GID, COMMIT_RECORD.ABORTED)
            .values(val(""), inline(true)));

    /** Some global ids that were decided to commit, and the ids of the nodes they were prepared on. */
    static final String COMMITTED = render(DSL_CONTEXT
            .select(COMMIT_RECORD.GID, COMMIT_RECORD.NODES)
            .from(COMMIT_RECORD)
            .where(COMMIT_RECORD.ABORTED.isFalse())
            .limit(inline(COMMITTED_MAX)));

    /** Whether global id $1 was decided to abort; no row when nothing is known. */
    static final String DECISION =
            render(DSL_CONTEXT.select(COMMIT_RECORD.ABORTED).from(COMMIT_RECORD).where(COMMIT_RECORD.GID.eq(val(""))));

    /** Forgets that these global ids, array $1, were decided to commit. */
    static final String FORGET = render(DSL_CONTEXT
            .deleteFrom(COMMIT_RECORD)
            .where(COMMIT_RECORD.GID.eq(DSL.any(val(new String[0]))))
            .and(COMMIT_RECORD.ABORTED.isFalse()));

    private CatalogSql() {}

    private static Condition since(Field<?> changed) {
        return condition("{0} >= {1}::text::xid8", changed, val(""));
    }

    private static String render(Query query) {
        return DSL_CONTEXT.renderNamedParams(query);
    }
}
