-- Plans: what they go by is gathered here, with the nodes and schemas that the caller's transaction sees; the proxy that
-- leads finds the moves, because that is a computation and no query. See docs/rebalancing.md.

-- How nodes are, as far as a plan depends on it.
CREATE OR REPLACE FUNCTION tenantry.nodes_now() RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT string_agg(concat_ws(':', n.nodeid, CASE WHEN n.isactive AND n.shouldhaveshards
                                                    THEN coalesce(c.capacity, 1) ELSE 0 END), ' ' ORDER BY n.nodeid)
    FROM tenantry.node n LEFT JOIN tenantry.node_capacity c USING (nodeid)
$$;
REVOKE ALL ON FUNCTION tenantry.nodes_now() FROM PUBLIC;

-- What was asked for, with defaults filled in, as a job keeps it for planning again.
CREATE OR REPLACE FUNCTION tenantry.rebalance_options(
    strategy_name name, threshold real, moves_max integer, excluded_shards bigint[], drain_only boolean,
    improvement real, only_schema oid, transfer_mode text) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    strategy tenantry.rebalance_strategy;
    bound real;
    worth real;
BEGIN
    SELECT * INTO strategy FROM tenantry.rebalance_strategy s
    WHERE CASE WHEN strategy_name IS NULL THEN s.default_strategy ELSE s.name = strategy_name END;
    IF NOT FOUND AND strategy_name IS NULL THEN
        RAISE EXCEPTION 'no rebalance_strategy was provided, but there is also no default strategy set'
            USING ERRCODE = 'undefined_object';
    ELSIF NOT FOUND THEN
        RAISE EXCEPTION 'could not find rebalance strategy with name %', strategy_name
            USING ERRCODE = 'undefined_object';
    END IF;
    IF threshold < strategy.minimum_threshold THEN
        RAISE WARNING 'the given threshold is lower than the minimum threshold allowed by the rebalance strategy, using '
            'the minimum allowed threshold instead'
            USING DETAIL = format('Using threshold of %s', to_char(strategy.minimum_threshold, 'FM9999990.00'));
    END IF;
    bound := greatest(coalesce(threshold, strategy.default_threshold), strategy.minimum_threshold);
    worth := coalesce(improvement, strategy.improvement_threshold);
    IF NOT (bound < 'infinity' AND worth < 'infinity' AND worth > '-infinity') THEN -- not a number is above all
        RAISE EXCEPTION 'threshold and improvement_threshold have to be finite numbers'
            USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('They are %s and %s for strategy "%s".', bound, worth, strategy.name);
    END IF;
    RETURN jsonb_build_object(
        'strategy', strategy.name,
        'threshold', bound,
        'improvement', worth,
        'moves', coalesce(moves_max, 1000000),
        'drain', coalesce(drain_only, false),
        'mode', coalesce(transfer_mode, 'auto'),
        'base', tenantry.rebalance_base_cost(),
        'only', only_schema::bigint,
        'excluded', coalesce((SELECT jsonb_agg(DISTINCT h.schemaid::bigint) FROM tenantry.shard h
                              WHERE h.shardid = ANY (excluded_shards)), '[]'));
END
$$;
REVOKE ALL ON FUNCTION tenantry.rebalance_options(name, real, integer, bigint[], boolean, real, oid, text)
    FROM PUBLIC;

-- What functions of a strategy that are not ours say of these nodes and schemas: {capacity: {node: real}, cost: {shard:
-- real}, forbidden: {shard: [node]}}, each only where it has such a function. They run in a session of its own, with the
-- rights of the superuser who owns them: nothing of the caller's is there that they could mistake for what they mean,
-- no temporary table and no setting, and their names lead to what only superusers may make.
CREATE OR REPLACE FUNCTION tenantry.ask_strategy(strategy tenantry.rebalance_strategy) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    connection CONSTANT text := 'tenantry_strategy';
    -- Ours are known: what they say is computed where it is needed.
    capacity CONSTANT text := nullif(strategy.node_capacity_function, 'tenantry.citus_node_capacity_1');
    allowed CONSTANT text := nullif(strategy.shard_allowed_on_node_function, 'tenantry.citus_shard_allowed_on_node_true');
    cost CONSTANT text := CASE WHEN strategy.shard_cost_function NOT IN (
        'tenantry.citus_shard_cost_1', 'tenantry.citus_shard_cost_by_disk_size', 'tenantry.tenantry_shard_cost_by_load')
        THEN strategy.shard_cost_function END;
    nodes text;
    shards text;
    told jsonb;
