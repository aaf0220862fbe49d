-- One row for each thing a server lacks to be a node of a cluster; no row when it lacks nothing.
-- Runs on PostgreSQL of any version that still answers, so it uses old functions only.
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
    (current_setting('wal_level') <> 'logical',
     'wal_level is "' || current_setting('wal_level') || '"',
     'Schemas move between nodes by logical replication.',
     'Run ALTER SYSTEM SET wal_level = ''logical'' and restart the server.'),
    (current_setting('max_prepared_transactions')::int < 1,
     'max_prepared_transactions is 0',
     'Schemas are created and dropped on two nodes together by two-phase commit.',
     'Run ALTER SYSTEM SET max_prepared_transactions = 100 and restart the server.'),
    (current_setting('server_encoding') <> 'UTF8',
     'database "' || current_database() || '" has encoding ' || current_setting('server_encoding'),
     'All nodes have the encoding UTF8, so that values mean the same everywhere.',
     'Create the database with ENCODING ''UTF8'' TEMPLATE template0.')
) AS requirement (missing, problem, detail, hint)
WHERE missing
