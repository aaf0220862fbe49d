-- Plans that are only looked at, and rebalances that their caller waits for; see docs/rebalancing.md.

DROP FUNCTION IF EXISTS tenantry.get_rebalance_table_shards_plan(
        text, real, integer, bigint[], boolean, name, real),
    tenantry.tenantry_rebalance_plan(name, real, boolean, real),
    tenantry.tenantry_rebalance_forecast(name, real, boolean, real);

-- The schema of a table of a distributed schema, named as in SQL; NULL for NULL.
CREATE OR REPLACE FUNCTION tenantry.schema_of_table(relation text) RETURNS oid
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    parts CONSTANT text[] := parse_ident(relation);
    found oid;
BEGIN
    IF relation IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT s.schemaid INTO found FROM tenantry.schema s JOIN pg_namespace n ON n.oid = s.schemaid
    WHERE cardinality(parts) = 2 AND n.nspname = parts[1];
    IF found IS NULL OR NOT EXISTS (SELECT FROM tenantry.cluster_tables(false) t
                                    WHERE t.table_name = quote_ident(parts[1]) || '.' || quote_ident(parts[2])) THEN
        RAISE EXCEPTION 'relation "%" does not exist', relation USING ERRCODE = 'undefined_table',
            DETAIL = 'It is no table of a distributed schema.', HINT = 'Name it with its schema.';
    END IF;
    RETURN found;
END
$$;
REVOKE ALL ON FUNCTION tenantry.schema_of_table(text) FROM PUBLIC;

CREATE FUNCTION tenantry.get_rebalance_table_shards_plan(
    relation text DEFAULT NULL, threshold real DEFAULT NULL, max_shard_moves integer DEFAULT 1000000,
    excluded_shard_list bigint[] DEFAULT '{}', drain_only boolean DEFAULT false, rebalance_strategy name DEFAULT NULL,
    improvement_threshold real DEFAULT NULL)
RETURNS TABLE (
    table_name text, shardid bigint, shard_size bigint, sourcename text, sourceport integer, targetname text,
    targetport integer)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    options CONSTANT jsonb := tenantry.rebalance_options(
        rebalance_strategy, threshold, max_shard_moves, excluded_shard_list, drain_only, improvement_threshold,
        tenantry.schema_of_table(relation), NULL);
    plan CONSTANT jsonb := tenantry.ask_for_plan(tenantry.rebalance_input(options));
BEGIN
    PERFORM tenantry.tell_of_plan(options, plan);
    RETURN QUERY
    SELECT t.table_name, t.shardid, t.bytes, s.nodename, s.nodeport, g.nodename, g.nodeport
    FROM jsonb_array_elements(plan -> 'moves') WITH ORDINALITY AS m (move, place)
    JOIN tenantry.cluster_tables(true) t ON t.schemaid = (m.move ->> 'schema')::bigint::oid
    JOIN tenantry.node s ON s.nodeid = (m.move ->> 'source')::integer
    JOIN tenantry.node g ON g.nodeid = (m.move ->> 'target')::integer
    ORDER BY m.place, t.shardid;
END
$$;
COMMENT ON FUNCTION tenantry.get_rebalance_table_shards_plan(text, real, integer, bigint[], boolean, name, real) IS
    'What a rebalance would move, table by table; empty schemas are in tenantry_rebalance_plan() only';

CREATE FUNCTION tenantry.tenantry_rebalance_plan(
    rebalance_strategy name DEFAULT NULL, threshold real DEFAULT NULL, drain_only boolean DEFAULT false,
    improvement_threshold real DEFAULT NULL)
