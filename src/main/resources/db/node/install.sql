-- What lives on every node, the coordinator too; run again at each start, so every statement may be repeated.
SET LOCAL client_min_messages = warning;
SET LOCAL search_path = pg_catalog, pg_temp;

CREATE SCHEMA IF NOT EXISTS tenantry;
GRANT USAGE ON SCHEMA tenantry TO PUBLIC;
-- Also where the role that installs this has revoked what it makes from everybody.
ALTER DEFAULT PRIVILEGES IN SCHEMA tenantry GRANT EXECUTE ON FUNCTIONS TO PUBLIC;

-- Decisions of transactions over several nodes: a row that commits is a commit, a row from recovery an abort.
CREATE TABLE IF NOT EXISTS tenantry.commit_record (
    gid text PRIMARY KEY,
    aborted boolean NOT NULL DEFAULT false,
    nodes integer[] NOT NULL DEFAULT '{}',
    made_by name NOT NULL DEFAULT session_user,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
REVOKE ALL ON tenantry.commit_record FROM PUBLIC;
DO $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_attribute WHERE attrelid = 'tenantry.commit_record'::regclass AND attname = 'nodes'
    ) THEN
        ALTER TABLE tenantry.commit_record ADD COLUMN nodes integer[] NOT NULL DEFAULT '{}';
    END IF;
END
$$;
DROP FUNCTION IF EXISTS tenantry.record_commit(text), tenantry.forget_commit(text);

