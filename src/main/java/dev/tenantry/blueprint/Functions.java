package dev.tenantry.blueprint;

import dev.tenantry.sql.SqlName;

/** Reads functions and procedures. */
final class Functions {

    private static final String QUERY = """
            SELECT p.oid::bigint AS oid, p.proname::text AS name,
                   CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS word,
                   pg_get_userbyid(p.proowner)::text AS owner, pg_get_functiondef(p.oid) AS definition,
                   pg_get_function_identity_arguments(p.oid) AS arguments,
                   p.prosqlbody IS NOT NULL OR p.pronargdefaults > 0 AS replaceable,
                   p.prokind = 'f' AND (SELECT l.lanname NOT IN ('c', 'internal') FROM pg_language l
                       WHERE l.oid = p.prolang) AS has_text,
                   p.prorettype = 'void'::regtype OR p.proallargtypes IS NOT NULL AS has_no_value,
                   coalesce(' RETURNS ' || pg_get_function_result(p.oid), '') AS result,
                   CASE p.provolatile WHEN 'i' THEN ' IMMUTABLE' WHEN 's' THEN ' STABLE' ELSE '' END AS volatility,
                   ARRAY(SELECT concat_ws(' ', CASE a.mode WHEN 'o' THEN 'OUT' WHEN 'b' THEN 'INOUT'
                                WHEN 'v' THEN 'VARIADIC' ELSE 'IN' END, quote_ident(nullif(a.name, '')),
                                format_type(a.type, NULL),
                                CASE WHEN a.input > p.pronargs - p.pronargdefaults AND a.takes THEN 'DEFAULT NULL' END)
                         FROM (SELECT u.*, coalesce(u.mode, 'i') IN ('i', 'b', 'v') AS takes,
                                      count(*) FILTER (WHERE coalesce(u.mode, 'i') IN ('i', 'b', 'v'))
                                          OVER (ORDER BY u.place) AS input
                               FROM unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargmodes,
                                           p.proargnames) WITH ORDINALITY u (type, mode, name, place)) a
                         WHERE a.mode IS DISTINCT FROM 't' ORDER BY a.place) AS declarations,
                   ARRAY(SELECT DISTINCT t::text
                         FROM unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]) || p.prorettype) t) AS types,
                   coalesce((SELECT i.refobjid::bigint FROM pg_depend i WHERE i.classid = 'pg_proc'::regclass
                       AND i.objid = p.oid AND i.deptype = 'i' AND i.refclassid = 'pg_type'::regclass), 0) AS part_of
            FROM pg_depend d
            JOIN pg_proc p ON p.oid = d.objid AND p.prokind <> 'a'
            WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = :schema
              AND d.classid = 'pg_proc'::regclass
            """;

    private Functions() {}

    /** Reads them after all types and relations. */
    static void read(Snapshot snapshot, Draft draft, Piece schema) {
        for (CatalogRow row : snapshot.rows(QUERY)) {
            String name = QualifiedName.of(snapshot.schema(), row.text("name"));
            String sqlName = name + '(' + row.text("arguments") + ')';
            Address address = Address.function(row.number("oid"));
            draft.names(address, row.text("word"), sqlName);
            if (row.number("part_of") != 0) {
                // A constructor, which comes with its range.
                draft.belongs(
                        address,
                        draft.maker(Address.type(row.number("part_of"))).orElseThrow());
                continue;
            }
            Piece piece = draft.add(PieceKind.FUNCTION, address, sqlName)
                    .with(row.text("definition").strip())
                    .with("ALTER " + row.text("word") + ' ' + sqlName + " OWNER TO "
                            + SqlName.quoted(row.text("owner")));
            if (row.flag("has_text")) {
                piece.idle(declaration(row, name) + " LANGUAGE plpgsql" + row.text("volatility") + " AS 'BEGIN RETURN"
                        + (row.flag("has_no_value") ? "" : " NULL") + "; END'");
            }
            if (row.flag("replaceable")) {
                piece.standIn(stub(row, name, draft).requires(schema.key()));
            }
        }
    }

    /** The same as others see it, without the body and the values of defaults that may need others. */
    private static Piece stub(CatalogRow row, String name, Draft draft) {
        Piece stub = new Piece(new PieceKey(PieceKind.STUB, row.number("oid")), "function " + name);
        for (String type : row.texts("types")) {
            draft.maker(Address.type(Long.parseLong(type))).map(Piece::key).ifPresent(stub::requires);
        }
        return stub.with(
                declaration(row, name) + " LANGUAGE sql" + row.text("volatility") + " AS 'stands in for itself'");
    }

    private static String declaration(CatalogRow row, String name) {
        return "CREATE OR REPLACE " + row.text("word") + ' ' + name + '(' + String.join(", ", row.texts("declarations"))
                + ')' + row.text("result");
    }
}
