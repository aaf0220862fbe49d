package dev.tenantry.blueprint;

/**
 * The queries for objects that are made with statements the server's catalogs can be turned into by themselves. Each
 * gives oid, name, owner (NULL where there is none) and statements.
 */
final class Definitions {

    private static final String OF_SCHEMA = """
            WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = :schema
            """;

    private static final int COLLATION_RULES_SINCE = 16;
    private static final int ONE_COLLATION_LOCALE_SINCE = 17;

    private Definitions() {}

    static String collations(int major) {
        return """
            SELECT c.oid::bigint AS oid, quote_ident(n.nspname) || '.' || quote_ident(c.collname) AS name,
                   pg_get_userbyid(c.collowner)::text AS owner,
                   ARRAY['CREATE COLLATION ' || quote_ident(n.nspname) || '.' || quote_ident(c.collname) || ' ('
                       || concat_ws(', ', 'PROVIDER = ' || CASE c.collprovider WHEN 'i' THEN 'icu'
                              WHEN 'b' THEN 'builtin' ELSE 'libc' END,
                          CASE WHEN NOT c.collisdeterministic THEN 'DETERMINISTIC = false' END,
                          'LOCALE = ' || quote_literal(:locale),
                          'LC_COLLATE = ' || quote_literal(c.collcollate), 'LC_CTYPE = ' || quote_literal(c.collctype),
                          'RULES = ' || quote_literal(:rules)) || ')'] AS statements
            FROM pg_depend d
            JOIN pg_collation c ON c.oid = d.objid AND c.collprovider <> 'd'
            JOIN pg_namespace n ON n.oid = c.collnamespace
            """.replace(":locale", major >= ONE_COLLATION_LOCALE_SINCE ? "c.colllocale" : "c.colliculocale")
                        .replace(":rules", major >= COLLATION_RULES_SINCE ? "c.collicurules" : "NULL")
                + OF_SCHEMA + " AND d.classid = 'pg_collation'::regclass";
    }

    static String conversions() {
        return """
            SELECT c.oid::bigint AS oid, quote_ident(n.nspname) || '.' || quote_ident(c.conname) AS name,
                   pg_get_userbyid(c.conowner)::text AS owner,
                   ARRAY['CREATE ' || CASE WHEN c.condefault THEN 'DEFAULT ' ELSE '' END || 'CONVERSION '
                       || quote_ident(n.nspname) || '.' || quote_ident(c.conname) || ' FOR '
                       || quote_literal(pg_encoding_to_char(c.conforencoding)) || ' TO '
                       || quote_literal(pg_encoding_to_char(c.contoencoding)) || ' FROM ' || c.conproc::regproc]
                       AS statements
            FROM pg_depend d
            JOIN pg_conversion c ON c.oid = d.objid
            JOIN pg_namespace n ON n.oid = c.connamespace
            """ + OF_SCHEMA + " AND d.classid = 'pg_conversion'::regclass";
    }

    static String parsers() {
        return """
            SELECT p.oid::bigint AS oid, quote_ident(n.nspname) || '.' || quote_ident(p.prsname) AS name,
                   NULL::text AS owner,
                   ARRAY['CREATE TEXT SEARCH PARSER ' || quote_ident(n.nspname) || '.' || quote_ident(p.prsname)
                       || ' (START = ' || p.prsstart::regproc || ', GETTOKEN = ' || p.prstoken::regproc || ', END = '
                       || p.prsend::regproc || ', LEXTYPES = ' || p.prslextype::regproc
                       || CASE WHEN p.prsheadline::oid <> 0 THEN ', HEADLINE = ' || p.prsheadline::regproc ELSE '' END
                       || ')'] AS statements
            FROM pg_depend d
            JOIN pg_ts_parser p ON p.oid = d.objid
            JOIN pg_namespace n ON n.oid = p.prsnamespace
            """ + OF_SCHEMA + " AND d.classid = 'pg_ts_parser'::regclass";
    }

    static String templates() {
        return """
            SELECT t.oid::bigint AS oid, quote_ident(n.nspname) || '.' || quote_ident(t.tmplname) AS name,
                   NULL::text AS owner,
                   ARRAY['CREATE TEXT SEARCH TEMPLATE ' || quote_ident(n.nspname) || '.' || quote_ident(t.tmplname)
                       || ' (' || CASE WHEN t.tmplinit::oid <> 0 THEN 'INIT = ' || t.tmplinit::regproc || ', '
                              ELSE '' END || 'LEXIZE = ' || t.tmpllexize::regproc || ')'] AS statements
            FROM pg_depend d
            JOIN pg_ts_template t ON t.oid = d.objid
            JOIN pg_namespace n ON n.oid = t.tmplnamespace
            """ + OF_SCHEMA + " AND d.classid = 'pg_ts_template'::regclass";
    }

