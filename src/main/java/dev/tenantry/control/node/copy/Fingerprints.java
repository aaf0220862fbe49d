package dev.tenantry.control.node.copy;

/**
 * Queries that tell whether something in the schema $1, or something that uses it, has changed while it moves. Each row
 * of a system catalog tells the transaction that made it, whose number may be any of 32 bits.
 */
final class Fingerprints {

    /** Everything in the definition; of relations without what TRUNCATE, CLUSTER and REFRESH change. */
    static final String DEFINITION = """
            WITH ns AS (SELECT oid, xmin FROM pg_namespace WHERE nspname = $1),
            rel AS (SELECT c.* FROM pg_class c JOIN ns ON ns.oid = c.relnamespace),
            piece (oid, made) AS (
                SELECT oid, xmin::text::bigint FROM ns
                UNION ALL SELECT oid, hash_record_extended(ROW(relname, relkind, relowner, relacl, relam, reltablespace,
                        reloftype, relpersistence, relispopulated, relreplident, relrowsecurity, relforcerowsecurity,
                        relispartition, relpartbound::text, reloptions), 0) FROM rel
                UNION ALL SELECT a.attrelid, a.xmin::text::bigint FROM pg_attribute a JOIN rel ON rel.oid = a.attrelid
                UNION ALL SELECT a.oid, a.xmin::text::bigint FROM pg_attrdef a JOIN rel ON rel.oid = a.adrelid
                UNION ALL SELECT i.inhrelid, i.xmin::text::bigint FROM pg_inherits i JOIN rel ON rel.oid = i.inhrelid
                UNION ALL SELECT i.indexrelid, i.xmin::text::bigint FROM pg_index i JOIN rel ON rel.oid = i.indexrelid
                UNION ALL SELECT t.oid, t.xmin::text::bigint FROM pg_trigger t JOIN rel ON rel.oid = t.tgrelid
                UNION ALL SELECT r.oid, r.xmin::text::bigint FROM pg_rewrite r JOIN rel ON rel.oid = r.ev_class
                UNION ALL SELECT p.oid, p.xmin::text::bigint FROM pg_policy p JOIN rel ON rel.oid = p.polrelid
                UNION ALL SELECT s.seqrelid, s.xmin::text::bigint FROM pg_sequence s JOIN rel ON rel.oid = s.seqrelid
                UNION ALL SELECT c.oid, c.xmin::text::bigint FROM pg_constraint c JOIN ns ON ns.oid = c.connamespace
                UNION ALL SELECT p.oid, p.xmin::text::bigint FROM pg_proc p JOIN ns ON ns.oid = p.pronamespace
                UNION ALL SELECT t.oid, t.xmin::text::bigint FROM pg_type t JOIN ns ON ns.oid = t.typnamespace
                UNION ALL SELECT e.oid, e.xmin::text::bigint FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid
                          JOIN ns ON ns.oid = t.typnamespace
                UNION ALL SELECT o.oid, o.xmin::text::bigint FROM pg_operator o JOIN ns ON ns.oid = o.oprnamespace
                UNION ALL SELECT o.oid, o.xmin::text::bigint FROM pg_opclass o JOIN ns ON ns.oid = o.opcnamespace
                UNION ALL SELECT o.oid, o.xmin::text::bigint FROM pg_opfamily o JOIN ns ON ns.oid = o.opfnamespace
                UNION ALL SELECT a.oid, a.xmin::text::bigint FROM pg_amop a JOIN pg_opfamily o ON o.oid = a.amopfamily
                          JOIN ns ON ns.oid = o.opfnamespace
                UNION ALL SELECT a.oid, a.xmin::text::bigint FROM pg_amproc a JOIN pg_opfamily o
                          ON o.oid = a.amprocfamily JOIN ns ON ns.oid = o.opfnamespace
                UNION ALL SELECT c.oid, c.xmin::text::bigint FROM pg_collation c JOIN ns ON ns.oid = c.collnamespace
                UNION ALL SELECT c.oid, c.xmin::text::bigint FROM pg_conversion c JOIN ns ON ns.oid = c.connamespace
                UNION ALL SELECT c.oid, c.xmin::text::bigint FROM pg_ts_config c JOIN ns ON ns.oid = c.cfgnamespace
                UNION ALL SELECT c.mapcfg, c.xmin::text::bigint FROM pg_ts_config_map c JOIN pg_ts_config f
                          ON f.oid = c.mapcfg JOIN ns ON ns.oid = f.cfgnamespace
                UNION ALL SELECT d.oid, d.xmin::text::bigint FROM pg_ts_dict d JOIN ns ON ns.oid = d.dictnamespace
                UNION ALL SELECT p.oid, p.xmin::text::bigint FROM pg_ts_parser p JOIN ns ON ns.oid = p.prsnamespace
                UNION ALL SELECT t.oid, t.xmin::text::bigint FROM pg_ts_template t JOIN ns ON ns.oid = t.tmplnamespace
                UNION ALL SELECT s.oid, s.xmin::text::bigint FROM pg_statistic_ext s JOIN ns ON ns.oid = s.stxnamespace
                UNION ALL SELECT a.oid, a.xmin::text::bigint FROM pg_default_acl a JOIN ns ON ns.oid = a.defaclnamespace
                UNION ALL SELECT d.objoid, d.xmin::text::bigint FROM pg_description d JOIN rel ON rel.oid = d.objoid
                UNION ALL SELECT d.objoid, d.xmin::text::bigint FROM pg_description d JOIN ns ON ns.oid = d.objoid
                UNION ALL SELECT d.objoid, d.xmin::text::bigint FROM pg_description d JOIN pg_proc p ON p.oid = d.objoid
                          JOIN ns ON ns.oid = p.pronamespace
                UNION ALL SELECT d.objoid, d.xmin::text::bigint FROM pg_description d JOIN pg_type t ON t.oid = d.objoid
                          JOIN ns ON ns.oid = t.typnamespace
                UNION ALL SELECT l.objoid, l.xmin::text::bigint FROM pg_seclabel l JOIN rel ON rel.oid = l.objoid
                UNION ALL SELECT r.oid, r.xmin::text::bigint FROM pg_publication_rel r JOIN rel ON rel.oid = r.prrelid
                UNION ALL SELECT p.oid, p.xmin::text::bigint FROM pg_publication_namespace p
                          JOIN ns ON ns.oid = p.pnnspid
            )
            SELECT count(*) || '/' || sum(hashint8extended(made, oid::bigint)) FROM piece
            """;