RETURNS TABLE (schema_name regnamespace, bytes bigint, cost double precision, source text, target text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    options CONSTANT jsonb := tenantry.rebalance_options(
        rebalance_strategy, threshold, NULL, '{}', drain_only, improvement_threshold, NULL, NULL);
    plan CONSTANT jsonb := tenantry.ask_for_plan(tenantry.rebalance_input(options));
BEGIN
    PERFORM tenantry.tell_of_plan(options, plan);
    RETURN QUERY
    SELECT (m.move ->> 'schema')::bigint::oid::regnamespace, (m.move ->> 'bytes')::bigint,
           (m.move ->> 'cost')::double precision, s.name, g.name
    FROM jsonb_array_elements(plan -> 'moves') WITH ORDINALITY AS m (move, place)
    JOIN tenantry.node s ON s.nodeid = (m.move ->> 'source')::integer
    JOIN tenantry.node g ON g.nodeid = (m.move ->> 'target')::integer
    ORDER BY m.place;
END
$$;
COMMENT ON FUNCTION tenantry.tenantry_rebalance_plan(name, real, boolean, real) IS
    'What a rebalance would move, schema by schema, and why: what each costs by the strategy';

CREATE FUNCTION tenantry.tenantry_rebalance_forecast(
    rebalance_strategy name DEFAULT NULL, threshold real DEFAULT NULL, drain_only boolean DEFAULT false,
    improvement_threshold real DEFAULT NULL)
RETURNS TABLE (
    node text, capacity double precision, schemas_before integer, schemas_after integer, bytes_before bigint,
    bytes_after bigint, cost_before double precision, cost_after double precision)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    options CONSTANT jsonb := tenantry.rebalance_options(
        rebalance_strategy, threshold, NULL, '{}', drain_only, improvement_threshold, NULL, NULL);
    plan CONSTANT jsonb := tenantry.ask_for_plan(tenantry.rebalance_input(options));
BEGIN
    RETURN QUERY
    SELECT n.name, (f.node ->> 'capacity')::double precision,
           (f.node #>> '{before,schemas}')::integer, (f.node #>> '{after,schemas}')::integer,
           (f.node #>> '{before,bytes}')::bigint, (f.node #>> '{after,bytes}')::bigint,
           (f.node #>> '{before,cost}')::double precision, (f.node #>> '{after,cost}')::double precision
    FROM jsonb_array_elements(plan -> 'nodes') AS f (node)
    JOIN tenantry.node n ON n.nodeid = (f.node ->> 'id')::integer
    ORDER BY n.nodeid;
END
$$;
COMMENT ON FUNCTION tenantry.tenantry_rebalance_forecast(name, real, boolean, real) IS
    'What every node would hold after a rebalance; nothing is moved';

-- Starts a rebalance over a connection of its own, tells of each move when it begins, and returns when all is done.
-- When the caller is cancelled, so is the rebalance; a move that fails ends it.
CREATE OR REPLACE FUNCTION tenantry.rebalance_and_wait(options jsonb) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    connection CONSTANT text := 'tenantry_rebalance';
    nodes CONSTANT text := tenantry.nodes_now();
    plan jsonb;
    new_id bigint;
    told bigint[] := '{}';
    begun CONSTANT timestamptz := clock_timestamp();
    waits_for_itself timestamptz;
    task record;
    ended record;
BEGIN
    PERFORM tenantry.require_no_rebalance();
    plan := tenantry.ask_for_plan(tenantry.rebalance_input(options));
    PERFORM tenantry.tell_of_plan(options, plan);
    IF jsonb_array_length(plan -> 'moves') = 0 THEN
        RETURN;
    END IF;
    PERFORM FROM tenantry.cluster_tables(false); -- moves are told of by ids of tables, handed out when first seen
    PERFORM tenantry.open_own(connection);
    SELECT j.id INTO new_id FROM tenantry.dblink(connection, format(
        'SELECT tenantry.insert_rebalance(%L, %L, %L, %L, 0)', options, plan, nodes, tenantry.acting_role()))
        AS j (id bigint);
    LOOP
        FOR task IN SELECT * FROM tenantry.dblink(connection, format($q$
            SELECT t.task_id, t.schemaid, t.source_nodeid, t.target_nodeid, t.message, t.sqlstate,
                   t.status = 'error'
            FROM tenantry.background_task t
            WHERE t.job_id = %s AND t.status IN ('running', 'done', 'error')
            ORDER BY t.task_id$q$, new_id))
            AS t (id bigint, schemaid oid, source integer, target integer, message text, code text, failed boolean)
        LOOP
            IF task.id <> ALL (told) THEN
                RAISE NOTICE 'Moving % from % to % ...', tenantry.shard_text(task.schemaid),
                    tenantry.node_text(task.source), tenantry.node_text(task.target);
                told := told || task.id;
            END IF;
            IF task.failed THEN
                PERFORM FROM tenantry.dblink(connection, format('SELECT tenantry.citus_job_cancel(%s)', new_id))
                    AS c (done text);
                PERFORM tenantry.await_state(
                    format('SELECT state FROM tenantry.background_job WHERE job_id = %s', new_id), NULL,
                    '{finished,cancelled,failed}', tenantry.moves_of_job(new_id), '0.05 s');
                RAISE EXCEPTION '%', task.message USING ERRCODE = coalesce(nullif(task.code, ''), 'XX000');
            END IF;
        END LOOP;
        SELECT * INTO ended FROM tenantry.dblink(connection, format(
            'SELECT state, message FROM tenantry.background_job WHERE job_id = %s', new_id))
            AS j (state text, message text);
        EXIT WHEN NOT FOUND OR ended.state IN ('finished', 'failed', 'cancelled');
        waits_for_itself := tenantry.check_wait_for_itself(
            connection, tenantry.moves_of_job(new_id), begun, waits_for_itself);
        PERFORM pg_sleep(0.05);
    END LOOP;
    PERFORM tenantry.close_node(connection);
    new_id := NULL; -- nothing is left to cancel
    IF ended.state <> 'finished' THEN
        RAISE EXCEPTION 'rebalance was %', ended.state USING ERRCODE = 'query_canceled',
            DETAIL = coalesce(nullif(ended.message, ''), 'Somebody else has ended its job.');
    END IF;
EXCEPTION WHEN query_canceled OR active_sql_transaction THEN
    IF new_id IS NOT NULL THEN
        PERFORM FROM tenantry.dblink(connection, format('SELECT tenantry.citus_job_cancel(%s)', new_id))
            AS c (done text);
    END IF;
    RAISE;
END
$$;
REVOKE ALL ON FUNCTION tenantry.rebalance_and_wait(jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.require_no_change() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF pg_current_xact_id_if_assigned() IS NOT NULL THEN
        RAISE EXCEPTION 'schemas cannot be moved by a transaction that has changed something'
            USING ERRCODE = 'active_sql_transaction',
            DETAIL = 'Moves would wait for the end of the transaction, and the transaction for theirs.',
            HINT = 'Move them in a transaction of its own.';
    END IF;
END
$$;
REVOKE ALL ON FUNCTION tenantry.require_no_change() FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.rebalance_table_shards(
    relation text DEFAULT NULL, threshold real DEFAULT NULL, max_shard_moves integer DEFAULT 1000000,
    excluded_shard_list bigint[] DEFAULT '{}', shard_transfer_mode tenantry.shard_transfer_mode DEFAULT 'auto',
    drain_only boolean DEFAULT false, rebalance_strategy name DEFAULT NULL, improvement_threshold real DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    only_schema oid;
BEGIN
    PERFORM tenantry.require_no_change();
    only_schema := tenantry.schema_of_table(relation);
    PERFORM tenantry.require_owner_of_all(only_schema);
    PERFORM tenantry.rebalance_and_wait(tenantry.rebalance_options(
        rebalance_strategy, threshold, max_shard_moves, excluded_shard_list, drain_only, improvement_threshold,
        only_schema, shard_transfer_mode::text));
END
$$;
COMMENT ON FUNCTION tenantry.rebalance_table_shards(
    text, real, integer, bigint[], tenantry.shard_transfer_mode, boolean, name, real) IS
    'Rebalances and returns when it is done';

CREATE OR REPLACE FUNCTION tenantry.citus_drain_node(
    nodename text, nodeport integer, shard_transfer_mode tenantry.shard_transfer_mode DEFAULT 'auto',
    rebalance_strategy name DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    connection CONSTANT text := 'tenantry_drain';
BEGIN
    PERFORM tenantry.require_no_change();
    PERFORM tenantry.require_no_rebalance();
    PERFORM tenantry.open_own(connection);
    PERFORM FROM tenantry.dblink(connection, format(
        'SELECT tenantry.citus_set_node_property(%L, %L, ''shouldhaveshards'', false)', nodename, nodeport))
        AS s (done text);
    PERFORM tenantry.close_node(connection);
    -- A node that does not answer takes no part in a plan, and would be left as it is without a word.
    PERFORM tenantry.open_new_node(nodename, nodeport);
    PERFORM tenantry.close_node('tenantry_new_node');
    PERFORM tenantry.rebalance_and_wait(tenantry.rebalance_options(
        rebalance_strategy, NULL, NULL, '{}', true, NULL, NULL, shard_transfer_mode::text));
END
$$;
REVOKE ALL ON FUNCTION tenantry.citus_drain_node(text, integer, tenantry.shard_transfer_mode, name) FROM PUBLIC;
COMMENT ON FUNCTION tenantry.citus_drain_node(text, integer, tenantry.shard_transfer_mode, name) IS
    'Moves all schemas off a node, which gets no new ones from then on, and returns when it is empty';

CREATE OR REPLACE FUNCTION tenantry.schema_of_shard(shard_id bigint) RETURNS oid
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found oid := (SELECT h.schemaid FROM tenantry.shard h WHERE h.shardid = shard_id);
BEGIN
    IF found IS NULL THEN
        RAISE EXCEPTION 'could not find valid entry for shard %', shard_id USING ERRCODE = 'undefined_object';
    END IF;
    RETURN found;
END
$$;
REVOKE ALL ON FUNCTION tenantry.schema_of_shard(bigint) FROM PUBLIC;

-- Moves the schema of a shard. What is there already is done, as Citus has it.
CREATE OR REPLACE FUNCTION tenantry.move_schema_of_shard(
    shard_id bigint, source tenantry.node, target tenantry.node, addresses text[], mode text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    schema_id CONSTANT oid := tenantry.schema_of_shard(shard_id);
    current_node integer;
BEGIN
    PERFORM tenantry.require_movable(schema_id);
    SELECT s.nodeid INTO current_node FROM tenantry.schema s WHERE s.schemaid = schema_id;
    IF source.nodeid = target.nodeid THEN
        RAISE EXCEPTION 'cannot move shard to the same node' USING ERRCODE = 'invalid_parameter_value';
    ELSIF current_node = target.nodeid THEN
        RAISE WARNING 'shard is already present on node %', addresses[2] USING DETAIL = 'Move may have already completed.';
        RETURN;
    ELSIF source.nodeid IS DISTINCT FROM current_node THEN
        RAISE EXCEPTION 'could not find placement matching "%"', addresses[1] USING ERRCODE = 'data_exception',
            HINT = 'Confirm the placement still exists and try again.';
    END IF;
    PERFORM tenantry.move_and_wait(schema_id, target, addresses[2], mode);
END
$$;
REVOKE ALL ON FUNCTION tenantry.move_schema_of_shard(bigint, tenantry.node, tenantry.node, text[], text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.citus_move_shard_placement(
    shard_id bigint, source_node_name text, source_node_port integer, target_node_name text, target_node_port integer,
    shard_transfer_mode tenantry.shard_transfer_mode DEFAULT 'auto') RETURNS void
LANGUAGE plpgsql STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    source tenantry.node;
    target tenantry.node;
BEGIN
    SELECT * INTO source FROM tenantry.node n WHERE n.nodename = source_node_name AND n.nodeport = source_node_port;
    SELECT * INTO target FROM tenantry.node n WHERE n.nodename = target_node_name AND n.nodeport = target_node_port;
    PERFORM tenantry.move_schema_of_shard(shard_id, source, target,
        ARRAY[source_node_name || ':' || source_node_port, target_node_name || ':' || target_node_port],
        shard_transfer_mode::text);
END
$$;
COMMENT ON FUNCTION tenantry.citus_move_shard_placement(
    bigint, text, integer, text, integer, tenantry.shard_transfer_mode) IS
    'Moves the whole schema that a shard belongs to, and returns when it is on its new node';

CREATE OR REPLACE FUNCTION tenantry.citus_move_shard_placement(
    shard_id bigint, source_node_id integer, target_node_id integer,
    transfer_mode tenantry.shard_transfer_mode DEFAULT 'auto') RETURNS void
LANGUAGE plpgsql STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    source tenantry.node;
    target tenantry.node;
BEGIN
    SELECT * INTO source FROM tenantry.node n WHERE n.nodeid = source_node_id;
    SELECT * INTO target FROM tenantry.node n WHERE n.nodeid = target_node_id;
    IF source.nodeid IS NULL OR target.nodeid IS NULL THEN
        RAISE EXCEPTION 'node with node id % could not be found',
            CASE WHEN source.nodeid IS NULL THEN source_node_id ELSE target_node_id END
            USING ERRCODE = 'undefined_object';
    END IF;
    PERFORM tenantry.move_schema_of_shard(shard_id, source, target,
        ARRAY[source.nodename || ':' || source.nodeport, target.nodename || ':' || target.nodeport],
        transfer_mode::text);
END
$$;