    static String dictionaries() {
        return """
            SELECT t.oid::bigint AS oid, quote_ident(n.nspname) || '.' || quote_ident(t.dictname) AS name,
                   pg_get_userbyid(t.dictowner)::text AS owner,
                   ARRAY['CREATE TEXT SEARCH DICTIONARY ' || quote_ident(n.nspname) || '.' || quote_ident(t.dictname)
                       || ' (TEMPLATE = ' || quote_ident(mn.nspname) || '.' || quote_ident(m.tmplname)
                       || coalesce(', ' || t.dictinitoption, '') || ')'] AS statements
            FROM pg_depend d
            JOIN pg_ts_dict t ON t.oid = d.objid
            JOIN pg_namespace n ON n.oid = t.dictnamespace
            JOIN pg_ts_template m ON m.oid = t.dicttemplate
            JOIN pg_namespace mn ON mn.oid = m.tmplnamespace
            """ + OF_SCHEMA + " AND d.classid = 'pg_ts_dict'::regclass";
    }

    static String configurations() {
        return """
            SELECT t.oid::bigint AS oid, quote_ident(n.nspname) || '.' || quote_ident(t.cfgname) AS name,
                   pg_get_userbyid(t.cfgowner)::text AS owner,
                   ARRAY['CREATE TEXT SEARCH CONFIGURATION ' || quote_ident(n.nspname) || '.' || quote_ident(t.cfgname)
                       || ' (PARSER = ' || quote_ident(pn.nspname) || '.' || quote_ident(p.prsname) || ')']
                   || ARRAY(SELECT 'ALTER TEXT SEARCH CONFIGURATION ' || quote_ident(n.nspname) || '.'
                                || quote_ident(t.cfgname) || ' ADD MAPPING FOR ' || quote_ident(k.alias) || ' WITH '
                                || string_agg(quote_ident(dn.nspname) || '.' || quote_ident(di.dictname), ', '
                                       ORDER BY m.mapseqno)
                            FROM pg_ts_config_map m
                            JOIN ts_token_type(t.cfgparser) k ON k.tokid = m.maptokentype
                            JOIN pg_ts_dict di ON di.oid = m.mapdict
                            JOIN pg_namespace dn ON dn.oid = di.dictnamespace
                            WHERE m.mapcfg = t.oid GROUP BY k.alias ORDER BY k.alias) AS statements
            FROM pg_depend d
            JOIN pg_ts_config t ON t.oid = d.objid
            JOIN pg_namespace n ON n.oid = t.cfgnamespace
            JOIN pg_ts_parser p ON p.oid = t.cfgparser
            JOIN pg_namespace pn ON pn.oid = p.prsnamespace
            """ + OF_SCHEMA + " AND d.classid = 'pg_ts_config'::regclass";
    }

