-- What a rebalance goes by: strategies, the capacity of nodes, and rules about single schemas; see docs/rebalancing.md.

CREATE OR REPLACE FUNCTION tenantry.citus_shard_cost_1(shardid bigint) RETURNS real
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
RETURN 1.0;

-- A page for what a schema costs by itself, unless the session or the role says otherwise.
CREATE OR REPLACE FUNCTION tenantry.rebalance_base_cost() RETURNS bigint
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
RETURN pg_size_bytes(coalesce(nullif(current_setting('citus.rebalancer_by_disk_size_base_cost', true), ''), '8kB'));

CREATE OR REPLACE FUNCTION tenantry.citus_shard_cost_by_disk_size(shardid bigint) RETURNS real
LANGUAGE sql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
RETURN (
    SELECT sum(t.bytes) + tenantry.rebalance_base_cost()
    FROM tenantry.cluster_tables(true) t
    WHERE t.schemaid = (SELECT s.schemaid FROM tenantry.shard s WHERE s.shardid = $1))::real;

CREATE OR REPLACE FUNCTION tenantry.citus_node_capacity_1(nodeid integer) RETURNS real
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
RETURN 1.0;

CREATE OR REPLACE FUNCTION tenantry.citus_shard_allowed_on_node_true(shardid bigint, nodeid integer) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
RETURN true;

INSERT INTO tenantry.rebalance_strategy (
    name, default_strategy, shard_cost_function, node_capacity_function, shard_allowed_on_node_function,
    default_threshold, minimum_threshold, improvement_threshold)
VALUES
    ('by_shard_count', false, 'tenantry.citus_shard_cost_1', 'tenantry.citus_node_capacity_1',
     'tenantry.citus_shard_allowed_on_node_true', 0, 0, 0),
    ('by_disk_size', true, 'tenantry.citus_shard_cost_by_disk_size', 'tenantry.citus_node_capacity_1',
     'tenantry.citus_shard_allowed_on_node_true', 0.1, 0.01, 0.5),
    ('by_load', false, 'tenantry.tenantry_shard_cost_by_load', 'tenantry.citus_node_capacity_1',
     'tenantry.citus_shard_allowed_on_node_true', 0.2, 0.05, 0.5)
ON CONFLICT DO NOTHING;

DROP VIEW IF EXISTS tenantry.pg_dist_rebalance_strategy CASCADE;
CREATE VIEW tenantry.pg_dist_rebalance_strategy AS
SELECT name, default_strategy,
       to_regproc(shard_cost_function) AS shard_cost_function,
       to_regproc(node_capacity_function) AS node_capacity_function,
       to_regproc(shard_allowed_on_node_function) AS shard_allowed_on_node_function,
       default_threshold, minimum_threshold, improvement_threshold
FROM tenantry.rebalance_strategy
ORDER BY name;
GRANT SELECT ON tenantry.pg_dist_rebalance_strategy TO PUBLIC;

-- The name of a function that a strategy may have, or what is wrong with it. It runs with a superuser's rights, so
-- nobody else may be able to change it, or to put another in its place, which who owns its schema may do.
CREATE OR REPLACE FUNCTION tenantry.strategy_function(role text, function regproc, arguments regtype[], result regtype)
RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known pg_proc;
    home pg_namespace;
    wrong text;
BEGIN
    SELECT * INTO known FROM pg_proc p WHERE p.oid = function;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'cache lookup failed for % with oid %', role, function::oid USING ERRCODE = 'undefined_function';
    END IF;
    wrong := CASE
        WHEN known.pronargs <> cardinality(arguments)
        THEN format('number of arguments of %s should be %s, not %s', known.proname, cardinality(arguments),
                    known.pronargs)
        WHEN known.proargtypes[0] <> arguments[1]
        THEN format('argument type of %s should be %s', known.proname, arguments[1])
        WHEN cardinality(arguments) > 1 AND known.proargtypes[1] <> arguments[2]
        THEN format('second argument type of %s should be %s', known.proname, arguments[2])
        WHEN known.prorettype <> result
        THEN format('return type of %s should be %s', known.proname, result) END;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'signature for % is incorrect', role
            USING ERRCODE = 'invalid_function_definition', DETAIL = wrong;
    END IF;
    IF NOT (SELECT r.rolsuper FROM pg_roles r WHERE r.oid = known.proowner) THEN
        RAISE EXCEPTION 'function % must belong to a superuser', function USING ERRCODE = 'insufficient_privilege',
            DETAIL = 'A rebalance runs it with the rights of one.';
    END IF;
    SELECT * INTO home FROM pg_namespace n WHERE n.oid = known.pronamespace;
    IF NOT (SELECT r.rolsuper FROM pg_roles r WHERE r.oid = CASE home.nspowner::regrole::text
                WHEN 'pg_database_owner' THEN (SELECT d.datdba FROM pg_database d WHERE d.datname = current_database())
                ELSE home.nspowner END) THEN
        RAISE EXCEPTION 'function % must be in a schema that belongs to a superuser', function
            USING ERRCODE = 'insufficient_privilege',
            DETAIL = 'Who owns the schema may put another function in its place, and a rebalance would run that with '
                     'a superuser''s rights.',
            HINT = 'Move it to a schema of a superuser''s by ALTER FUNCTION ... SET SCHEMA.';
    END IF;
    RETURN format('%I.%I', home.nspname, known.proname);
