-- Moves: asked for here, done by whichever proxy leads; see docs/moves.md.
--
-- A request is a row that commits at once, over a connection of its own, because the work is seen by others while the
-- caller's transaction is still open. The caller then waits for the end of the move.

-- Whether a role is shown why moves of a schema failed: errors of servers tell of rows.
CREATE OR REPLACE FUNCTION tenantry.may_see_errors(role name, schema_id oid) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
RETURN pg_has_role(role, 'pg_monitor', 'USAGE')
    OR coalesce((SELECT pg_has_role(role, n.nspowner, 'USAGE') FROM pg_namespace n WHERE n.oid = schema_id), false);

DROP VIEW IF EXISTS tenantry.tenantry_moves CASCADE;
CREATE VIEW tenantry.tenantry_moves AS
SELECT m.moveid, m.schema_name,
       s.name AS source, t.name AS target, m.transfer_mode, m.phase,
       m.bytes_copied, m.bytes_total, m.tables_copied, m.tables_total, m.lag_bytes,
       CASE WHEN m.eta_at IS NOT NULL THEN greatest(m.eta_at - clock_timestamp(), interval '0') END AS eta,
       m.attempt, m.cutovers, m.stall_ms, m.waiting_for,
       e.message AS error, m.sqlstate, e.detail AS error_detail, e.hint AS error_hint,
       m.requested_at, m.switched_at, m.finished_at,
       m.old_schema, m.drop_after
FROM tenantry.move m
LEFT JOIN tenantry.node s ON s.nodeid = m.source_nodeid
LEFT JOIN tenantry.node t ON t.nodeid = m.target_nodeid
LEFT JOIN LATERAL (SELECT m.message, nullif(m.detail, '') AS detail, nullif(m.hint, '') AS hint
                   WHERE m.message IS NOT NULL AND tenantry.may_see_errors(current_user, m.schemaid)) e ON true
ORDER BY m.moveid;
COMMENT ON VIEW tenantry.tenantry_moves IS
    'Moves of schemas, running and ended: how far each is and how long what it does now will take at the pace of '
    'late, how often it was begun and how often it has tried to cut over, for how long it made clients wait in the '
    'end, and which sessions of the source it waits for; errors are shown to members of the schema''s owner and of '
    'pg_monitor';
GRANT SELECT ON tenantry.tenantry_moves TO PUBLIC;

-- Opens a connection to this very server, for what has to commit now.
CREATE OR REPLACE FUNCTION tenantry.open_own(connection text) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$ SELECT tenantry.open_node(connection, n.nodename, n.nodeport) FROM tenantry.node n WHERE n.groupid = 0 $$;
REVOKE ALL ON FUNCTION tenantry.open_own(text) FROM PUBLIC;

-- The node of that name, or at that host:port.
CREATE OR REPLACE FUNCTION tenantry.node_called(node text) RETURNS tenantry.node
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known tenantry.node;
BEGIN
    SELECT * INTO known FROM tenantry.node n WHERE node IN (n.name, n.nodename || ':' || n.nodeport)
    ORDER BY n.name = node DESC LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'node "%" does not exist', node USING ERRCODE = 'undefined_object',
            HINT = 'Name a node as SELECT name FROM pg_dist_node does, or as host:port.';
    END IF;
    RETURN known;
END
$$;
REVOKE ALL ON FUNCTION tenantry.node_called(text) FROM PUBLIC;

-- Looks at a request in the order in which Citus does, so that the first mistake is the answer.
CREATE OR REPLACE FUNCTION tenantry.check_move(schema_id regnamespace, target tenantry.node, address text)
RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    source tenantry.node;
    parts text[];
BEGIN
    SELECT n.* INTO source FROM tenantry.schema s JOIN tenantry.node n USING (nodeid) WHERE s.schemaid = schema_id;
    IF source.nodeid = target.nodeid THEN
        RAISE EXCEPTION 'cannot move shard to the same node' USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('Schema %s is on node "%s" already.', schema_id, source.name);
    END IF;
    IF target.nodeid IS NULL THEN
        parts := regexp_match(address, '^(.*):([0-9]+)$');
        RAISE EXCEPTION 'Moving shards to a non-existing node is not supported' USING ERRCODE = 'feature_not_supported',
            HINT = format('Add the target node via SELECT citus_add_node(%L, %s);', parts[1], parts[2]);
    END IF;
    IF NOT target.isactive THEN
        RAISE EXCEPTION 'Moving shards to a non-active node is not supported' USING ERRCODE = 'feature_not_supported';
    END IF;
    IF NOT target.shouldhaveshards THEN
        RAISE EXCEPTION 'Moving shards to a node that shouldn''t have a shard is not supported'
            USING ERRCODE = 'feature_not_supported',
            HINT = format('Allow shards on the target node via SELECT * FROM '
                          'citus_set_node_property(%L, %s, ''shouldhaveshards'', true);',
                          target.nodename, target.nodeport);
    END IF;
    RETURN source.nodeid;