    static String aggregates() {
        return """
            SELECT p.oid::bigint AS oid, quote_ident(n.nspname) || '.' || quote_ident(p.proname) || '('
                       || coalesce(nullif(pg_get_function_identity_arguments(p.oid), ''), '*') || ')' AS name,
                   pg_get_userbyid(p.proowner)::text AS owner,
                   ARRAY['CREATE AGGREGATE ' || quote_ident(n.nspname) || '.' || quote_ident(p.proname) || '('
                       || coalesce(nullif(pg_get_function_arguments(p.oid), ''), '*') || ') ('
                       || concat_ws(', ', 'SFUNC = ' || a.aggtransfn::regproc,
                              'STYPE = ' || format_type(a.aggtranstype, NULL),
                              CASE WHEN a.aggtransspace <> 0 THEN 'SSPACE = ' || a.aggtransspace END,
                              CASE WHEN a.aggfinalfn::oid <> 0 THEN 'FINALFUNC = ' || a.aggfinalfn::regproc END,
                              CASE WHEN a.aggfinalextra THEN 'FINALFUNC_EXTRA' END,
                              CASE a.aggfinalmodify WHEN 'r' THEN 'FINALFUNC_MODIFY = READ_ONLY'
                                  WHEN 's' THEN 'FINALFUNC_MODIFY = SHAREABLE'
                                  ELSE 'FINALFUNC_MODIFY = READ_WRITE' END,
                              CASE WHEN a.aggcombinefn::oid <> 0 THEN 'COMBINEFUNC = ' || a.aggcombinefn::regproc END,
                              CASE WHEN a.aggserialfn::oid <> 0 THEN 'SERIALFUNC = ' || a.aggserialfn::regproc END,
                              CASE WHEN a.aggdeserialfn::oid <> 0
                                  THEN 'DESERIALFUNC = ' || a.aggdeserialfn::regproc END,
                              'INITCOND = ' || quote_literal(a.agginitval),
                              CASE WHEN a.aggmtransfn::oid <> 0 THEN 'MSFUNC = ' || a.aggmtransfn::regproc END,
                              CASE WHEN a.aggminvtransfn::oid <> 0 THEN 'MINVFUNC = ' || a.aggminvtransfn::regproc END,
                              CASE WHEN a.aggmtransfn::oid <> 0
                                  THEN 'MSTYPE = ' || format_type(a.aggmtranstype, NULL) END,
                              CASE WHEN a.aggmtransspace <> 0 THEN 'MSSPACE = ' || a.aggmtransspace END,
                              CASE WHEN a.aggmfinalfn::oid <> 0 THEN 'MFINALFUNC = ' || a.aggmfinalfn::regproc END,
                              CASE WHEN a.aggmfinalextra THEN 'MFINALFUNC_EXTRA' END,
                              CASE WHEN a.aggmtransfn::oid <> 0 THEN CASE a.aggmfinalmodify
                                  WHEN 'r' THEN 'MFINALFUNC_MODIFY = READ_ONLY'
                                  WHEN 's' THEN 'MFINALFUNC_MODIFY = SHAREABLE'
                                  ELSE 'MFINALFUNC_MODIFY = READ_WRITE' END END,
                              'MINITCOND = ' || quote_literal(a.aggminitval),
                              (SELECT 'SORTOP = OPERATOR(' || quote_ident(opn.nspname) || '.' || o.oprname || ')'
                               FROM pg_operator o JOIN pg_namespace opn ON opn.oid = o.oprnamespace
                               WHERE o.oid = a.aggsortop),
                              CASE p.proparallel WHEN 's' THEN 'PARALLEL = SAFE' WHEN 'r' THEN 'PARALLEL = RESTRICTED'
                                  END,
                              CASE WHEN a.aggkind = 'h' THEN 'HYPOTHETICAL' END) || ')'] AS statements,
                   'FUNCTION ' || quote_ident(n.nspname) || '.' || quote_ident(p.proname) || '('
                       || array_to_string(ARRAY(SELECT format_type(t, NULL)
                              FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY u (t, i) ORDER BY i), ', ') || ')'
                       AS grant_name
            FROM pg_depend d
            JOIN pg_proc p ON p.oid = d.objid AND p.prokind = 'a'
            JOIN pg_aggregate a ON a.aggfnoid = p.oid
            JOIN pg_namespace n ON n.oid = p.pronamespace
            """ + OF_SCHEMA + " AND d.classid = 'pg_proc'::regclass";
    }

    static String operators() {
        return """
            SELECT o.oid::bigint AS oid, quote_ident(n.nspname) || '.' || o.oprname || ' ('
                       || coalesce(format_type(nullif(o.oprleft, 0), NULL), 'NONE') || ', '
                       || format_type(o.oprright, NULL) || ')' AS name,
                   pg_get_userbyid(o.oprowner)::text AS owner,
                   ARRAY['CREATE OPERATOR ' || quote_ident(n.nspname) || '.' || o.oprname || ' ('
                       || concat_ws(', ', 'FUNCTION = ' || o.oprcode::regproc,
                              'LEFTARG = ' || format_type(nullif(o.oprleft, 0), NULL),
                              'RIGHTARG = ' || format_type(o.oprright, NULL),
                              (SELECT 'COMMUTATOR = OPERATOR(' || quote_ident(cn.nspname) || '.' || c.oprname || ')'
                               FROM pg_operator c JOIN pg_namespace cn ON cn.oid = c.oprnamespace
                               WHERE c.oid = o.oprcom),
                              (SELECT 'NEGATOR = OPERATOR(' || quote_ident(cn.nspname) || '.' || c.oprname || ')'
                               FROM pg_operator c JOIN pg_namespace cn ON cn.oid = c.oprnamespace
                               WHERE c.oid = o.oprnegate),
                              CASE WHEN o.oprrest::oid <> 0 THEN 'RESTRICT = ' || o.oprrest::regproc END,
                              CASE WHEN o.oprjoin::oid <> 0 THEN 'JOIN = ' || o.oprjoin::regproc END,
                              CASE WHEN o.oprcanhash THEN 'HASHES' END, CASE WHEN o.oprcanmerge THEN 'MERGES' END)
                       || ')'] AS statements
            FROM pg_depend d
            JOIN pg_operator o ON o.oid = d.objid AND o.oprcode::oid <> 0
            JOIN pg_namespace n ON n.oid = o.oprnamespace
            """ + OF_SCHEMA + " AND d.classid = 'pg_operator'::regclass";
    }
}