END
$$;
REVOKE ALL ON FUNCTION tenantry.strategy_function(text, regproc, regtype[], regtype) FROM PUBLIC;

-- The same of one that a strategy has; others may have made one of that name with other arguments.
CREATE OR REPLACE FUNCTION tenantry.strategy_function(role text, function text, arguments regtype[], result regtype)
RETURNS text
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
RETURN tenantry.strategy_function(
    role,
    coalesce(to_regprocedure(format('%s(%s)', function, array_to_string(arguments, ',')))::oid::regproc,
             to_regproc(function)),
    arguments, result);
REVOKE ALL ON FUNCTION tenantry.strategy_function(text, text, regtype[], regtype) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.citus_add_rebalance_strategy(
    name name, shard_cost_function regproc, node_capacity_function regproc, shard_allowed_on_node_function regproc,
    default_threshold real, minimum_threshold real DEFAULT 0, improvement_threshold real DEFAULT 0) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF default_threshold < minimum_threshold THEN
        RAISE EXCEPTION 'default_threshold cannot be smaller than minimum_threshold'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF greatest(default_threshold, minimum_threshold, improvement_threshold) >= 'infinity' THEN
        RAISE EXCEPTION 'thresholds have to be finite numbers' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    INSERT INTO tenantry.rebalance_strategy VALUES (
        citus_add_rebalance_strategy.name, false,
        tenantry.strategy_function('shard_cost_function', shard_cost_function, '{bigint}', 'real'),
        tenantry.strategy_function('node_capacity_function', node_capacity_function, '{integer}', 'real'),
        tenantry.strategy_function('shard_allowed_on_node_function', shard_allowed_on_node_function,
                                   '{bigint,integer}', 'boolean'),
        default_threshold, minimum_threshold, improvement_threshold);
END
$$;
REVOKE ALL ON FUNCTION tenantry.citus_add_rebalance_strategy(name, regproc, regproc, regproc, real, real, real)
    FROM PUBLIC;
COMMENT ON FUNCTION tenantry.citus_add_rebalance_strategy(name, regproc, regproc, regproc, real, real, real) IS
    'Adds a strategy: what a schema costs (by a shard of it), what a node carries, which may be on which';

CREATE OR REPLACE FUNCTION tenantry.citus_set_default_rebalance_strategy(name text) RETURNS void
LANGUAGE plpgsql STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
BEGIN
    LOCK TABLE tenantry.rebalance_strategy IN SHARE ROW EXCLUSIVE MODE;
    IF NOT EXISTS (SELECT FROM tenantry.rebalance_strategy s WHERE s.name = citus_set_default_rebalance_strategy.name)
    THEN
        RAISE EXCEPTION 'strategy with specified name does not exist' USING ERRCODE = 'undefined_object';
    END IF;
    UPDATE tenantry.rebalance_strategy s SET default_strategy = false WHERE s.default_strategy;
    UPDATE tenantry.rebalance_strategy s SET default_strategy = true
    WHERE s.name = citus_set_default_rebalance_strategy.name;
END
$$;
REVOKE ALL ON FUNCTION tenantry.citus_set_default_rebalance_strategy(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.tenantry_set_node_capacity(nodename text, nodeport integer, capacity real)
RETURNS void
LANGUAGE plpgsql STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known CONSTANT tenantry.node := tenantry.existing_node(nodename, nodeport);
BEGIN
    IF NOT (capacity > 0 AND capacity < 'infinity') THEN
        RAISE EXCEPTION 'the capacity of a node must be above 0' USING ERRCODE = 'invalid_parameter_value',
            HINT = format('To have a node emptied, use citus_drain_node(%L, %s).', nodename, nodeport);
    END IF;
    INSERT INTO tenantry.node_capacity AS c VALUES (known.nodeid, capacity)
    ON CONFLICT (nodeid) DO UPDATE SET capacity = excluded.capacity;
END
$$;
REVOKE ALL ON FUNCTION tenantry.tenantry_set_node_capacity(text, integer, real) FROM PUBLIC;
COMMENT ON FUNCTION tenantry.tenantry_set_node_capacity(text, integer, real) IS
    'Says how much a node carries beside others, which have 1; what a strategy says is multiplied by it';

CREATE OR REPLACE FUNCTION tenantry.require_distributed(schema_id regnamespace) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM tenantry.schema s WHERE s.schemaid = schema_id) THEN
        RAISE EXCEPTION 'schema % is not a distributed schema', schema_id
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
END
$$;
REVOKE ALL ON FUNCTION tenantry.require_distributed(regnamespace) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.tenantry_pin_schema(schema_id regnamespace) RETURNS void
LANGUAGE plpgsql STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenantry.require_distributed(schema_id);
    INSERT INTO tenantry.schema_pin VALUES (schema_id) ON CONFLICT DO NOTHING;
