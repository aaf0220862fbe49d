-- Rows of the catalogs themselves, without oids and what depends on history: an oracle that knows nothing of blueprints.
WITH ns AS (SELECT oid FROM pg_namespace WHERE nspname = :name),
rel AS (SELECT c.* FROM pg_class c JOIN ns ON c.relnamespace = ns.oid)
SELECT 'relation ' || c.relname || ' ' || (to_jsonb(c) - '{oid,relnamespace,reltype,reloftype,relowner,relam,relfilenode,reltablespace,relpages,reltuples,relallvisible,relallfrozen,reltoastrelid,relfrozenxid,relminmxid,relpartbound,relnatts,relhastriggers,relhasrules,relhasindex,relhassubclass,relrewrite,relacl}'::text[])
    || pg_get_userbyid(c.relowner) || coalesce(pg_get_expr(c.relpartbound, c.oid), '') || coalesce(nullif(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))::text, '')
    || CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) ELSE '' END
    || coalesce((SELECT amname FROM pg_am am WHERE am.oid = c.relam), '')
    || coalesce((SELECT t.reloptions::text FROM pg_class t WHERE t.oid = c.reltoastrelid), '')
FROM rel c
UNION ALL
SELECT 'column ' || c.relname || '.' || row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum) || ' '
    || (to_jsonb(a) - '{attrelid,atttypid,attnum,attcollation,attcacheoff,atthasmissing,attmissingval,attoptions,attndims}'::text[])
    || format_type(a.atttypid, a.atttypmod) || coalesce(a.attcollation::regcollation::text, '')
    || (SELECT coalesce(string_agg(o, ','), '') FROM unnest(a.attoptions) o WHERE o NOT LIKE 'pg\_attver=%')
    || coalesce((SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum), '')
FROM rel c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'constraint ' || coalesce(nullif(c.conrelid, 0)::regclass::text, c.contypid::regtype::text) || '.' || c.conname || ' '
    || (to_jsonb(c) - '{oid,connamespace,conrelid,contypid,conindid,conparentid,confrelid,conkey,confkey,conpfeqop,conppeqop,conffeqop,conexclop,conbin,confdelsetcols,connoinherit}'::text[])
    || CASE WHEN c.contype IN ('p', 'u', 'x') THEN '' ELSE c.connoinherit::text END
    || CASE WHEN c.contype = 't' THEN '' ELSE pg_get_constraintdef(c.oid) END
    || coalesce((SELECT p.conname FROM pg_constraint p WHERE p.oid = c.conparentid), '')
FROM pg_constraint c JOIN ns ON c.connamespace = ns.oid
WHERE c.conparentid = 0 OR c.contype <> 'f'
UNION ALL
SELECT 'index ' || c.relname || ' ' || (to_jsonb(i) - '{indexrelid,indrelid,indkey,indcollation,indclass,indexprs,indpred,indcheckxmin}'::text[])
    || pg_get_indexdef(i.indexrelid)
FROM rel c JOIN pg_index i ON i.indexrelid = c.oid
UNION ALL
SELECT 'trigger ' || c.relname || '.' || t.tgname || ' ' || t.tgenabled::text || pg_get_triggerdef(t.oid)
FROM rel c JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal
UNION ALL
SELECT 'rule ' || c.relname || '.' || r.rulename || ' ' || r.ev_enabled::text || pg_get_ruledef(r.oid)
FROM rel c JOIN pg_rewrite r ON r.ev_class = c.oid
UNION ALL
SELECT 'policy ' || c.relname || '.' || p.polname || ' ' || p.polcmd::text || p.polpermissive || (SELECT string_agg(CASE WHEN r = 0 THEN 'public' ELSE pg_get_userbyid(r) END, ',' ORDER BY r) FROM unnest(p.polroles) r)
    || coalesce(pg_get_expr(p.polqual, p.polrelid), '') || coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '')
FROM rel c JOIN pg_policy p ON p.polrelid = c.oid
UNION ALL
SELECT 'inherits ' || i.inhrelid::regclass || ' ' || i.inhparent::regclass || ' ' || i.inhseqno
FROM rel c JOIN pg_inherits i ON i.inhrelid = c.oid
UNION ALL
SELECT 'sequence ' || c.relname || ' ' || (to_jsonb(s) - '{seqrelid,seqtypid}'::text[]) || format_type(s.seqtypid, NULL)
FROM rel c JOIN pg_sequence s ON s.seqrelid = c.oid
UNION ALL
SELECT 'function ' || p.oid::regprocedure || ' ' || CASE WHEN p.prokind = 'a' THEN '' ELSE pg_get_functiondef(p.oid) END
    || coalesce(nullif(p.proacl, acldefault('f', p.proowner))::text, '') || pg_get_userbyid(p.proowner) || p.proparallel::text || p.procost