BEGIN
    IF num_nonnulls(capacity, allowed, cost) = 0 THEN
        RETURN '{}';
    END IF;
    IF num_nonnulls(allowed, cost) > 0 THEN
        PERFORM FROM tenantry.cluster_tables(false); -- they get ids of tables, which are handed out when first seen
    END IF;
    nodes := format('unnest(%L::int[]) AS n (id)', ARRAY(SELECT n.nodeid FROM tenantry.node n));
    shards := format('unnest(%L::bigint[]) AS h (id)',
                     ARRAY(SELECT min(h.shardid) FROM tenantry.shard h GROUP BY h.schemaid));
    PERFORM tenantry.open_own(connection);
    PERFORM tenantry.dblink_exec(connection, 'SET search_path = pg_catalog, tenantry, pg_temp');
    PERFORM tenantry.dblink_exec(connection, 'SET enable_nestloop = on; SET enable_mergejoin = on');
    PERFORM tenantry.dblink_exec(connection, 'SET statement_timeout = ''30s''');
    SELECT a.told INTO told FROM tenantry.dblink(connection, format(
        'SELECT jsonb_build_object(''capacity'', (%s), ''cost'', (%s), ''forbidden'', (%s))',
        coalesce('SELECT jsonb_object_agg(n.id, ' || capacity || '(n.id)) FROM ' || nodes, 'NULL'),
        coalesce('SELECT jsonb_object_agg(h.id, ' || cost || '(h.id)) FROM ' || shards, 'NULL'),
        coalesce('SELECT jsonb_object_agg(h.id, ARRAY(SELECT n.id FROM ' || nodes || ' WHERE NOT ' || allowed
                 || '(h.id, n.id))) FROM ' || shards, 'NULL'))) AS a (told jsonb);
    PERFORM tenantry.close_node(connection);
    RETURN jsonb_strip_nulls(told);
EXCEPTION WHEN OTHERS OR query_canceled THEN
    PERFORM tenantry.close_node(connection);
    RAISE;
END
$$;
REVOKE ALL ON FUNCTION tenantry.ask_strategy(tenantry.rebalance_strategy) FROM PUBLIC;

