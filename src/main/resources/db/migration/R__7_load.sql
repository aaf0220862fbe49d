-- How busy schemas are: the blocks that statements touch in their tables and indexes, as each node counts them. A
-- statement that reads much weighs more than one that reads a row, and nothing has to be counted on the way of it.

-- What every node that answers has counted, by schema.
CREATE OR REPLACE FUNCTION tenantry.schema_blocks() RETURNS TABLE (nodeid integer, schema_name name, blocks bigint)
LANGUAGE sql ROWS 2000
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT c.* FROM tenantry.number_by_schema($q$
        SELECT s.schemaname, pg_catalog.sum(
            coalesce(s.heap_blks_read, 0) + coalesce(s.heap_blks_hit, 0) + coalesce(s.idx_blks_read, 0)
            + coalesce(s.idx_blks_hit, 0) + coalesce(s.toast_blks_read, 0) + coalesce(s.toast_blks_hit, 0)
            + coalesce(s.tidx_blks_read, 0) + coalesce(s.tidx_blks_hit, 0))::bigint
        FROM pg_catalog.pg_statio_user_tables s GROUP BY s.schemaname$q$) c
    WHERE c.schema_name IS NOT NULL
$$;
REVOKE ALL ON FUNCTION tenantry.schema_blocks() FROM PUBLIC;

-- A load to which some seconds with so many blocks are added; what was ten minutes before counts for a third.
CREATE OR REPLACE FUNCTION tenantry.smoothed(load double precision, blocks bigint, seconds double precision)
RETURNS double precision
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN seconds > 0
            THEN load * exp(-least(seconds / 600, 100)) + blocks / seconds * (1 - exp(-least(seconds / 600, 100)))
            ELSE load END;
REVOKE ALL ON FUNCTION tenantry.smoothed(double precision, bigint, double precision) FROM PUBLIC;

-- Notes what has been counted since the last time. A schema that has come from another node keeps its load; what was
-- counted there meanwhile, and the copying here, is left out.
CREATE OR REPLACE FUNCTION tenantry.measure_load() RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
SET enable_nestloop = off
AS $$
    INSERT INTO tenantry.schema_load AS k (schemaid, nodeid, blocks)
    SELECT s.schemaid, s.nodeid, b.blocks
    FROM tenantry.schema_blocks() b
    JOIN pg_namespace p ON p.nspname = b.schema_name
    JOIN tenantry.schema s ON s.schemaid = p.oid AND s.nodeid = b.nodeid
    ON CONFLICT (schemaid) DO UPDATE SET
        nodeid = excluded.nodeid, blocks = excluded.blocks, measured_at = excluded.measured_at,
        load = CASE WHEN k.nodeid = excluded.nodeid AND excluded.blocks >= k.blocks
                    THEN tenantry.smoothed(k.load, excluded.blocks - k.blocks,
                                           extract(epoch FROM excluded.measured_at - k.measured_at)::double precision)
                    ELSE k.load END
    WHERE k.nodeid <> excluded.nodeid OR k.blocks <> excluded.blocks OR k.load > 0.01
$$;
REVOKE ALL ON FUNCTION tenantry.measure_load() FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.tenantry_shard_cost_by_load(shardid bigint) RETURNS real
LANGUAGE sql STABLE STRICT
SET search_path = pg_catalog, pg_temp
RETURN coalesce((SELECT l.load FROM tenantry.schema_load l
                 WHERE l.schemaid = (SELECT s.schemaid FROM tenantry.shard s WHERE s.shardid = $1)), 0)::real;

DROP VIEW IF EXISTS tenantry.tenantry_load CASCADE;
CREATE VIEW tenantry.tenantry_load AS
SELECT l.schemaid::regnamespace AS schema_name, n.name AS node, l.load AS blocks_per_second, l.measured_at
FROM tenantry.schema_load l JOIN tenantry.node n USING (nodeid)
ORDER BY l.load DESC, l.schemaid;
COMMENT ON VIEW tenantry.tenantry_load IS
    'How busy schemas are: blocks of tables and indexes that are touched a second, averaged over about ten minutes';
GRANT SELECT ON tenantry.tenantry_load TO PUBLIC;
