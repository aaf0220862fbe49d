package dev.tenantry.control.node;

import dev.tenantry.sql.RoutineTraces;
import dev.tenantry.store.ServerConnection;
import io.vertx.sqlclient.Row;
import java.util.HashSet;
import java.util.Set;

/**
 * Looks through the routines of one node, and through the expressions that run unseen (views, rules, defaults,
 * policies, constraints, triggers), for any that may leave something in the server process.
 */
public final class TraceSurvey {

    /** Extensions whose functions, but for those that {@link RoutineTraces} knows by name, leave nothing. */
    private static final String[] HARMLESS_EXTENSIONS = {
        "amcheck",
        "autoinc",
        "bloom",
        "btree_gin",
        "btree_gist",
        "citext",
        "cube",
        "dblink",
        "dict_int",
        "dict_xsyn",
        "earthdistance",
        "fuzzystrmatch",
        "hstore",
        "insert_username",
        "intarray",
        "isn",
        "lo",
        "ltree",
        "moddatetime",
        "pageinspect",
        "pg_buffercache",
        "pg_freespacemap",
        "pg_prewarm",
        "pg_stat_statements",
        "pg_trgm",
        "pg_visibility",
        "pg_walinspect",
        "pgcrypto",
        "pgrowlocks",
        "pgstattuple",
        "plpgsql",
        "postgres_fdw",
        "refint",
        "seg",
        "sslinfo",
        "tablefunc",
        "tcn",
        "tsm_system_rows",
        "tsm_system_time",
        "unaccent",
        "uuid-ossp",
        "vector",
        "xml2"
    };

    private static final String MOMENT = """
            SELECT c.last_value, pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint
            FROM tenantry.routine_changes c, pg_current_snapshot() s
            """;

    /** A schema for each tenant has the same routines many times. */
    private static final String ROUTINES = """
            SELECT DISTINCT l.lanname::text,
                   CASE WHEN p.prosqlbody IS NULL THEN p.prosrc ELSE pg_get_function_sqlbody(p.oid) END
            FROM pg_proc p
            JOIN pg_language l ON l.oid = p.prolang
            WHERE p.oid >= 16384 AND p.pronamespace <> 'tenantry'::regnamespace
              AND p.prokind <> 'a' -- nothing but the functions it is made of, which are looked at themselves
              AND NOT EXISTS (
                  SELECT FROM pg_depend d
                  JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
                  WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
                    AND e.extname = ANY($1))
            """;

    private static final String EXPRESSIONS = """
            WITH expression(tree) AS (
                SELECT ev_action::text || ev_qual::text FROM pg_rewrite WHERE oid >= 16384
                UNION ALL SELECT adbin::text FROM pg_attrdef
                UNION ALL SELECT concat(polqual::text, polwithcheck::text) FROM pg_policy
                UNION ALL SELECT conbin::text FROM pg_constraint WHERE oid >= 16384 AND conbin IS NOT NULL
                UNION ALL SELECT tgqual::text FROM pg_trigger WHERE tgqual IS NOT NULL
                UNION ALL SELECT typdefaultbin::text FROM pg_type WHERE oid >= 16384 AND typdefaultbin IS NOT NULL
            ), called(function) AS (
                SELECT DISTINCT (regexp_matches(tree, ':funcid (\\d+)', 'g'))[1]::oid FROM expression
            )
            SELECT p.proname::text FROM called JOIN pg_proc p ON p.oid = called.function WHERE p.oid < 16384
            UNION ALL SELECT 'set_config' FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
                WHERE d.classid = 'pg_rewrite'::regclass AND d.refobjid = 'pg_settings'::regclass AND r.oid >= 16384
            UNION SELECT p.proname::text FROM called JOIN pg_proc p ON p.oid = called.function
                WHERE p.oid >= 16384 AND p.prolang = (SELECT oid FROM pg_language WHERE lanname = 'c')
            """;

    private static final int SETTINGS_MAX = 100;

    /** Of functions that extensions bring nobody expects that they set settings for others to read. */
    private static final String SETTINGS = """
            SELECT DISTINCT lower(found[1]) FROM pg_proc p, regexp_matches(
                CASE WHEN p.prosqlbody IS NULL THEN p.prosrc ELSE pg_get_function_sqlbody(p.oid) END,
                '(?:\\m(?:set_config|current_setting)\\s*\\(\\s*''|\\mset\\s+(?:session\\s+)?)'
                    || '([[:alpha:]_][[:alnum:]_$]*(?:\\.[[:alpha:]_][[:alnum:]_$]*)+)', 'gi') AS found
            WHERE p.oid >= 16384 AND p.pronamespace <> 'tenantry'::regnamespace AND p.prokind <> 'a'
            LIMIT $1
            """;

    private TraceSurvey() {}

    /**
     * A moment in the life of a node.
     *
     * @param changes differs whenever a routine or one of those expressions may have changed
     * @param oldestRunning all transactions before this one have ended
     * @param next no transaction from this one on has begun
     */
    public record Moment(long changes, long oldestRunning, long next) {}

    /** The moment it is there. */
    public static Moment moment(ServerConnection node) {
        Row row = node.query(MOMENT).iterator().next();
        return new Moment(row.getLong(0), row.getLong(1), row.getLong(2));
    }

    /** The settings with a prefix that routines there name, in lower case; some of them if there are very many. */
    public static Set<String> settings(ServerConnection node) {
        Set<String> names = new HashSet<>();
        node.query(SETTINGS, SETTINGS_MAX).forEach(row -> names.add(row.getString(0)));
        return names;
    }

    /** Whether nothing there leaves anything; what transactions that still run are about to add is not seen. */
    public static boolean isTraceless(ServerConnection node) {
        for (Row routine : node.query(ROUTINES, (Object) HARMLESS_EXTENSIONS)) {
            if (!RoutineTraces.isTraceless(routine.getString(0), routine.getString(1))) {
                return false;
            }
        }
        for (Row function : node.query(EXPRESSIONS)) {
            if (RoutineTraces.mayLeave(function.getString(0))) {
                return false;
            }
        }
        return true;
    }
}