-- The schemas, with cost and the nodes forbidden to each.
DROP FUNCTION IF EXISTS tenantry.weigh_schemas(tenantry.rebalance_strategy, jsonb, jsonb);
CREATE OR REPLACE FUNCTION tenantry.weigh_schemas(cost_function text, told jsonb, options jsonb, sizes jsonb)
RETURNS jsonb
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'id', s.schemaid::bigint, 'name', n.nspname, 'node', coalesce(m.target_nodeid, s.nodeid),
        'bytes', coalesce(z.bytes, 0),
        'cost', CASE cost_function
            WHEN 'tenantry.citus_shard_cost_1' THEN to_jsonb(1)
            WHEN 'tenantry.citus_shard_cost_by_disk_size'
            THEN to_jsonb(coalesce(z.bytes, 0) + (options ->> 'base')::bigint)
            WHEN 'tenantry.tenantry_shard_cost_by_load' THEN to_jsonb(coalesce(l.load, 0))
            ELSE coalesce(c.cost, '0') END,
        'forbidden', coalesce(f.nodes, '[]'),
        'fixed', m.moveid IS NOT NULL OR p.schemaid IS NOT NULL OR options -> 'excluded' @> to_jsonb(s.schemaid::bigint))
        ORDER BY s.colocationid), '[]')
    FROM tenantry.schema s
    JOIN pg_namespace n ON n.oid = s.schemaid
    LEFT JOIN tenantry.schema_pin p ON p.schemaid = s.schemaid
    LEFT JOIN tenantry.schema_load l ON l.schemaid = s.schemaid
    LEFT JOIN (SELECT * FROM jsonb_to_recordset(sizes) AS z (nodeid integer, schema_name name, bytes bigint)) z
        ON z.nodeid = s.nodeid AND z.schema_name = n.nspname
    LEFT JOIN tenantry.move m ON m.schemaid = s.schemaid AND m.finished_at IS NULL AND NOT m.cancel_requested
        AND m.phase <> 'undoing'
    LEFT JOIN (SELECT h.schemaid, min(h.shardid) AS shardid FROM tenantry.shard h GROUP BY h.schemaid) h
        ON h.schemaid = s.schemaid
    LEFT JOIN jsonb_each(told -> 'cost') c (shardid, cost) ON c.shardid = h.shardid::text
    LEFT JOIN jsonb_each(told -> 'forbidden') f (shardid, nodes) ON f.shardid = h.shardid::text
    WHERE options ->> 'only' IS NULL OR s.schemaid = (options ->> 'only')::bigint::oid
$$;
REVOKE ALL ON FUNCTION tenantry.weigh_schemas(text, jsonb, jsonb, jsonb) FROM PUBLIC;

DROP FUNCTION IF EXISTS tenantry.weigh_nodes(tenantry.rebalance_strategy);
CREATE OR REPLACE FUNCTION tenantry.weigh_nodes(capacity_function text, told jsonb) RETURNS TABLE (
    nodeid integer, capacity double precision)
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT n.nodeid, CASE WHEN n.isactive AND n.shouldhaveshards THEN coalesce(c.capacity, 1) * CASE
                               WHEN capacity_function = 'tenantry.citus_node_capacity_1' THEN 1
                               ELSE coalesce((told -> 'capacity' ->> n.nodeid::text)::double precision, 0) END
                          ELSE 0 END
    FROM tenantry.node n LEFT JOIN tenantry.node_capacity c USING (nodeid) ORDER BY n.nodeid
$$;
REVOKE ALL ON FUNCTION tenantry.weigh_nodes(text, jsonb) FROM PUBLIC;

-- All that a plan depends on. Nodes that do not answer take no part, nor do their schemas.
CREATE OR REPLACE FUNCTION tenantry.rebalance_input(options jsonb) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    strategy tenantry.rebalance_strategy;
    sizes jsonb;
    told jsonb;
BEGIN
    SELECT * INTO strategy FROM tenantry.rebalance_strategy s WHERE s.name = options ->> 'strategy';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'could not find rebalance strategy with name %', options ->> 'strategy'
            USING ERRCODE = 'undefined_object';
    END IF;
    PERFORM tenantry.strategy_function('shard_cost_function', strategy.shard_cost_function, '{bigint}', 'real'),
            tenantry.strategy_function('node_capacity_function', strategy.node_capacity_function, '{integer}', 'real'),
            tenantry.strategy_function('shard_allowed_on_node_function', strategy.shard_allowed_on_node_function,
                                       '{bigint,integer}', 'boolean');
    SELECT coalesce(jsonb_agg(z), '[]') INTO sizes FROM tenantry.schema_sizes() z;
    told := tenantry.ask_strategy(strategy);
    RETURN jsonb_build_object(
        'nodes', (
            SELECT jsonb_agg(jsonb_build_object('id', w.nodeid, 'capacity', w.capacity))
            FROM tenantry.weigh_nodes(strategy.node_capacity_function, told) w
            WHERE NOT EXISTS (SELECT FROM jsonb_to_recordset(sizes) AS z (nodeid integer, schema_name name)
                              WHERE z.nodeid = w.nodeid AND z.schema_name IS NULL)),
        'schemas', tenantry.weigh_schemas(strategy.shard_cost_function, told, options, sizes),
        'together', tenantry.placement_groups(false),
        'apart', tenantry.placement_groups(true),
        'limits', options);
