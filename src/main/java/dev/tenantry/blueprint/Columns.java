package dev.tenantry.blueprint;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The columns of all tables, views and materialized views of a schema, by relation and in their order. */
final class Columns {

    private static final String NOT_NULL_AS_FLAG = """
            a.attnotnull AS not_null, NULL::text AS not_null_name, true AS not_null_inherits, true AS not_null_local
            """;

    /** From 18 on they are constraints, whose names must differ within the schema, not only within the table. */
    private static final String NOT_NULL_AS_CONSTRAINT = """
            nn.oid IS NOT NULL AS not_null, nn.conname::text AS not_null_name,
            NOT nn.connoinherit AS not_null_inherits, nn.conislocal AS not_null_local
            """;

    private static final String NOT_NULL_JOIN = """
            LEFT JOIN pg_constraint nn ON nn.conrelid = c.oid AND nn.contype = 'n' AND nn.convalidated
                AND nn.conkey[1] = a.attnum
            """;

    /** Minor releases of 2026 keep a mark of their own among a column's options, which they set themselves. */
    private static final String QUERY = """
            SELECT a.attrelid::bigint AS relation, a.attnum::bigint AS number, a.attname::text AS name,
                   format_type(a.atttypid, a.atttypmod) AS type,
                   CASE WHEN a.attcollation <> t.typcollation
                        THEN quote_ident(cn.nspname) || '.' || quote_ident(co.collname) END AS collation,
                   :not_null,
                   CASE WHEN a.attgenerated = '' THEN pg_get_expr(ad.adbin, ad.adrelid) END AS default_value,
                   CASE a.attgenerated WHEN 's' THEN 'AS (' || pg_get_expr(ad.adbin, ad.adrelid) || ') STORED'
                        WHEN 'v' THEN 'AS (' || pg_get_expr(ad.adbin, ad.adrelid) || ') VIRTUAL' END AS generated,
                   CASE a.attidentity WHEN 'a' THEN 'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' END AS identity,
                   a.attislocal AS local,
                   CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN'
                        ELSE 'EXTENDED' END AS storage,
                   a.attstorage = t.typstorage AS storage_of_type,
                   CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END AS compression,
                   nullif(a.attstattarget, -1)::text AS statistics,
                   ARRAY(SELECT o FROM unnest(a.attoptions) o WHERE o NOT LIKE 'pg\\_attver=%') AS options,
                   coalesce(ad.oid::bigint, 0) AS default_oid
            FROM pg_depend d
            JOIN pg_class c ON c.oid = d.objid
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            JOIN pg_type t ON t.oid = a.atttypid
            LEFT JOIN pg_collation co ON co.oid = a.attcollation
            LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
            LEFT JOIN pg_attrdef ad ON ad.adrelid = a.attrelid AND ad.adnum = a.attnum
            :join
            WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = :schema
              AND d.classid = 'pg_class'::regclass AND c.relkind IN ('r', 'p', 'v', 'm')
            ORDER BY a.attrelid, a.attnum
            """;

    /** Not-null constraints can be named and inherited, which the flag of older servers can't. */
    private static final int NOT_NULL_CONSTRAINTS_SINCE = 18;

    private final Map<Long, List<Column>> byRelation = new HashMap<>();
    private final Map<Long, Map<Long, Long>> defaults = new HashMap<>();

    private Columns() {}

    static Columns read(Snapshot snapshot) {
        boolean constraints = snapshot.major() >= NOT_NULL_CONSTRAINTS_SINCE;
        Columns columns = new Columns();
        String query = QUERY.replace(":not_null", constraints ? NOT_NULL_AS_CONSTRAINT : NOT_NULL_AS_FLAG)
                .replace(":join", constraints ? NOT_NULL_JOIN : "");
        for (CatalogRow row : snapshot.rows(query)) {
            long relation = row.number("relation");
            columns.byRelation
                    .computeIfAbsent(relation, first -> new ArrayList<>())
                    .add(Column.of(row));
            if (row.number("default_oid") > 0) {
                columns.defaults
                        .computeIfAbsent(relation, first -> new HashMap<>())
                        .put(row.number("number"), row.number("default_oid"));
            }
        }
        return columns;
    }

    /** Those of one relation, in order. */
    List<Column> of(long relation) {
        return byRelation.getOrDefault(relation, List.of());
    }

    /** The row of pg_attrdef that holds a column's default or generation expression. */
    Address expression(long relation, Column column) {
        Long oid = defaults.getOrDefault(relation, Map.of()).get(column.number());
        if (oid == null) {
            throw new DefinitionChangedException("the expression of column " + column.sqlName() + " is gone");
        }
        return new Address(Address.DEFAULT, oid);
    }
}
