-- One row for each thing a server lacks to be a node of a cluster; no row when it lacks nothing.
-- Runs on PostgreSQL of any version that still answers, so it uses old functions only.
WITH stranger AS (
    -- Who may change what is in our schema, and is no superuser.
    SELECT DISTINCT CASE WHEN may.role = 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END AS name
    FROM pg_catalog.pg_namespace n
    CROSS JOIN LATERAL (
        SELECT n.nspowner
        UNION ALL SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid
        UNION ALL SELECT p.proowner FROM pg_catalog.pg_proc p WHERE p.pronamespace = n.oid
        UNION ALL SELECT t.typowner FROM pg_catalog.pg_type t WHERE t.typnamespace = n.oid
        UNION ALL SELECT a.grantee FROM pg_catalog.aclexplode(n.nspacl) a WHERE a.privilege_type = 'CREATE'
    ) AS may (role)
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = may.role
    WHERE n.nspname = 'tenantry' AND r.rolsuper IS NOT TRUE
)
SELECT problem, detail, hint
FROM (VALUES
    (current_setting('server_version_num')::int NOT BETWEEN 150000 AND 189999,
     'PostgreSQL version is not supported',
     'It runs PostgreSQL ' || current_setting('server_version') || '; versions 15 to 18 are supported.',
     'Use a PostgreSQL server of version 15, 16, 17 or 18.'),
    (NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user),
     'role "' || current_user || '" may not administer it',
     'The control plane creates roles, extensions and event triggers, and finishes prepared transactions of all roles.',
     'Run ALTER ROLE ' || quote_ident(current_user) || ' SUPERUSER, or connect as a superuser.'),
    (pg_catalog.pg_is_in_recovery(),
     'it is a standby',
     'A node must accept writes.',
     'Use the address of the primary server.'),
    (NOT pg_catalog.pg_is_in_recovery() AND current_setting('transaction_read_only') = 'on',
     'default_transaction_read_only is on',
     'A node must accept writes.',
     'Reset it where it is set: by ALTER SYSTEM, DATABASE or ROLE ... RESET default_transaction_read_only.'),
    (current_setting('max_prepared_transactions')::int < 1,
     'max_prepared_transactions is 0',
     'Schemas are created and dropped on two nodes together by two-phase commit.',
     'Run ALTER SYSTEM SET max_prepared_transactions = 100 and restart the server.'),
    (current_setting('server_encoding') <> 'UTF8',
     'database "' || current_database() || '" has encoding ' || current_setting('server_encoding'),
     'All nodes have the encoding UTF8, so that values mean the same everywhere.',
     'Create the database with ENCODING ''UTF8'' TEMPLATE template0.'),
    (EXISTS (SELECT 1 FROM pg_catalog.pg_settings
             WHERE (name, setting) IN (('event_triggers', 'off'), ('session_replication_role', 'replica'))),
     'event triggers are off',
     'They refuse DDL of schemas that does not come from a proxy.',
     'Reset event_triggers and session_replication_role where they are set: by ALTER SYSTEM, DATABASE or ROLE.'),
    (NOT EXISTS (SELECT 1 FROM pg_catalog.pg_language WHERE lanname = 'plpgsql'),
     'language plpgsql is missing',
     'What is installed on a node is written in it.',
     'Run CREATE EXTENSION plpgsql.'),
    (EXISTS (SELECT 1 FROM stranger),
     'schema "tenantry" is not in the hands of superusers alone',
     'What is in it runs with the rights of a superuser, but these roles own or may create something there: '
         || (SELECT string_agg(name, ', ' ORDER BY name) FROM stranger) || '.',
     'If the schema is not needed, run SET tenantry.schema_ddl = ''on'' and then DROP SCHEMA tenantry CASCADE;'
         || ' otherwise REASSIGN OWNED BY these roles TO a superuser, and REVOKE CREATE ON SCHEMA tenantry FROM them.')
) AS requirement (missing, problem, detail, hint)
WHERE missing