END
$$;
REVOKE ALL ON FUNCTION tenantry.rebalance_input(jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.placement_groups(kept_apart boolean) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(jsonb_agg(g.members), '[]') FROM (
        SELECT jsonb_agg(m.schemaid::bigint) AS members
        FROM tenantry.placement_group_member m JOIN tenantry.placement_group k USING (name)
        WHERE k.apart = kept_apart GROUP BY m.name) g
$$;
REVOKE ALL ON FUNCTION tenantry.placement_groups(boolean) FROM PUBLIC;

-- Has the proxy that leads make a plan of this input.
CREATE OR REPLACE FUNCTION tenantry.ask_for_plan(input jsonb) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    connection CONSTANT text := 'tenantry_plan';
    until_then CONSTANT timestamptz := clock_timestamp() + interval '30 s';
    question bigint;
    plan jsonb;
BEGIN
    PERFORM tenantry.open_own(connection);
    SELECT q.id INTO question FROM tenantry.dblink(connection, format($q$
        WITH asked AS (INSERT INTO tenantry.rebalance_question (input) VALUES (%L) RETURNING questionid)
        SELECT questionid, pg_catalog.pg_notify('tenantry_rebalance', '') FROM asked$q$, input))
        AS q (id bigint, notified text);
    LOOP
        SELECT q.answer INTO plan FROM tenantry.dblink(connection, format($q$
            DELETE FROM tenantry.rebalance_question q WHERE q.questionid = %s AND q.answer IS NOT NULL
            RETURNING q.answer$q$, question)) AS q (answer jsonb);
        EXIT WHEN FOUND;
        IF clock_timestamp() > until_then THEN
            RAISE EXCEPTION 'no proxy has made a plan for 30 s' USING ERRCODE = 'object_not_in_prerequisite_state',
                DETAIL = 'The proxy that leads makes plans.',
                HINT = 'See which proxies are alive, and what their logs say.';
        END IF;
        PERFORM pg_sleep(0.01);
    END LOOP;
    PERFORM tenantry.close_node(connection);
    IF plan ? 'error' THEN
        RAISE EXCEPTION '%', plan ->> 'error' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN plan;
END
$$;
REVOKE ALL ON FUNCTION tenantry.ask_for_plan(jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.require_owner_of_all(only_schema oid) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    strange regnamespace;
BEGIN
    SELECT n.oid INTO strange
    FROM tenantry.schema s JOIN pg_namespace n ON n.oid = s.schemaid
    WHERE (only_schema IS NULL OR s.schemaid = only_schema)
      AND NOT pg_has_role(tenantry.acting_role(), n.nspowner, 'USAGE')
    ORDER BY s.schemaid LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'must be owner of schema %', strange USING ERRCODE = 'insufficient_privilege';
    END IF;
END
$$;
REVOKE ALL ON FUNCTION tenantry.require_owner_of_all(oid) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.shard_text(schema_id oid) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce((SELECT 'shard ' || min(h.shardid) FROM tenantry.shard h WHERE h.schemaid = schema_id),
                    'schema ' || schema_id::regnamespace)
$$;
REVOKE ALL ON FUNCTION tenantry.shard_text(oid) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.node_text(node_id bigint) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT n.nodename || ':' || n.nodeport FROM tenantry.node n WHERE n.nodeid = node_id $$;
REVOKE ALL ON FUNCTION tenantry.node_text(bigint) FROM PUBLIC;

-- What Citus says about moves that are not in a plan.
CREATE OR REPLACE FUNCTION tenantry.tell_of_plan(options jsonb, plan jsonb) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    shown_max CONSTANT integer := coalesce(
        nullif(current_setting('citus.max_rebalancer_logged_ignored_moves', true), '')::integer, 5);
    total CONSTANT integer := jsonb_array_length(plan -> 'ignored');
    shown CONSTANT integer := CASE WHEN shown_max < 0 THEN total ELSE least(shown_max, total) END;
    entry jsonb;
BEGIN
    FOR entry IN SELECT e FROM jsonb_array_elements(plan -> 'stuck') e LOOP
        RAISE WARNING 'Not allowed to move % anywhere from %', tenantry.shard_text((entry ->> 'schema')::bigint::oid),
            tenantry.node_text((entry ->> 'source')::bigint);
    END LOOP;
    FOR entry IN SELECT e FROM jsonb_array_elements(plan -> 'ignored') e LIMIT shown LOOP
        RAISE NOTICE 'Ignoring move of % from % to %, because the move only brings a small improvement relative to the '
            'shard its size', tenantry.shard_text((entry ->> 'schema')::bigint::oid),
            tenantry.node_text((entry ->> 'source')::bigint), tenantry.node_text((entry ->> 'target')::bigint)
            USING DETAIL = format('The balance improvement of %s is lower than the improvement_threshold of %s',
                                  (entry ->> 'improvement')::real, options ->> 'improvement'),
            HINT = 'If you do want this move to happen, try changing improvement_threshold to a lower value.';
    END LOOP;
    IF total > 0 THEN
        RAISE NOTICE 'Ignored % moves, % of which are shown in notices above', total,
            CASE WHEN shown = total THEN 'all' ELSE shown::text END
            USING HINT = format('If you do want these moves to happen, try changing improvement_threshold to a lower '
                                'value than what it is now (%s).', options ->> 'improvement');
    END IF;
    IF (plan ->> 'stopped')::boolean THEN
        RAISE NOTICE 'Stopped searching before we were out of moves. Please rerun the rebalancer after it''s finished '
            'for a more optimal placement.';
    END IF;
END
$$;
REVOKE ALL ON FUNCTION tenantry.tell_of_plan(jsonb, jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.citus_rebalance_start(
    rebalance_strategy name DEFAULT NULL, drain_only boolean DEFAULT false,
    shard_transfer_mode tenantry.shard_transfer_mode DEFAULT 'auto',
    parallel_transfer_reference_tables boolean DEFAULT false,
    parallel_transfer_colocated_shards boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    options CONSTANT jsonb := tenantry.rebalance_options(
        rebalance_strategy, NULL, NULL, '{}', drain_only, NULL, NULL, shard_transfer_mode::text);
    nodes CONSTANT text := tenantry.nodes_now();
    plan jsonb;
    new_id bigint;
BEGIN
    PERFORM tenantry.require_owner_of_all(NULL);
    PERFORM tenantry.require_no_rebalance();
    IF NOT EXISTS (SELECT FROM tenantry.schema) THEN
        RAISE NOTICE 'No tables to rebalance';
        RETURN NULL;
    END IF;
    plan := tenantry.ask_for_plan(tenantry.rebalance_input(options));
    PERFORM tenantry.tell_of_plan(options, plan);
    IF jsonb_array_length(plan -> 'moves') = 0 THEN
        RAISE NOTICE 'No moves available for rebalancing';
        RETURN NULL;
    END IF;
    new_id := tenantry.insert_rebalance(options, plan, nodes, tenantry.acting_role(), 5);
    RAISE NOTICE 'Scheduled % moves as job %', jsonb_array_length(plan -> 'moves'), new_id
        USING DETAIL = 'Rebalance scheduled as background job',
        HINT = 'To monitor progress, run: SELECT * FROM citus_rebalance_status();';
    RETURN new_id;
END
$$;
COMMENT ON FUNCTION tenantry.citus_rebalance_start(name, boolean, tenantry.shard_transfer_mode, boolean, boolean) IS
    'Plans moves and has them done in the background; returns the number of the job, or null if there is nothing to do';