END
$$;
REVOKE ALL ON FUNCTION tenantry.tenantry_pin_schema(regnamespace) FROM PUBLIC;
COMMENT ON FUNCTION tenantry.tenantry_pin_schema(regnamespace) IS
    'Has no rebalance and no drain move the schema; citus_schema_move does';

CREATE OR REPLACE FUNCTION tenantry.tenantry_unpin_schema(schema_id regnamespace) RETURNS boolean
LANGUAGE plpgsql STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM tenantry.schema_pin p WHERE p.schemaid = schema_id;
    RETURN FOUND;
END
$$;
REVOKE ALL ON FUNCTION tenantry.tenantry_unpin_schema(regnamespace) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.add_to_placement_group(
    group_name text, group_apart boolean, schemas regnamespace[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenantry.require_distributed(s) FROM unnest(schemas) s;
    INSERT INTO tenantry.placement_group VALUES (group_name, group_apart) ON CONFLICT DO NOTHING;
    IF (SELECT g.apart FROM tenantry.placement_group g WHERE g.name = group_name) <> group_apart THEN
        RAISE EXCEPTION 'rule "%" keeps its schemas %', group_name,
            CASE WHEN group_apart THEN 'together' ELSE 'apart' END
            USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = format('Choose another name, or end that rule by tenantry_forget_rule(%L).', group_name);
    END IF;
    INSERT INTO tenantry.placement_group_member SELECT group_name, s FROM unnest(schemas) s ON CONFLICT DO NOTHING;
END
$$;
REVOKE ALL ON FUNCTION tenantry.add_to_placement_group(text, boolean, regnamespace[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.tenantry_keep_together(rule text, VARIADIC schemas regnamespace[]) RETURNS void
LANGUAGE sql STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ SELECT tenantry.add_to_placement_group(rule, false, schemas) $$;
REVOKE ALL ON FUNCTION tenantry.tenantry_keep_together(text, regnamespace[]) FROM PUBLIC;
COMMENT ON FUNCTION tenantry.tenantry_keep_together(text, regnamespace[]) IS
    'Has the next rebalance bring these schemas to one node, and further ones move them as one; adds to the rule';

CREATE OR REPLACE FUNCTION tenantry.tenantry_keep_apart(rule text, VARIADIC schemas regnamespace[]) RETURNS void
LANGUAGE sql STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ SELECT tenantry.add_to_placement_group(rule, true, schemas) $$;
REVOKE ALL ON FUNCTION tenantry.tenantry_keep_apart(text, regnamespace[]) FROM PUBLIC;
COMMENT ON FUNCTION tenantry.tenantry_keep_apart(text, regnamespace[]) IS
    'Has the next rebalance bring these schemas to different nodes, and further ones keep them so; adds to the rule';

CREATE OR REPLACE FUNCTION tenantry.tenantry_forget_rule(rule text) RETURNS boolean
LANGUAGE plpgsql STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM tenantry.placement_group g WHERE g.name = rule;
    RETURN FOUND;
END
$$;
REVOKE ALL ON FUNCTION tenantry.tenantry_forget_rule(text) FROM PUBLIC;

DROP VIEW IF EXISTS tenantry.tenantry_placement_rules CASCADE;
CREATE VIEW tenantry.tenantry_placement_rules AS
SELECT 'pinned' AS kind, NULL AS rule, p.schemaid::regnamespace AS schema_name FROM tenantry.schema_pin p
UNION ALL
SELECT CASE WHEN g.apart THEN 'apart' ELSE 'together' END, g.name, m.schemaid::regnamespace
FROM tenantry.placement_group g LEFT JOIN tenantry.placement_group_member m USING (name)
ORDER BY 1, 2, 3;
COMMENT ON VIEW tenantry.tenantry_placement_rules IS 'What rebalances keep to: schemas pinned, kept together, kept apart';
GRANT SELECT ON tenantry.tenantry_placement_rules TO PUBLIC;