-- Anybody may call this, since the proxy acts as the client's role. What keeps others from deciding is the identifier:
-- it names the transaction whose commit is the decision, and no two transactions of a server are called the same.
CREATE OR REPLACE FUNCTION tenantry.record_commit(gid text, nodes integer[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF length(gid) > 199 OR gid !~ '^tenantry_[0-9a-z]+_[0-9a-z]+_[0-9]+_[0-9]+_[0-9]+$' THEN
        RAISE EXCEPTION 'not a global transaction identifier: %', gid USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF split_part(gid, '_', 6) <> pg_current_xact_id()::text THEN
        RAISE EXCEPTION 'this transaction does not decide global transaction %', gid
            USING ERRCODE = 'insufficient_privilege',
            DETAIL = format('Transaction %s decides it, and this is transaction %s.',
                            split_part(gid, '_', 6), pg_current_xact_id());
    END IF;
    -- The others commit when this has: a crash of this server must not take back what they rely on.
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    -- Whoever the caller is, recovery must be able to read what is kept.
    INSERT INTO tenantry.commit_record (gid, nodes)
    SELECT record_commit.gid, ARRAY(SELECT DISTINCT n FROM unnest(record_commit.nodes) n WHERE n > 0 LIMIT 1000);
END
$$;
COMMENT ON FUNCTION tenantry.record_commit(text, integer[]) IS
    'Makes the commit of the calling transaction the decision to commit that global transaction, prepared on those nodes';

-- What a proxy asks each node of a transaction before it commits: the number of the transaction there if it has written,
-- whether it is serializable, and what keeps it from being prepared ("PREPARE TRANSACTION" in "SQL Commands"), as far as
-- a server can tell. Who has used a temporary relation holds a lock on it. A function, because to plan this anew for each
-- commit takes longer than all the rest of it; with a search_path of its own, or it would be planned anew for each other
-- one that a client of the connection has.
CREATE OR REPLACE FUNCTION tenantry.transaction_part(OUT transaction xid8, OUT serializable boolean, OUT obstacle text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    transaction := pg_current_xact_id_if_assigned();
    serializable := current_setting('transaction_isolation') = 'serializable';
    IF pg_my_temp_schema() <> 0 AND EXISTS (
        SELECT FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
        WHERE l.pid = pg_backend_pid() AND c.relnamespace = pg_my_temp_schema())
    THEN
        obstacle := 'temporary objects';
    ELSIF EXISTS (SELECT FROM pg_cursors WHERE is_holdable AND creation_time >= transaction_timestamp()) THEN
        obstacle := 'a cursor WITH HOLD';
    END IF;
END
$$;
COMMENT ON FUNCTION tenantry.transaction_part() IS
    'What the calling transaction has done on this server, as far as its commit over several nodes depends on it';

-- What a move leaves on its nodes while it runs. Marks are written on the source and arrive on the target by the same
-- way as the rows, so that one which is there shows that all before it is. Deeds are what was done on the target, noted
-- in the transaction that did it.
CREATE TABLE IF NOT EXISTS tenantry.move_mark (
    moveid bigint NOT NULL,
    mark bigint NOT NULL,
    PRIMARY KEY (moveid, mark)
);
CREATE TABLE IF NOT EXISTS tenantry.move_deed (
    moveid bigint NOT NULL,
    deed text NOT NULL,
    PRIMARY KEY (moveid, deed)
);
REVOKE ALL ON tenantry.move_mark, tenantry.move_deed FROM PUBLIC;

-- For the roles that write rows of that move in the place of a superuser, known by their names: granting it to each would
-- have moves that begin at the same time, and who installs this, change one and the same row. A row for a deed that is
-- noted, and stays so until the transaction ends.
CREATE OR REPLACE FUNCTION tenantry.hold_copy(move bigint, made text) RETURNS SETOF integer
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT 1 FROM tenantry.move_deed d
    WHERE d.moveid = move AND d.deed = made
      AND (session_user ~ ('^tenantry_[0-9a-z]+_move_' || move || '_owner_[0-9]+$')
           OR (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = session_user))
    FOR KEY SHARE OF d
$$;
GRANT EXECUTE ON FUNCTION tenantry.hold_copy(bigint, text) TO PUBLIC;

-- Proxies and the control plane say so of what they do, for as long as they do it.
CREATE OR REPLACE FUNCTION tenantry.is_clusters_work() RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
RETURN coalesce(current_setting('tenantry.schema_ddl', true), '') = 'on';

-- Schemas are created, dropped, renamed and given away through a proxy, so that the catalog changes with them.
CREATE OR REPLACE FUNCTION tenantry.guard_schema_ddl() RETURNS event_trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT tenantry.is_clusters_work() THEN
        RAISE EXCEPTION '% is possible only as a statement of its own sent to a Tenantry proxy', tg_tag
            USING ERRCODE = 'TN001',
            HINT = 'Send it to the proxy by itself, not inside a function, a DO block or a procedure.';
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION tenantry.guard_schema_drop() RETURNS event_trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    schemas text;
BEGIN
    IF tenantry.is_clusters_work() THEN
        RETURN;
    END IF;
    SELECT string_agg(o.object_identity, ', ' ORDER BY o.object_identity) INTO schemas
    FROM pg_event_trigger_dropped_objects() o WHERE o.object_type = 'schema' AND NOT o.is_temporary;
    IF schemas IS NOT NULL THEN
        RAISE EXCEPTION '% would drop a schema, which is possible only through a Tenantry proxy', tg_tag
            USING ERRCODE = 'TN001', DETAIL = format('Schemas that it would drop: %s.', schemas),
            HINT = CASE tg_tag WHEN 'DROP OWNED' THEN
                'Drop them with DROP SCHEMA, or give them to another role with REASSIGN OWNED BY or ALTER SCHEMA ... '
                'OWNER TO, sent to the proxy; then DROP OWNED BY drops the rest.'
            ELSE 'Drop the schema with DROP SCHEMA, sent to the proxy by itself.' END;
    END IF;
END
$$;

DROP EVENT TRIGGER IF EXISTS tenantry_guard_schema_ddl;
CREATE EVENT TRIGGER tenantry_guard_schema_ddl ON ddl_command_start
    WHEN TAG IN ('CREATE SCHEMA', 'ALTER SCHEMA', 'DROP SCHEMA') EXECUTE FUNCTION tenantry.guard_schema_ddl();
DROP EVENT TRIGGER IF EXISTS tenantry_guard_schema_drop;
CREATE EVENT TRIGGER tenantry_guard_schema_drop ON sql_drop
    WHEN TAG IN ('DROP OWNED', 'DROP EXTENSION') EXECUTE FUNCTION tenantry.guard_schema_drop();

-- What we have made here is as good as a part of the server. Its scripts and the control plane may drop what is theirs.
CREATE OR REPLACE FUNCTION tenantry.guard_own_objects() RETURNS event_trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    dropped record;
BEGIN
    IF tenantry.is_clusters_work() THEN
        RETURN;
    END IF;
    SELECT o.object_type, o.object_identity INTO dropped FROM pg_event_trigger_dropped_objects() o
    WHERE o.schema_name = 'tenantry' AND o.object_type <> 'trigger' -- somebody may have put one of his own on a table
    ORDER BY o.original DESC LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'cannot drop % % because the Tenantry cluster requires it',
            dropped.object_type, dropped.object_identity
            USING ERRCODE = 'dependent_objects_still_exist',
            DETAIL = 'What is in schema "tenantry" is the cluster''s own, on every node.';
    END IF;
END
$$;
DROP EVENT TRIGGER IF EXISTS tenantry_guard_own_objects;
CREATE EVENT TRIGGER tenantry_guard_own_objects ON sql_drop EXECUTE FUNCTION tenantry.guard_own_objects();

-- Nor does it get other names or schemas. The command is done when this is called; what its objects were called before, only
-- a query with the command's own snapshot sees, as those of a function that is not VOLATILE have.
CREATE OR REPLACE FUNCTION tenantry.guard_own_names() RETURNS event_trigger
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    renamed record;
BEGIN
    IF tenantry.is_clusters_work() THEN
        RETURN;
    END IF;
    SELECT c.object_type, was.identity INTO renamed
    FROM pg_event_trigger_ddl_commands() c
    CROSS JOIN LATERAL (
        SELECT r.relnamespace, concat_ws('.', 'tenantry', quote_ident(r.relname), quote_ident(a.attname))
        FROM pg_class r LEFT JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = c.objsubid AND a.attnum <> 0
        WHERE c.classid = 'pg_class'::regclass AND r.oid = c.objid
        UNION ALL
        SELECT t.typnamespace, concat_ws('.', 'tenantry', quote_ident(t.typname))
        FROM pg_type t WHERE c.classid = 'pg_type'::regclass AND t.oid = c.objid
        UNION ALL
        SELECT p.pronamespace, concat_ws('.', 'tenantry', quote_ident(p.proname))
        FROM pg_proc p WHERE c.classid = 'pg_proc'::regclass AND p.oid = c.objid
    ) was (namespace, identity)
    WHERE was.namespace = 'tenantry'::regnamespace
      AND c.object_identity <> was.identity AND NOT starts_with(c.object_identity, was.identity || '(')
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'cannot rename or move % % because the Tenantry cluster requires it',
            renamed.object_type, renamed.identity
            USING ERRCODE = 'dependent_objects_still_exist',
            DETAIL = 'What is in schema "tenantry" is the cluster''s own, on every node.';
    END IF;
END
$$;
-- Event triggers fire in the order of their names, and others need what may have been renamed.
DROP EVENT TRIGGER IF EXISTS tenantry_check_own_names;
CREATE EVENT TRIGGER tenantry_check_own_names ON ddl_command_end
    WHEN TAG IN ('ALTER TABLE', 'ALTER VIEW', 'ALTER MATERIALIZED VIEW', 'ALTER SEQUENCE', 'ALTER INDEX',
                 'ALTER FOREIGN TABLE', 'ALTER TYPE', 'ALTER DOMAIN', 'ALTER FUNCTION', 'ALTER PROCEDURE', 'ALTER ROUTINE',
                 'ALTER AGGREGATE')
    EXECUTE FUNCTION tenantry.guard_own_names();

-- A proxy has every node do these. Inside something else only this one would, when a client of a proxy, whose sessions all
-- begin with tenantry.node, runs that here.
CREATE OR REPLACE FUNCTION tenantry.guard_every_node_ddl() RETURNS event_trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- What does nothing, such as IF NOT EXISTS of what is there, may be said anywhere.
    IF current_setting('tenantry.node', true) IS NOT NULL
       AND coalesce(current_setting('tenantry.every_node_ddl', true), '') <> 'on'
       AND (tg_event <> 'ddl_command_end' OR EXISTS (SELECT FROM pg_event_trigger_ddl_commands()))
    THEN
        RAISE EXCEPTION '% is possible through a Tenantry proxy only as a statement of its own', tg_tag
            USING ERRCODE = 'TN001', DETAIL = 'It concerns every node of the cluster, and would be done on this one only.',
            HINT = 'Send it to the proxy by itself, not inside a function, a DO block or a procedure.';
    END IF;
END
$$;
DROP EVENT TRIGGER IF EXISTS tenantry_guard_every_node_ddl;
CREATE EVENT TRIGGER tenantry_guard_every_node_ddl ON ddl_command_end
    WHEN TAG IN ('CREATE EXTENSION', 'ALTER EXTENSION') EXECUTE FUNCTION tenantry.guard_every_node_ddl();
DROP EVENT TRIGGER IF EXISTS tenantry_guard_every_node_drop;
CREATE EVENT TRIGGER tenantry_guard_every_node_drop ON sql_drop
    WHEN TAG IN ('DROP EXTENSION') EXECUTE FUNCTION tenantry.guard_every_node_ddl();
DROP EVENT TRIGGER IF EXISTS tenantry_guard_drop_owned;
CREATE EVENT TRIGGER tenantry_guard_drop_owned ON ddl_command_start
    WHEN TAG IN ('DROP OWNED') EXECUTE FUNCTION tenantry.guard_every_node_ddl();

-- A copy that a move makes here belongs to its owners, and is filled by superusers: what an owner adds to it would be
-- called with their rights. So nobody else alters it, nor makes what hangs on it, until the move has switched or is undone.
-- A deed 'schema <oid>' tells of it. Its removal may be prepared, and is waited for. Transactions with an old snapshot see
-- no such deed but, as all see the newest definitions, the tables; then the schema is not in their snapshot either.
CREATE OR REPLACE FUNCTION tenantry.require_no_copy() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    old_snapshot CONSTANT boolean := current_setting('transaction_isolation') IN ('repeatable read', 'serializable');
    touched record;
BEGIN
    IF NOT old_snapshot AND NOT EXISTS (SELECT FROM tenantry.move_deed d WHERE starts_with(d.deed, 'schema ')) THEN
        RETURN;
    END IF;
    FOR touched IN
        WITH RECURSIVE made (classid, objid) AS (
            SELECT c.classid, c.objid FROM pg_event_trigger_ddl_commands() c
            WHERE c.objid IS NOT NULL AND c.schema_name IS DISTINCT FROM 'pg_temp'
        ), below (classid, objid) AS (
            TABLE made
            UNION SELECT d.classid, d.objid FROM below b
            JOIN pg_depend d ON d.refclassid = b.classid AND d.refobjid = b.objid
        ), near (classid, objid) AS (
            TABLE below
            UNION SELECT d.refclassid, d.refobjid FROM below b
            JOIN pg_depend d ON d.classid = b.classid AND d.objid = b.objid
        ), named (name) AS (
            SELECT DISTINCT (pg_identify_object(n.classid, n.objid, 0)).schema FROM near n
            WHERE n.classid <> 'pg_namespace'::regclass
        )
        SELECT n.name, s.oid AS id FROM named n LEFT JOIN pg_namespace s ON s.nspname = n.name
        WHERE n.name IS NOT NULL AND n.name NOT LIKE 'pg\_%'
    LOOP
        IF touched.id IS NULL THEN
            RAISE EXCEPTION 'could not serialize access due to a schema that was made meanwhile'
                USING ERRCODE = 'serialization_failure',
                DETAIL = format('Schema "%s" is newer than this transaction''s snapshot.', touched.name),
                HINT = 'The transaction might succeed if retried.';
        END IF;
        PERFORM FROM tenantry.move_deed d WHERE d.deed = 'schema ' || touched.id FOR SHARE;
        IF FOUND THEN
            RAISE EXCEPTION 'schema "%" is being copied to this node, and nothing of it can be altered here', touched.name
                USING ERRCODE = 'object_in_use',
                DETAIL = 'A move of the schema goes on. Its node is still another one.',
                HINT = 'Send the statement through a Tenantry proxy.';
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION tenantry.require_no_copy() IS 'Refuses what the DDL command at hand would do to the copy of a schema that moves';

CREATE OR REPLACE FUNCTION tenantry.guard_copies() RETURNS event_trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT coalesce((SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user), false) THEN
        PERFORM tenantry.require_no_copy();
    END IF;
END
$$;
DROP EVENT TRIGGER IF EXISTS tenantry_guard_copies;
CREATE EVENT TRIGGER tenantry_guard_copies ON ddl_command_end EXECUTE FUNCTION tenantry.guard_copies();

-- Outside distributed schemas a client finds what is on the coordinator: what a statement makes in "public" because a
-- schema that it also names is on this worker, nobody would find. Proxies' clients are told by a setting that each of them
-- has from the start; who connects to this server itself may make what he likes.
CREATE OR REPLACE FUNCTION tenantry.guard_strays() RETURNS event_trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    stray record;
BEGIN
    IF current_setting('tenantry.node', true) IS NULL OR to_regclass('tenantry.schema') IS NOT NULL THEN
        RETURN;
    END IF;
    SELECT c.object_type, c.object_identity INTO stray FROM pg_event_trigger_ddl_commands() c
    WHERE c.schema_name = 'public' AND NOT c.in_extension AND c.object_type <> 'extension'
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '% cannot make % % on this node', tg_tag, stray.object_type, stray.object_identity
            USING ERRCODE = 'feature_not_supported',
            DETAIL = 'Schema "public" is on the coordinator. This is the node of a distributed schema that the statement '
                     'names, or that the search_path leads to.',
            HINT = 'Make it in a distributed schema of this node, or with names and a search_path of "public" alone.';
    END IF;
END
$$;
DROP EVENT TRIGGER IF EXISTS tenantry_guard_strays;
CREATE EVENT TRIGGER tenantry_guard_strays ON ddl_command_end EXECUTE FUNCTION tenantry.guard_strays();

-- Changes whenever a routine does, or an expression that runs unseen: a proxy that shares connections then looks again
-- what they may leave in a server process. Not nextval(), which lastval() would tell of.
CREATE SEQUENCE IF NOT EXISTS tenantry.routine_changes;
CREATE OR REPLACE FUNCTION tenantry.note_routine_change() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- Something temporary concerns its own session only, and may be made in a transaction that is read-only.
    IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() c WHERE c.schema_name IS DISTINCT FROM 'pg_temp') THEN
        PERFORM setval('tenantry.routine_changes', (extract(epoch FROM clock_timestamp()) * 1000000)::bigint);
    END IF;
END
$$;
DROP EVENT TRIGGER IF EXISTS tenantry_note_routine_change;
CREATE EVENT TRIGGER tenantry_note_routine_change ON ddl_command_end
    WHEN TAG IN ('CREATE FUNCTION', 'CREATE PROCEDURE', 'CREATE VIEW', 'ALTER VIEW', 'CREATE MATERIALIZED VIEW',
                 'CREATE RULE', 'CREATE POLICY', 'ALTER POLICY', 'CREATE TRIGGER', 'CREATE EXTENSION',
                 'ALTER EXTENSION', 'CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE',
                 'CREATE FOREIGN TABLE', 'ALTER FOREIGN TABLE', 'IMPORT FOREIGN SCHEMA', 'CREATE DOMAIN',
                 'ALTER DOMAIN', 'CREATE SCHEMA')
    EXECUTE FUNCTION tenantry.note_routine_change();

-- Bytes of every table and materialized view outside the system's schemas, with indexes, TOAST and all forks, from the
-- files themselves: pg_total_relation_size() has to open each relation, which costs a new session ten times as much.
-- Without settings of its own it becomes part of the query that calls it. Whoever does turns nested loops off: a node
-- that has just got thousands of tables has no statistics of them. Sums are exact as far as a double's integers go.
CREATE OR REPLACE FUNCTION tenantry.table_bytes() RETURNS TABLE (relid oid, bytes bigint)
LANGUAGE sql STABLE
AS $$
    WITH place AS MATERIALIZED (
        SELECT t.oid AS spcid,
               CASE t.spcname
                   WHEN 'pg_default' THEN 'base/'
                   ELSE pg_catalog.format('pg_tblspc/%s/PG_%s_%s/', t.oid,
                       pg_catalog.current_setting('server_version_num')::int / 10000,
                       (SELECT catalog_version_no FROM pg_catalog.pg_control_system()))
               END || d.oid || '/' AS directory,
               t.oid = d.dattablespace AS is_default
        FROM pg_catalog.pg_tablespace t, pg_catalog.pg_database d
        WHERE d.datname = pg_catalog.current_database() AND t.spcname <> 'pg_global'
    ), further AS MATERIALIZED (
        -- Of some relations there is more than the first file: other forks, and a segment for each further GB.
        SELECT p.spcid, pg_catalog.split_part(pg_catalog.split_part(f, '_', 1), '.', 1)::oid AS filenode,
               pg_catalog.sum((pg_catalog.pg_stat_file(p.directory || f, true)).size::float8) AS bytes
        FROM place p, pg_catalog.pg_ls_dir(p.directory, true, false) f
        WHERE (pg_catalog.strpos(f, '_') > 0 OR pg_catalog.strpos(f, '.') > 0) AND f >= '0' AND f < ':'
        GROUP BY 1, 2
    ), rel AS MATERIALIZED (
        SELECT c.oid, c.reltablespace, c.relfilenode, c.reltoastrelid,
               (pg_catalog.pg_stat_file(
                   CASE c.reltablespace
                       WHEN 0 THEN (SELECT p.directory FROM place p WHERE p.is_default)
                       ELSE (SELECT p.directory FROM place p WHERE p.spcid = c.reltablespace)
                   END || c.relfilenode, true)).size::float8 AS bytes
        FROM pg_catalog.pg_class c
        WHERE c.oid >= 16384 AND c.relkind IN ('r', 'm', 't', 'i')
    )
    -- A file is the table's itself, its index's, its TOAST table's, or that of the TOAST table's index.
    SELECT coalesce(toasted.oid, i.indrelid, r.oid),
           pg_catalog.sum(coalesce(r.bytes, 0) + coalesce(f.bytes, 0))::bigint
    FROM rel r
    LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = r.oid
    LEFT JOIN (SELECT t.oid, t.reltoastrelid FROM rel t WHERE t.reltoastrelid <> 0) toasted
        ON toasted.reltoastrelid = coalesce(i.indrelid, r.oid)
    LEFT JOIN further f ON f.filenode = r.relfilenode AND f.spcid = CASE r.reltablespace
        WHEN 0 THEN (SELECT p.spcid FROM place p WHERE p.is_default) ELSE r.reltablespace END
    GROUP BY 1
$$;
REVOKE ALL ON FUNCTION tenantry.table_bytes() FROM PUBLIC;

-- A role named like our schema would have it first in its search_path ("$user") and create its objects there.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantry') AND NOT EXISTS (
        SELECT FROM pg_db_role_setting s, unnest(s.setconfig) c
        WHERE s.setrole = (SELECT oid FROM pg_roles WHERE rolname = 'tenantry') AND c LIKE 'search_path=%'
    ) THEN
        ALTER ROLE tenantry SET search_path = public;
    END IF;
END
$$;