END
$$;
REVOKE ALL ON FUNCTION tenantry.check_move(regnamespace, tenantry.node, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.require_movable(schema_id regnamespace) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT pg_has_role(tenantry.acting_role(), (SELECT n.nspowner FROM pg_namespace n WHERE n.oid = schema_id),
                       'USAGE') THEN
        RAISE EXCEPTION 'must be owner of schema %', schema_id USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NOT EXISTS (SELECT FROM tenantry.schema s WHERE s.schemaid = schema_id) THEN
        RAISE EXCEPTION 'schema % is not a distributed schema', schema_id
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    IF pg_current_xact_id_if_assigned() IS NOT NULL THEN
        RAISE EXCEPTION 'a schema cannot be moved by a transaction that has changed something'
            USING ERRCODE = 'active_sql_transaction',
            DETAIL = 'The move would wait for the end of the transaction, and the transaction for that of the move.',
            HINT = 'Move it in a transaction of its own.';
    END IF;
END
$$;
REVOKE ALL ON FUNCTION tenantry.require_movable(regnamespace) FROM PUBLIC;

-- Writes the request, over the open connection; returns its number.
CREATE OR REPLACE FUNCTION tenantry.request_move(
    connection text, schema_id regnamespace, source_id integer, target_id integer, mode text) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    new_id bigint;
BEGIN
    SELECT r.moveid INTO new_id FROM tenantry.dblink(connection, format($q$
        WITH requested AS (
            INSERT INTO tenantry.move (schemaid, schema_name, source_nodeid, target_nodeid, transfer_mode, requested_by)
            SELECT n.oid, n.nspname, %s, %s, %L, %L FROM pg_catalog.pg_namespace n WHERE n.oid = %s
            ON CONFLICT (schemaid) WHERE finished_at IS NULL DO NOTHING RETURNING moveid)
        SELECT moveid, pg_catalog.pg_notify('tenantry_move', '') FROM requested
        $q$, source_id, target_id, mode, tenantry.acting_role(), schema_id::oid)) AS r (moveid bigint, notified text);
    IF new_id IS NULL THEN
        RAISE EXCEPTION 'could not acquire the lock required to move %', schema_id
            USING ERRCODE = 'object_in_use',
            DETAIL = 'It means that either a concurrent shard move or colocated distributed table creation is '
                     'happening.',
            HINT = 'Make sure that the concurrent operation has finished and re-run the command';
    END IF;
    RETURN new_id;
END
$$;
REVOKE ALL ON FUNCTION tenantry.request_move(text, regnamespace, integer, integer, text) FROM PUBLIC;

-- Returns when the move has ended; raises what made it fail. When the caller is cancelled, so is the move.
CREATE OR REPLACE FUNCTION tenantry.await_move(connection text, move_id bigint) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- Clean-up that a lost node holds up is no reason to wait.
    patience CONSTANT text := '10 s';
    begun CONSTANT timestamptz := clock_timestamp();
    waits_for_itself timestamptz;
    state record;
BEGIN
    LOOP
        SELECT * INTO state FROM tenantry.dblink(connection, format($q$
            SELECT m.phase, m.sqlstate, m.message, m.detail, m.hint,
                   coalesce(m.finished_at IS NOT NULL OR m.switched_at < clock_timestamp() - interval %L, false)
            FROM tenantry.move m WHERE m.moveid = %s$q$, patience, move_id))
            AS m (phase text, code text, message text, detail text, hint text, ended boolean);
        IF NOT FOUND OR state.ended THEN
            EXIT;
        END IF;
        waits_for_itself := tenantry.check_wait_for_itself(connection, move_id::text, begun, waits_for_itself);
        PERFORM pg_sleep(0.02);
    END LOOP;
    IF state.phase IN ('failed', 'cancelled') THEN
        IF coalesce(state.hint, '') <> '' THEN
            RAISE EXCEPTION '%', state.message USING ERRCODE = state.code, DETAIL = coalesce(state.detail, ''),
                HINT = state.hint;
        ELSIF coalesce(state.detail, '') <> '' THEN
            RAISE EXCEPTION '%', state.message USING ERRCODE = state.code, DETAIL = state.detail;
        END IF;
        RAISE EXCEPTION '%', state.message USING ERRCODE = state.code;
    END IF;
EXCEPTION WHEN query_canceled OR active_sql_transaction THEN
    PERFORM FROM tenantry.dblink(connection, format('SELECT tenantry.cancel_move(%s)', move_id)) AS c (done boolean);
    RAISE;
END
$$;
REVOKE ALL ON FUNCTION tenantry.await_move(text, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.cancel_move(move_id bigint) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE tenantry.move m SET cancel_requested = true
    WHERE m.moveid = move_id AND m.finished_at IS NULL AND m.switched_at IS NULL;
    IF FOUND THEN
        PERFORM pg_notify('tenantry_move', '');
        RETURN true;
    END IF;
    RETURN false;
END
$$;
REVOKE ALL ON FUNCTION tenantry.cancel_move(bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.move_and_wait(
    schema_id regnamespace, target tenantry.node, address text, mode text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    connection CONSTANT text := 'tenantry_move';
    source_id CONSTANT integer := tenantry.check_move(schema_id, target, address);
BEGIN
    PERFORM tenantry.open_own(connection);
    PERFORM tenantry.await_move(connection,
        tenantry.request_move(connection, schema_id, source_id, target.nodeid, mode));
    PERFORM tenantry.close_node(connection);
END
$$;
REVOKE ALL ON FUNCTION tenantry.move_and_wait(regnamespace, tenantry.node, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.citus_schema_move(
    schema_id regnamespace, target_node_name text, target_node_port integer,
    shard_transfer_mode tenantry.shard_transfer_mode DEFAULT 'auto') RETURNS void
LANGUAGE plpgsql STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    target tenantry.node;
BEGIN
    PERFORM tenantry.require_movable(schema_id);
    SELECT * INTO target FROM tenantry.node n WHERE n.nodename = target_node_name AND n.nodeport = target_node_port;
    PERFORM tenantry.move_and_wait(schema_id, target, target_node_name || ':' || target_node_port,
                                   shard_transfer_mode::text);
END
$$;
COMMENT ON FUNCTION tenantry.citus_schema_move(regnamespace, text, integer, tenantry.shard_transfer_mode) IS
    'Moves a distributed schema with all that is in it to the node at that address, and returns when it is there';

CREATE OR REPLACE FUNCTION tenantry.citus_schema_move(
    schema_id regnamespace, target_node_id integer,
    shard_transfer_mode tenantry.shard_transfer_mode DEFAULT 'auto') RETURNS void
LANGUAGE plpgsql STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    target tenantry.node;
BEGIN
    PERFORM tenantry.require_movable(schema_id);
    SELECT * INTO target FROM tenantry.node n WHERE n.nodeid = target_node_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'node with node id % could not be found', target_node_id USING ERRCODE = 'undefined_object';
    END IF;
    PERFORM tenantry.move_and_wait(schema_id, target, '', shard_transfer_mode::text);
END
$$;
COMMENT ON FUNCTION tenantry.citus_schema_move(regnamespace, integer, tenantry.shard_transfer_mode) IS
    'Moves a distributed schema with all that is in it to the node of that id, and returns when it is there';

-- The same without waiting, for those who look at tenantry_moves.
CREATE OR REPLACE FUNCTION tenantry.tenantry_move_start(
    schema_id regnamespace, target_node_name text, target_node_port integer,
    shard_transfer_mode tenantry.shard_transfer_mode DEFAULT 'auto') RETURNS bigint
LANGUAGE plpgsql STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    connection CONSTANT text := 'tenantry_move';
    target tenantry.node;
    source_id integer;
    new_id bigint;
BEGIN
    PERFORM tenantry.require_movable(schema_id);
    SELECT * INTO target FROM tenantry.node n WHERE n.nodename = target_node_name AND n.nodeport = target_node_port;
    source_id := tenantry.check_move(schema_id, target, target_node_name || ':' || target_node_port);
    PERFORM tenantry.open_own(connection);
    new_id := tenantry.request_move(connection, schema_id, source_id, target.nodeid, shard_transfer_mode::text);
    PERFORM tenantry.close_node(connection);
    RETURN new_id;
END
$$;
COMMENT ON FUNCTION tenantry.tenantry_move_start(regnamespace, text, integer, tenantry.shard_transfer_mode) IS
    'Has a distributed schema moved to the node at that address, in the background; returns the number of the move';

CREATE OR REPLACE FUNCTION tenantry.tenantry_move_cancel(move_id bigint) RETURNS boolean
LANGUAGE plpgsql STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known tenantry.move;
BEGIN
    SELECT * INTO known FROM tenantry.move m WHERE m.moveid = move_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'move % does not exist', move_id USING ERRCODE = 'undefined_object';
    END IF;
    IF NOT pg_has_role(tenantry.acting_role(), (SELECT n.nspowner FROM pg_namespace n WHERE n.oid = known.schemaid),
                       'USAGE') THEN
        RAISE EXCEPTION 'must be owner of schema %', known.schema_name USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN tenantry.cancel_move(move_id);
END
$$;
COMMENT ON FUNCTION tenantry.tenantry_move_cancel(bigint) IS
    'Undoes a move that has not switched yet; returns whether there was one';

-- What follows is for the proxy that runs the moves; each function may be repeated.

-- Pauses the schema for a move; one that somebody else has paused stays so.
CREATE OR REPLACE FUNCTION tenantry.pause_for_move(move_id bigint, expected_epoch bigint) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known tenantry.move;
    pause_id bigint;
BEGIN
    SELECT * INTO known FROM tenantry.move m WHERE m.moveid = move_id AND m.epoch = expected_epoch FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'move % is done by another proxy', move_id USING ERRCODE = 'TN010';
    END IF;
    PERFORM FROM tenantry.schema s WHERE s.schemaid = known.schemaid FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'schema "%" has been dropped', known.schema_name USING ERRCODE = 'invalid_schema_name';
    END IF;
    DELETE FROM tenantry.pause p WHERE p.pauseid = known.pauseid AND p.held = 'writers';
    INSERT INTO tenantry.pause (pauseid, schemaid) OVERRIDING SYSTEM VALUE
    VALUES (tenantry.next_number('tenantry.pause_pauseid_seq'), known.schemaid)
    ON CONFLICT (schemaid) DO NOTHING RETURNING pauseid INTO pause_id;
    UPDATE tenantry.move m SET cutovers = cutovers + 1, pauseid = coalesce(pause_id, m.pauseid)
    WHERE m.moveid = move_id;
    IF pause_id IS NULL THEN
        SELECT p.pauseid INTO pause_id FROM tenantry.pause p WHERE p.schemaid = known.schemaid;
    ELSE
        PERFORM tenantry.catalog_changed();
    END IF;
    RETURN pause_id;
END
$$;
REVOKE ALL ON FUNCTION tenantry.pause_for_move(bigint, bigint) FROM PUBLIC;

-- Lets readers go on while the pause of a move goes on for writers. One that somebody else has made stays as it is.
CREATE OR REPLACE FUNCTION tenantry.admit_readers(move_id bigint, expected_epoch bigint) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known tenantry.move;
    new_id bigint;
BEGIN
    SELECT * INTO known FROM tenantry.move m WHERE m.moveid = move_id AND m.epoch = expected_epoch FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'move % is done by another proxy', move_id USING ERRCODE = 'TN010';
    END IF;
    DELETE FROM tenantry.pause p WHERE p.pauseid = known.pauseid;
    IF FOUND THEN
        INSERT INTO tenantry.pause (pauseid, schemaid, held) OVERRIDING SYSTEM VALUE
        VALUES (tenantry.next_number('tenantry.pause_pauseid_seq'), known.schemaid, 'writers')
        RETURNING pauseid INTO new_id;
        UPDATE tenantry.move m SET pauseid = new_id WHERE m.moveid = move_id;
        PERFORM tenantry.catalog_changed();
    END IF;
END
$$;
REVOKE ALL ON FUNCTION tenantry.admit_readers(bigint, bigint) FROM PUBLIC;

DROP FUNCTION IF EXISTS tenantry.resume_after_move(bigint);
CREATE OR REPLACE FUNCTION tenantry.resume_after_move(move_id bigint, expected_epoch bigint) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- Not that of another proxy that has taken the move over.
    DELETE FROM tenantry.pause p USING tenantry.move m
    WHERE m.moveid = move_id AND m.epoch = expected_epoch AND p.pauseid = m.pauseid;
    IF FOUND THEN
        PERFORM tenantry.catalog_changed();
    END IF;
    UPDATE tenantry.move m SET pauseid = NULL
    WHERE m.moveid = move_id AND m.epoch = expected_epoch AND m.pauseid IS NOT NULL;
END
$$;
REVOKE ALL ON FUNCTION tenantry.resume_after_move(bigint, bigint) FROM PUBLIC;

-- Puts a fresh, empty namespace in the place of the coordinator's, which goes on under another name with what is in it.
CREATE OR REPLACE FUNCTION tenantry.replace_namespace(schema_id oid, aside name) RETURNS oid
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    old pg_namespace;
    new_id oid;
    remark text := obj_description(schema_id, 'pg_namespace');
    granted record;
BEGIN
    SELECT * INTO STRICT old FROM pg_namespace n WHERE n.oid = schema_id;
    EXECUTE format('ALTER SCHEMA %I RENAME TO %I', old.nspname, aside);
    EXECUTE format('CREATE SCHEMA %I AUTHORIZATION %s', old.nspname, old.nspowner::regrole);
    SELECT n.oid INTO STRICT new_id FROM pg_namespace n WHERE n.nspname = old.nspname;
    IF remark IS NOT NULL THEN
        EXECUTE format('COMMENT ON SCHEMA %I IS %L', old.nspname, remark);
    END IF;
    FOR granted IN
        SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END AS grantee, privilege_type,
               is_grantable
        FROM aclexplode(old.nspacl) WHERE grantee <> old.nspowner
    LOOP
        EXECUTE format('GRANT %s ON SCHEMA %I TO %s%s', granted.privilege_type, old.nspname, granted.grantee,
                       CASE WHEN granted.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
    END LOOP;
    UPDATE tenantry.schema s SET schemaid = new_id, changed = pg_current_xact_id() WHERE s.schemaid = schema_id;
    UPDATE tenantry.move m SET schemaid = new_id WHERE m.schemaid = schema_id;
    UPDATE tenantry.background_task t SET schemaid = new_id WHERE t.schemaid = schema_id;
    INSERT INTO tenantry.dropped_schema (schemaid) VALUES (schema_id);
    PERFORM tenantry.catalog_changed();
    RETURN new_id;
END
$$;
REVOKE ALL ON FUNCTION tenantry.replace_namespace(oid, name) FROM PUBLIC;

-- The switch: commits, with the transaction that calls it, that the schema is on its new node, and ends its pause.
-- Tables keep their shard ids; the argument tells the oids that they have on the new node, by name.
CREATE OR REPLACE FUNCTION tenantry.switch_move(
    move_id bigint, expected_epoch bigint, aside name, table_oids jsonb) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known tenantry.move;
    schema_id oid;
BEGIN
    SELECT * INTO known FROM tenantry.move m
    WHERE m.moveid = move_id AND m.epoch = expected_epoch AND m.phase = 'cutting_over' AND NOT m.cancel_requested
    FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'move % may not switch any more', move_id USING ERRCODE = 'TN010';
    END IF;
    schema_id := known.schemaid;
    IF (SELECT n.groupid FROM tenantry.node n WHERE n.nodeid = known.source_nodeid) = 0 THEN
        schema_id := tenantry.replace_namespace(schema_id, aside);
    END IF;
    UPDATE tenantry.schema s SET nodeid = known.target_nodeid, changed = pg_current_xact_id()
    WHERE s.schemaid = schema_id AND s.nodeid = known.source_nodeid;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'schema "%" is not on its node any more', known.schema_name USING ERRCODE = 'TN010';
    END IF;
    DELETE FROM tenantry.shard h WHERE h.schemaid = schema_id AND NOT table_oids ? h.relname;
    UPDATE tenantry.shard h SET nodeid = known.target_nodeid, relid = (table_oids ->> h.relname)::oid
    WHERE h.schemaid = schema_id;
    DELETE FROM tenantry.pause p WHERE p.pauseid = known.pauseid;
    UPDATE tenantry.move m
    SET phase = 'switched', switched_at = clock_timestamp(), pauseid = NULL, old_schema = aside,
        waiting_for = '{}', sqlstate = NULL, message = NULL, detail = NULL, hint = NULL, eta_at = NULL
    WHERE m.moveid = move_id;
    PERFORM tenantry.catalog_changed();
END
$$;
REVOKE ALL ON FUNCTION tenantry.switch_move(bigint, bigint, name, jsonb) FROM PUBLIC;
