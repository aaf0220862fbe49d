package dev.tenantry.control.node.copy;

import dev.tenantry.store.ServerConnection;
import io.vertx.sqlclient.Row;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Finds the tables for whose rows, or for whose mention in a query, a server calls functions that are not known to be
 * harmless: those could be anything, called with the rights of whoever copies the rows. Whoever owns a table may let it
 * call what he likes; a superuser answers for his tables himself.
 *
 * <p>Expressions are judged by the trees that the catalogs keep: harmless are those of known kinds of nodes which call
 * immutable functions of PostgreSQL, or of an extension and a superuser's. Where there is doubt, a table is guarded.
 */
final class RowFunctions {

    /** The types that a type {@code r.type} is made of. */
    private static final String PARTS = """
                    SELECT unnest(ARRAY[t.typbasetype, t.typelem]) FROM pg_type t WHERE t.oid = r.type
                    UNION ALL SELECT a.atttypid FROM pg_type t JOIN pg_attribute a ON a.attrelid = t.typrelid
                    WHERE t.oid = r.type AND a.attnum > 0 AND NOT a.attisdropped
                    UNION ALL SELECT unnest(ARRAY[g.rngsubtype, g.rngtypid]) FROM pg_range g
                    WHERE r.type IN (g.rngtypid, g.rngmultitypid)""";