FROM pg_proc p JOIN ns ON p.pronamespace = ns.oid
UNION ALL
SELECT 'type ' || t.typname || ' ' || (to_jsonb(t) - '{oid,typnamespace,typowner,typacl,typrelid,typelem,typarray,typbasetype,typcollation,typdefaultbin}'::text[])
    || coalesce(nullif(t.typacl, acldefault('T', t.typowner))::text, '')
    || pg_get_userbyid(t.typowner) || coalesce(format_type(nullif(t.typbasetype, 0), t.typtypmod), '') || coalesce(pg_get_expr(t.typdefaultbin, 0), '')
FROM pg_type t JOIN ns ON t.typnamespace = ns.oid
UNION ALL
SELECT 'enum ' || e.enumtypid::regtype || ' ' || string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder)
FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid JOIN ns ON t.typnamespace = ns.oid GROUP BY e.enumtypid
UNION ALL
SELECT 'statistics ' || s.stxname || ' ' || pg_get_statisticsobjdef(s.oid) || coalesce(s.stxstattarget, -1) || pg_get_userbyid(s.stxowner)
FROM pg_statistic_ext s JOIN ns ON s.stxnamespace = ns.oid
UNION ALL
SELECT 'operator ' || o.oid::regoperator || ' ' || o.oprcode || coalesce(nullif(o.oprcom, 0)::regoperator::text, '') || coalesce(nullif(o.oprnegate, 0)::regoperator::text, '') || o.oprcanhash || o.oprcanmerge || o.oprrest || o.oprjoin || pg_get_userbyid(o.oprowner)
FROM pg_operator o JOIN ns ON o.oprnamespace = ns.oid
UNION ALL
SELECT 'collation ' || c.collname || ' ' || (to_jsonb(c) - '{oid,collnamespace,collowner,collversion}'::text[]) || pg_get_userbyid(c.collowner)
FROM pg_collation c JOIN ns ON c.collnamespace = ns.oid
UNION ALL
SELECT 'member ' || f.opfname || ' ' || m.amopstrategy || m.amopopr::regoperator || m.amoppurpose::text
FROM pg_opfamily f JOIN ns ON f.opfnamespace = ns.oid JOIN pg_amop m ON m.amopfamily = f.oid
UNION ALL
SELECT 'support ' || f.opfname || ' ' || m.amprocnum || m.amproc::regprocedure
FROM pg_opfamily f JOIN ns ON f.opfnamespace = ns.oid JOIN pg_amproc m ON m.amprocfamily = f.oid
UNION ALL
SELECT 'cast ' || c.castsource::regtype || ' ' || c.casttarget::regtype || c.castcontext::text || c.castmethod::text || c.castfunc::regprocedure
FROM pg_cast c WHERE c.oid >= 16384
UNION ALL
SELECT 'configuration ' || c.cfgname || ' ' || coalesce(string_agg(m.maptokentype || ':' || m.mapseqno || ':' || m.mapdict::regdictionary, ',' ORDER BY m.maptokentype, m.mapseqno), '')
FROM pg_ts_config c JOIN ns ON c.cfgnamespace = ns.oid LEFT JOIN pg_ts_config_map m ON m.mapcfg = c.oid GROUP BY c.oid, c.cfgname
UNION ALL
SELECT 'default privileges ' || pg_get_userbyid(a.defaclrole) || a.defaclobjtype::text || a.defaclacl::text
FROM pg_default_acl a JOIN ns ON a.defaclnamespace = ns.oid
UNION ALL
SELECT 'schema ' || n.nspname || pg_get_userbyid(n.nspowner) || coalesce(nullif(n.nspacl, acldefault('n', n.nspowner))::text, '')
FROM pg_namespace n JOIN ns ON n.oid = ns.oid
UNION ALL
SELECT 'published ' || p.pubname || ' ' || r.prrelid::regclass || coalesce(pg_get_expr(r.prqual, r.prrelid), '')
    || coalesce((SELECT string_agg(a.attname, ',' ORDER BY a.attname) FROM unnest(r.prattrs::int2[]) k JOIN pg_attribute a ON a.attrelid = r.prrelid AND a.attnum = k), '')
FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
UNION ALL
SELECT 'comment ' || i.type || ' ' || i.identity || ' ' || d.description
FROM pg_description d CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) i WHERE d.objoid >= 16384
ORDER BY 1