    /** Which tables there are, and which columns they have had. */
    static final String TABLES = """
            WITH rel AS (SELECT c.oid, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                         WHERE n.nspname = $1 AND c.relkind = 'r'),
            piece (made) AS (
                SELECT hashtextextended(relname::text, oid::bigint) FROM rel
                UNION ALL SELECT hashint8extended(a.xmin::text::bigint, hashint8extended(a.attrelid::bigint, a.attnum))
                          FROM pg_attribute a JOIN rel ON rel.oid = a.attrelid WHERE a.attnum > 0
            )
            SELECT count(*) || '/' || coalesce(sum(made), 0) FROM piece
            """;

    /** What uses something of the schema and is of another one; a few kinds of objects are all that can. */
    static final String USED_BY = """
            WITH ns AS (SELECT oid FROM pg_namespace WHERE nspname = $1),
            mine (catalog, oid) AS (
                SELECT 'pg_class'::regclass::oid, c.oid FROM pg_class c JOIN ns ON ns.oid = c.relnamespace
                UNION ALL SELECT 'pg_type'::regclass, t.oid FROM pg_type t JOIN ns ON ns.oid = t.typnamespace
                UNION ALL SELECT 'pg_proc'::regclass, p.oid FROM pg_proc p JOIN ns ON ns.oid = p.pronamespace
            )
            SELECT DISTINCT pg_describe_object(d.classid, d.objid, 0) FROM mine
            JOIN pg_depend d ON d.refclassid = mine.catalog AND d.refobjid = mine.oid AND d.deptype <> 'i'
            LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
            LEFT JOIN pg_attrdef a ON d.classid = 'pg_attrdef'::regclass AND a.oid = d.objid
            LEFT JOIN pg_trigger t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
            LEFT JOIN pg_policy o ON d.classid = 'pg_policy'::regclass AND o.oid = d.objid
            LEFT JOIN pg_class c ON c.oid = CASE d.classid WHEN 'pg_class'::regclass THEN d.objid
                ELSE coalesce(r.ev_class, a.adrelid, t.tgrelid, o.polrelid) END
            LEFT JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
            LEFT JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
            LEFT JOIN pg_type y ON d.classid = 'pg_type'::regclass AND y.oid = d.objid
            WHERE coalesce(c.relnamespace, k.connamespace, p.pronamespace, y.typnamespace) <> (SELECT oid FROM ns)
            ORDER BY 1
            """;

    private Fingerprints() {}
}