    /** Of checks, generated columns, indexes, statistics, partition keys, domains; and the casts of rows and keys. */
    private static final String QUERY = """
            WITH RECURSIVE
            ns AS (SELECT oid FROM pg_namespace WHERE nspname = $1),
            rel AS (
                SELECT c.oid, c.relname, c.relkind, c.relowner, c.relpersistence, c.reltype, c.relreplident
                FROM pg_class c JOIN ns ON ns.oid = c.relnamespace WHERE c.relkind IN ('r', 'p')
            ),
            above (rel, oid) AS (
                SELECT oid, oid FROM rel
                UNION SELECT a.rel, i.inhparent FROM above a JOIN pg_inherits i ON i.inhrelid = a.oid
            ),
            own (rel, tree) AS (
                SELECT c.conrelid, c.conbin::text FROM pg_constraint c JOIN rel ON rel.oid = c.conrelid
                WHERE c.contype = 'c'
                UNION ALL SELECT d.adrelid, d.adbin::text FROM pg_attrdef d JOIN rel ON rel.oid = d.adrelid
                JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE a.attgenerated <> ''
                UNION ALL SELECT i.indrelid, concat(i.indexprs, i.indpred) FROM pg_index i
                JOIN rel ON rel.oid = i.indrelid WHERE i.indexprs IS NOT NULL OR i.indpred IS NOT NULL
                UNION ALL SELECT s.stxrelid, s.stxexprs::text FROM pg_statistic_ext s JOIN rel ON rel.oid = s.stxrelid
                WHERE s.stxexprs IS NOT NULL
                UNION ALL SELECT a.rel, p.partexprs::text FROM pg_partitioned_table p JOIN above a ON a.oid = p.partrelid
                WHERE p.partexprs IS NOT NULL
            ),
            early (tree) AS (
                SELECT d.adbin::text FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid
                JOIN ns ON ns.oid = c.relnamespace
            ),
            late (class, oid, tree) AS (
                SELECT 'pg_class'::regclass, c.oid, concat(r.ev_qual, r.ev_action) FROM pg_rewrite r
                JOIN pg_class c ON c.oid = r.ev_class JOIN ns ON ns.oid = c.relnamespace
                UNION ALL SELECT 'pg_class'::regclass, t.tgrelid, t.tgqual::text FROM pg_trigger t
                JOIN rel ON rel.oid = t.tgrelid WHERE t.tgqual IS NOT NULL
                UNION ALL SELECT 'pg_class'::regclass, p.polrelid, concat(p.polqual, p.polwithcheck) FROM pg_policy p
                JOIN rel ON rel.oid = p.polrelid
                UNION ALL SELECT 'pg_proc'::regclass, p.oid, concat(p.proargdefaults, p.prosqlbody) FROM pg_proc p
                JOIN ns ON ns.oid = p.pronamespace
                UNION ALL SELECT 'pg_class'::regclass, o.rel, o.tree FROM own o
                UNION ALL SELECT 'pg_class'::regclass, i.indrelid, concat(i.indexprs, i.indpred) FROM pg_index i
                JOIN pg_class c ON c.oid = i.indrelid JOIN ns ON ns.oid = c.relnamespace WHERE c.relkind = 'm'
                UNION ALL SELECT 'pg_class'::regclass, s.stxrelid, s.stxexprs::text FROM pg_statistic_ext s
                JOIN pg_class c ON c.oid = s.stxrelid JOIN ns ON ns.oid = c.relnamespace WHERE c.relkind = 'm'
                UNION ALL SELECT 'pg_type'::regclass, t.oid, k.conbin::text FROM pg_constraint k
                JOIN pg_type t ON t.oid = k.contypid JOIN ns ON ns.oid = t.typnamespace
            ),
            literal (class, oid, type) AS (
                SELECT DISTINCT l.class, l.oid, m[1]::oid FROM late l, regexp_matches(l.tree, ':consttype (\\d{5,})', 'g') m
                UNION SELECT 'pg_proc'::regclass, p.oid, unnest(ARRAY[
                    CASE WHEN a.agginitval IS NOT NULL THEN a.aggtranstype END,
                    CASE WHEN a.aggminitval IS NOT NULL THEN a.aggmtranstype END])
                FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid JOIN ns ON ns.oid = p.pronamespace
            ),
            reach (rel, type) AS (
                SELECT ns.oid, t.oid FROM ns JOIN pg_type t ON t.typnamespace = ns.oid WHERE t.typtype IN ('d', 'r')
                UNION SELECT rel.oid, a.atttypid FROM rel JOIN pg_attribute a ON a.attrelid = rel.oid
                WHERE a.attnum > 0 AND NOT a.attisdropped AND a.atttypid >= 16384
                UNION SELECT o.rel, m[1]::oid
                FROM own o, regexp_matches(o.tree, ':[a-z_]*type[a-z_]* (\\d{5,})', 'g') m
                UNION SELECT l.type, l.type FROM literal l WHERE l.type >= 16384
                UNION SELECT m[1]::oid, m[1]::oid FROM early e, regexp_matches(e.tree, ':consttype (\\d{5,})', 'g') m
                UNION SELECT r.rel, n.type FROM reach r CROSS JOIN LATERAL (
                    :parts
                    UNION ALL SELECT m[1]::oid
                    FROM pg_constraint c, regexp_matches(c.conbin::text, ':[a-z_]*type[a-z_]* (\\d{5,})', 'g') m
                    WHERE c.contypid = r.type) n (type)
                WHERE n.type >= 16384
            ),
            tree (rel, tree) AS (
                TABLE own
                UNION ALL SELECT r.rel, c.conbin::text FROM reach r JOIN pg_constraint c ON c.contypid = r.type
                WHERE c.contype = 'c'
            ),
            call (rel, function) AS (
                SELECT t.rel, m[1]::oid FROM tree t, regexp_matches(t.tree, ':[a-z]*funcid (\\d+)', 'g') m
                WHERE m[1] <> '0'
                UNION SELECT t.rel, o.oprcode::oid FROM tree t, regexp_matches(t.tree, ':opno (\\d+)', 'g') m
                JOIN pg_operator o ON o.oid = m[1]::oid
                UNION SELECT r.rel, g.rngcanonical::oid FROM reach r JOIN pg_range g ON g.rngtypid = r.type
                WHERE g.rngcanonical <> 0
            ),
            doubtful (rel) AS (
                SELECT c.rel FROM call c LEFT JOIN pg_proc p ON p.oid = c.function
                WHERE NOT coalesce(p.provolatile = 'i' AND (
                    p.oid < 16384 AND p.pronamespace = 'pg_catalog'::regnamespace
                        AND p.proname <> 'satisfies_hash_partition'
                    OR (SELECT o.rolsuper FROM pg_roles o WHERE o.oid = p.proowner) AND EXISTS (
                        SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid
                          AND e.deptype = 'e')), false)
                UNION SELECT t.rel FROM tree t, regexp_matches(t.tree, '\\{([A-Z]+)', 'g') m
                WHERE m[1] <> ALL ('{VAR,CONST,FUNCEXPR,OPEXPR,DISTINCTEXPR,NULLIFEXPR,SCALARARRAYOPEXPR,BOOLEXPR,
                    NULLTEST,BOOLEANTEST,RELABELTYPE,COERCEVIAIO,ARRAYCOERCEEXPR,CONVERTROWTYPEEXPR,COERCETODOMAIN,
                    COERCETODOMAINVALUE,COLLATE,COLLATEEXPR,CASE,CASEEXPR,WHEN,CASEWHEN,CASETESTEXPR,COALESCE,
                    COALESCEEXPR,MINMAX,MINMAXEXPR,ARRAY,ARRAYEXPR,ROW,ROWEXPR,SUBSCRIPTINGREF,FIELDSELECT}')
                UNION SELECT r.rel FROM reach r JOIN pg_type t ON t.oid = r.type AND t.typtype = 'd'
                WHERE t.typnamespace <> (SELECT oid FROM ns) -- the other node's may check something else, or soon
                  AND t.typowner = ANY (ARRAY(SELECT o.oid FROM pg_roles o WHERE NOT o.rolsuper))
                UNION SELECT rel.oid FROM rel JOIN pg_cast k ON k.casttarget = rel.reltype
                WHERE rel.relpersistence = 'u'
                UNION SELECT f.conrelid FROM pg_constraint f JOIN rel ON rel.oid = f.conrelid
                JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = ANY (f.conkey)
                JOIN pg_cast k ON k.castsource = a.atttypid AND k.castfunc >= 16384 WHERE f.contype = 'f'
            ),
            guarded AS (
                -- By arrays: the sizes of sets that are computed are guessed far off, and so are joins with this one.
                SELECT rel.* FROM rel WHERE rel.oid = ANY (ARRAY(SELECT d.rel FROM doubtful d))
                  AND rel.relowner = ANY (ARRAY(SELECT o.oid FROM pg_roles o WHERE NOT o.rolsuper))
            ),
            touched (oid) AS (SELECT DISTINCT a.oid FROM above a JOIN guarded g ON g.oid = a.rel)
            """.replace(":parts", PARTS);

