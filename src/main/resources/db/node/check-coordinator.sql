-- What check.sql does not ask because only the coordinator must have it, in the same form.
WITH catalog AS (
    SELECT EXISTS (
        SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'tenantry' AND c.relname = 'flyway_schema_history') AS there
), dblink AS (
    SELECT n.nspname
    FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'dblink'
)
SELECT problem, detail, hint
FROM catalog, LATERAL (VALUES
    (NOT EXISTS (SELECT 1 FROM dblink)
         AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_available_extensions WHERE name = 'dblink'),
     'extension "dblink" is not available',
     'The coordinator asks the other nodes through it.',
     'Install PostgreSQL''s contrib modules on that server: the package is postgresql-contrib, or postgresql'
         || current_setting('server_version_num')::int / 10000 || '-contrib. The server need not be restarted.'),
    (EXISTS (SELECT 1 FROM dblink WHERE NOT catalog.there OR nspname <> 'tenantry'),
     'extension "dblink" is there already, in schema "' || (SELECT nspname FROM dblink) || '"',
     'A database has an extension once; the coordinator''s is in schema "tenantry", where only superusers may use it.',
     CASE WHEN catalog.there THEN 'Run ALTER EXTENSION dblink SET SCHEMA tenantry.'
          ELSE 'Run DROP EXTENSION dblink, or use another database.' END),
    (NOT catalog.there AND EXISTS (
         SELECT 1 FROM pg_catalog.pg_namespace n
         WHERE n.nspname = 'tenantry' AND (
             EXISTS (SELECT 1 FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid)
             OR EXISTS (SELECT 1 FROM pg_catalog.pg_proc p WHERE p.pronamespace = n.oid)
             OR EXISTS (SELECT 1 FROM pg_catalog.pg_type t WHERE t.typnamespace = n.oid))),
     'its schema "tenantry" holds something else than a catalog',
     'The server may have been a node of another cluster'
         || coalesce((SELECT ': the schema is marked "' || pg_catalog.obj_description(oid, 'pg_namespace') || '"'
                      FROM pg_catalog.pg_namespace WHERE nspname = 'tenantry'), '') || '.',
     'If the schema is not needed, run SET tenantry.schema_ddl = ''on'' and then DROP SCHEMA tenantry CASCADE;'
         || ' otherwise use another database.')
) AS requirement (missing, problem, detail, hint)
WHERE missing