    /**
     * What there is, with its kind: guarded tables, and which of them have rows of their own; types that call
     * something, and constants of such types; functions that guarded tables call and their owners may not; constraints;
     * obstacles.
     *
     * <p>What is added to a table is added to those below it, and a foreign key looks into two tables. Obstacles are
     * what can't be done without a superuser's calling something, by the reason: indexes are looked at when changes are
     * applied to a table without a key, and when one is made part of another; constants of types are read, which has
     * them checked, when views, indexes and the like are made.
     */
    private static final String FINDINGS = QUERY + """
            SELECT 'table', g.relname::text, pg_get_userbyid(g.relowner)::text, (g.relkind = 'r')::text FROM guarded g
            UNION SELECT 'type', NULL, NULL, NULL FROM doubtful d WHERE d.rel NOT IN (SELECT oid FROM rel)
            UNION SELECT 'call', pg_get_userbyid(g.relowner)::text, c.function::regprocedure::text, NULL
            FROM guarded g JOIN call c ON c.rel = g.oid
            WHERE NOT has_function_privilege(g.relowner, c.function, 'EXECUTE')
            UNION SELECT 'constraint', CASE c.contype WHEN 'f' THEN 'foreign key' ELSE 'constraint' END,
                   rel.relname::text, c.conname::text
            FROM rel JOIN pg_constraint c ON c.conrelid = rel.oid AND c.convalidated
            WHERE (c.contype = 'c' AND c.conislocal OR c.contype = 'f' AND c.conparentid = 0)
              AND (c.conrelid IN (SELECT oid FROM touched) OR c.confrelid IN (SELECT oid FROM touched))
            UNION SELECT 'obstacle', 'unlogged', g.oid::regclass::text, NULL
            FROM guarded g WHERE g.relpersistence = 'u' AND g.relkind = 'r'
            UNION SELECT 'obstacle', 'followed', g.oid::regclass::text, NULL FROM guarded g WHERE g.relkind = 'r'
            UNION SELECT 'obstacle', 'keyless', g.oid::regclass::text, NULL
            FROM guarded g JOIN pg_index i ON i.indrelid = g.oid
            WHERE (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL) AND g.relkind = 'r' AND g.relreplident <> 'i'
              AND NOT (g.relreplident = 'd' AND EXISTS (
                  SELECT FROM pg_index k WHERE k.indrelid = g.oid AND k.indisprimary AND k.indimmediate))
            UNION SELECT 'obstacle', 'parted index', i.indexrelid::regclass::text, NULL
            FROM rel JOIN touched t ON t.oid = rel.oid JOIN pg_index i ON i.indrelid = rel.oid
            WHERE rel.relkind = 'p' AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)
            UNION SELECT 'obstacle', 'parted key', c.conrelid::regclass::text, NULL
            FROM rel JOIN pg_constraint c ON c.conrelid = rel.oid
            WHERE rel.relkind = 'p' AND c.contype = 'f' AND c.conparentid = 0
              AND (c.conrelid IN (SELECT oid FROM touched) OR c.confrelid IN (SELECT oid FROM touched))
            UNION SELECT 'obstacle', 'parted call', p.partrelid::regclass::text, NULL FROM guarded g
            JOIN pg_partitioned_table p ON p.partrelid = g.oid WHERE p.partexprs IS NOT NULL AND (
                EXISTS (SELECT FROM pg_index i WHERE i.indrelid = g.oid)
                OR EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = g.oid AND NOT t.tgisinternal)
                OR EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = g.oid AND c.contype = 'f'))
            UNION SELECT 'obstacle', 'elsewhere', c.function::regprocedure::text, NULL
            FROM call c JOIN pg_proc p ON p.oid = c.function
            JOIN doubtful d ON d.rel = c.rel JOIN pg_roles o ON o.oid = p.proowner
            WHERE p.pronamespace <> (SELECT oid FROM ns) AND NOT o.rolsuper
            UNION SELECT 'obstacle', 'constant', pg_describe_object(l.class, l.oid, 0), NULL
            FROM literal l JOIN doubtful d ON d.rel = l.type
            ORDER BY 1, 2, 3, 4
            """;

    /** Tables that no superuser owns, and whether their owners see all rows; no role can be granted that one. */
    private static final String READERS = """
            SELECT c.relname::text, o.rolname::text,
                   has_table_privilege(o.oid, c.oid, 'SELECT') AND has_schema_privilege(o.oid, n.oid, 'USAGE')
                       AND NOT c.relforcerowsecurity AND o.rolname <> 'pg_database_owner'
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles o ON o.oid = c.relowner
            WHERE n.nspname = $1 AND c.relkind = 'r' AND NOT o.rolsuper
            """;

    private RowFunctions() {}

    /** Reads what there is in a schema now. */
    static GuardedTables in(ServerConnection connection, String schema) {
        boolean any = false;
        SortedMap<String, String> owners = new TreeMap<>();
        Map<String, List<String>> calls = new HashMap<>();
        List<GuardedTables.Constraint> constraints = new ArrayList<>();
        Map<String, List<String>> obstacles = new HashMap<>();
        for (Row row : connection.query(FINDINGS, schema)) {
            String first = row.getString(1);
            String second = row.getString(2);
            switch (row.getString(0)) {
                case "table" -> {
                    any = true;
                    if (row.getString(3).equals("true")) {
                        owners.put(first, second);
                    }
                }
                case "type" -> any = true;
                case "call" ->
                    calls.computeIfAbsent(first, owner -> new ArrayList<>()).add(second);
                case "constraint" ->
                    constraints.add(new GuardedTables.Constraint(first, schema, second, row.getString(3)));
                case "obstacle" ->
                    obstacles
                            .computeIfAbsent(first, reason -> new ArrayList<>())
                            .add(second);
                default -> throw new IllegalStateException(row.getString(0));
            }
        }
        Map<String, String> readers = new HashMap<>();
        Set<String> whole = new HashSet<>(owners.keySet());
        for (Row row : connection.query(READERS, schema)) {
            if (!row.getBoolean(2)) {
                whole.add(row.getString(0));
            } else if (!whole.contains(row.getString(0))) {
                readers.put(row.getString(0), row.getString(1));
            }
        }
        // What only tables of superusers call is their affair.
        return new GuardedTables(any, owners, calls, readers, whole, constraints, any ? obstacles : Map.of());
    }
}
