-- What Citus's users look at, under its names, columns and order, with live facts from every node.
--
-- Nodes are asked at the same time, each over a connection that lives as long as the statement. A node that does not
-- answer costs a warning and leaves its facts NULL.

-- Views are made anew, because columns may change; nobody's views may hang on them without being dropped.
DROP VIEW IF EXISTS tenantry.pg_dist_node, tenantry.pg_dist_schema, tenantry.pg_dist_colocation,
    tenantry.pg_dist_partition, tenantry.pg_dist_shard, tenantry.pg_dist_placement, tenantry.citus_schemas,
    tenantry.citus_tables, tenantry.citus_shards, tenantry.citus_nodes CASCADE;
DROP FUNCTION IF EXISTS tenantry.cluster_tables(boolean), tenantry.node_tables(boolean);

-- Sends a query to every node but the coordinator; returns the ids of those that have taken it.
CREATE OR REPLACE FUNCTION tenantry.ask_nodes(query text, OUT asked integer[], OUT silent integer[])
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    node record;
    reason text;
BEGIN
    asked := '{}';
    silent := '{}';
    FOR node IN
        SELECT n.nodeid, n.name, n.nodename, n.nodeport, s.since
        FROM tenantry.node n LEFT JOIN tenantry.silent_node s USING (nodeid)
        WHERE n.groupid <> 0 AND n.isactive ORDER BY n.nodeid
    LOOP
        IF node.since IS NOT NULL THEN
            RAISE WARNING 'node "%" (%:%) does not answer', node.name, node.nodename, node.nodeport
                USING DETAIL = format('It hangs since %s.', node.since);
            silent := silent || node.nodeid;
            CONTINUE;
        END IF;
        BEGIN
            PERFORM tenantry.open_node('tenantry_node_' || node.nodeid, node.nodename, node.nodeport);
            PERFORM tenantry.dblink_send_query('tenantry_node_' || node.nodeid, query);
            asked := asked || node.nodeid;
        EXCEPTION WHEN sqlclient_unable_to_establish_sqlconnection OR connection_failure THEN
            GET STACKED DIAGNOSTICS reason = PG_EXCEPTION_DETAIL;
            RAISE WARNING 'node "%" (%:%) does not answer', node.name, node.nodename, node.nodeport
                USING DETAIL = coalesce(nullif(reason, ''), 'No connection.');
            silent := silent || node.nodeid;
        END;
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION tenantry.ask_nodes(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.warn_of_silent_node(node_id integer, reason text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    node tenantry.node;
BEGIN
    SELECT * INTO node FROM tenantry.node n WHERE n.nodeid = node_id;
    RAISE WARNING 'node "%" (%:%) does not answer', node.name, node.nodename, node.nodeport USING DETAIL = reason;
    PERFORM tenantry.close_node('tenantry_node_' || node_id);
END
$$;
REVOKE ALL ON FUNCTION tenantry.warn_of_silent_node(integer, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.close_nodes(node_ids integer[]) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$ SELECT tenantry.close_node('tenantry_node_' || id) FROM unnest(node_ids) id $$;
REVOKE ALL ON FUNCTION tenantry.close_nodes(integer[]) FROM PUBLIC;

-- What a query of every node gives: a number for each schema. A silent node has a row without a schema.
CREATE OR REPLACE FUNCTION tenantry.number_by_schema(query text)
RETURNS TABLE (nodeid integer, schema_name name, number bigint)
LANGUAGE plpgsql ROWS 2000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    asked integer[];
    silent integer[];
    node_id integer;
    coordinator integer := (SELECT n.nodeid FROM tenantry.node n WHERE n.groupid = 0);
BEGIN
    SELECT a.asked, a.silent INTO asked, silent FROM tenantry.ask_nodes(query) a;
    IF EXISTS (SELECT FROM tenantry.schema s WHERE s.nodeid = coordinator) THEN
        RETURN QUERY EXECUTE format('SELECT %s, q.* FROM (%s) q', coordinator, query);
    END IF;
    FOREACH node_id IN ARRAY asked LOOP
        BEGIN
            RETURN QUERY SELECT node_id, answer.*
            FROM tenantry.dblink_get_result('tenantry_node_' || node_id) AS answer (schema_name name, number bigint);
        EXCEPTION WHEN OTHERS THEN
            PERFORM tenantry.warn_of_silent_node(node_id, SQLERRM);
            silent := silent || node_id;
        END;
    END LOOP;
    PERFORM tenantry.close_nodes(asked);
    RETURN QUERY SELECT id, NULL::name, NULL::bigint FROM unnest(silent) id;
EXCEPTION WHEN query_canceled THEN
    PERFORM tenantry.close_nodes(asked);
    RAISE;
END
$$;
REVOKE ALL ON FUNCTION tenantry.number_by_schema(text) FROM PUBLIC;

-- Bytes of the tables and materialized views of every schema of every node. A silent node has a row without a schema,
-- and one without bytes for each of its schemas.
CREATE OR REPLACE FUNCTION tenantry.schema_sizes() RETURNS TABLE (nodeid integer, schema_name name, bytes bigint)
LANGUAGE sql SECURITY DEFINER ROWS 2000
SET search_path = pg_catalog, pg_temp
SET jit = off
SET enable_nestloop = off
SET enable_mergejoin = off
AS $$
    WITH counted AS (
        SELECT * FROM tenantry.number_by_schema($q$
            SELECT n.nspname, pg_catalog.sum(b.bytes)::bigint
            FROM tenantry.table_bytes() b
            JOIN pg_catalog.pg_class c ON c.oid = b.relid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            GROUP BY n.nspname$q$)
    )
    SELECT c.nodeid, c.schema_name, c.number FROM counted c
    UNION ALL
    SELECT s.nodeid, n.nspname, NULL::bigint
    FROM counted c JOIN tenantry.schema s USING (nodeid) JOIN pg_namespace n ON n.oid = s.schemaid
    WHERE c.schema_name IS NULL
$$;

-- Ids for tables seen for the first time, in a transaction of its own: a reader may be read-only, roll back, or stay
-- open for long, and must not hold others up.
CREATE OR REPLACE FUNCTION tenantry.assign_shards(seen jsonb) RETURNS TABLE (
    nodeid integer, relid oid, shardid bigint, placementid bigint)
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    WITH fresh AS (
        SELECT f.* FROM jsonb_to_recordset(seen) AS f (nodeid integer, relid oid, schemaid oid, relname name)
    ), moved AS (
        -- A table that came with its schema from another node keeps its id.
        UPDATE tenantry.shard t SET nodeid = f.nodeid, relid = f.relid
        FROM fresh f
        WHERE t.schemaid = f.schemaid AND t.relname = f.relname AND t.nodeid <> f.nodeid
        RETURNING t.nodeid, t.relid, t.shardid, t.placementid
    ), made AS (
        INSERT INTO tenantry.shard AS t (nodeid, relid, schemaid, relname)
        SELECT f.nodeid, f.relid, f.schemaid, f.relname
        FROM fresh f JOIN tenantry.schema s USING (schemaid, nodeid)
        WHERE NOT EXISTS (SELECT FROM moved m WHERE (m.nodeid, m.relid) = (f.nodeid, f.relid))
        ORDER BY f.schemaid, f.relid
        ON CONFLICT (nodeid, relid) DO UPDATE SET relname = excluded.relname, schemaid = excluded.schemaid
        RETURNING t.nodeid, t.relid, t.shardid, t.placementid
    )
    SELECT * FROM moved UNION ALL SELECT * FROM made
$$;
REVOKE ALL ON FUNCTION tenantry.assign_shards(jsonb) FROM PUBLIC;

-- Ids for the tables given, an array of objects as tenantry.assign_shards() takes it; nothing for NULL.
CREATE OR REPLACE FUNCTION tenantry.number_tables(seen jsonb) RETURNS TABLE (
    nodeid integer, relid oid, shardid bigint, placementid bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    coordinator tenantry.node;
BEGIN
    IF seen IS NOT NULL THEN
        SELECT * INTO coordinator FROM tenantry.node n WHERE n.groupid = 0;
        PERFORM tenantry.open_node('tenantry_self', coordinator.nodename, coordinator.nodeport);
        RETURN QUERY SELECT a.* FROM tenantry.dblink('tenantry_self', format(
            'SELECT nodeid, relid, shardid, placementid FROM tenantry.assign_shards(%L)', seen))
            AS a (nodeid integer, relid oid, shardid bigint, placementid bigint);
        PERFORM tenantry.close_node('tenantry_self');
    END IF;
END
$$;
REVOKE ALL ON FUNCTION tenantry.number_tables(jsonb) FROM PUBLIC;

-- The tables of schemas that may be distributed, as every node has them; a row without relid for a node that is silent.
-- Names come as text, a fifth of the width of a name: the rows are kept in memory several times on their way.
CREATE OR REPLACE FUNCTION tenantry.node_tables(with_sizes boolean) RETURNS TABLE (
    nodeid integer, schema_name text, relid oid, relname text, relkind "char", owner text, access_method text,
    bytes bigint)
LANGUAGE plpgsql ROWS 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    query text := format($q$
        SELECT n.nspname::text, c.oid, c.relname::text, c.relkind, pg_catalog.pg_get_userbyid(c.relowner)::text,
               a.amname::text, %s
        FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam %s
        WHERE c.relkind IN ('r', 'p', 'f') AND c.oid >= 16384 AND c.relpersistence <> 't'
          AND n.nspname NOT IN ('tenantry', 'public') AND n.nspname !~ '^pg_'
          AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_depend d
            WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'
              AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid)$q$,
        CASE WHEN with_sizes THEN 'coalesce(b.bytes, 0)' ELSE 'NULL::bigint' END,
        CASE WHEN with_sizes THEN 'LEFT JOIN tenantry.table_bytes() b ON b.relid = c.oid' ELSE '' END);
    asked integer[];
    silent integer[];
    node_id integer;
    coordinator integer := (SELECT n.nodeid FROM tenantry.node n WHERE n.groupid = 0);
BEGIN
    SELECT a.asked, a.silent INTO asked, silent FROM tenantry.ask_nodes(query) a;
    IF EXISTS (SELECT FROM tenantry.schema s WHERE s.nodeid = coordinator) THEN
        RETURN QUERY EXECUTE format('SELECT %s, q.* FROM (%s) q', coordinator, query);
    END IF;
    FOREACH node_id IN ARRAY asked LOOP
        BEGIN
            RETURN QUERY SELECT node_id, answer.*
            FROM tenantry.dblink_get_result('tenantry_node_' || node_id) AS answer (
                schema_name text, relid oid, relname text, relkind "char", owner text, access_method text,
                bytes bigint);
        EXCEPTION WHEN OTHERS THEN
            PERFORM tenantry.warn_of_silent_node(node_id, SQLERRM);
            silent := silent || node_id;
        END;
    END LOOP;
    PERFORM tenantry.close_nodes(asked);
    RETURN QUERY
    SELECT id, NULL::text, NULL::oid, NULL::text, NULL::"char", NULL::text, NULL::text, NULL::bigint
    FROM unnest(silent) id;
EXCEPTION WHEN query_canceled THEN
    PERFORM tenantry.close_nodes(asked);
    RAISE;
END
$$;
REVOKE ALL ON FUNCTION tenantry.node_tables(boolean) FROM PUBLIC;

-- The tables of distributed schemas with shard ids, handed out where they are missing; of a silent node what is
-- remembered.
CREATE OR REPLACE FUNCTION tenantry.cluster_tables(with_sizes boolean) RETURNS TABLE (
    nodeid integer, schemaid oid, colocationid integer, table_name text, relkind "char", owner text,
    access_method text, bytes bigint, shardid bigint, placementid bigint)
LANGUAGE plpgsql SECURITY DEFINER ROWS 10000
SET search_path = pg_catalog, pg_temp
SET jit = off
-- Joins as written, by hashing: the statistics of these tables lag behind, and a wrong guess costs seconds.
SET join_collapse_limit = 1
SET enable_nestloop = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH owned AS MATERIALIZED (
        SELECT s.nodeid, s.schemaid, s.colocationid, n.nspname::text AS schema_name,
               quote_ident(n.nspname) || '.' AS qualifier
        FROM tenantry.schema s JOIN pg_namespace n ON n.oid = s.schemaid
    ), seen AS MATERIALIZED (
        SELECT t.nodeid, t.relid, t.relname, t.relkind, t.owner, t.access_method, t.bytes,
               o.schemaid, o.colocationid, o.qualifier || quote_ident(t.relname) AS table_name,
               h.shardid, h.placementid
        FROM tenantry.node_tables(with_sizes) t
        LEFT JOIN owned o ON o.schema_name = t.schema_name AND o.nodeid = t.nodeid
        LEFT JOIN tenantry.shard h ON h.relid = t.relid AND h.nodeid = t.nodeid AND h.relname = t.relname
    ), fresh AS (
        SELECT a.* FROM tenantry.number_tables((
            SELECT jsonb_agg(jsonb_build_object(
                'nodeid', t.nodeid, 'relid', t.relid::bigint, 'schemaid', t.schemaid::bigint, 'relname', t.relname))
            FROM seen t WHERE t.schemaid IS NOT NULL AND t.shardid IS NULL)) a
    )
    SELECT t.nodeid, t.schemaid, t.colocationid, t.table_name, t.relkind, t.owner, t.access_method,
           t.bytes, t.shardid, t.placementid
    FROM seen t WHERE t.schemaid IS NOT NULL AND t.shardid IS NOT NULL
    UNION ALL
    SELECT t.nodeid, t.schemaid, t.colocationid, t.table_name, t.relkind, t.owner, t.access_method,
           t.bytes, a.shardid, a.placementid
    FROM fresh a JOIN seen t ON t.nodeid = a.nodeid AND t.relid = a.relid
    UNION ALL
    SELECT h.nodeid, o.schemaid, o.colocationid, o.qualifier || quote_ident(h.relname),
           'r'::"char", NULL::text, NULL::text, NULL::bigint, h.shardid, h.placementid
    FROM seen silent
    JOIN owned o ON o.nodeid = silent.nodeid
    JOIN tenantry.shard h ON h.schemaid = o.schemaid
    WHERE silent.relid IS NULL;
END
$$;

CREATE VIEW tenantry.pg_dist_node AS
SELECT nodeid, groupid, nodename, nodeport, noderack, hasmetadata, isactive, noderole, nodecluster, metadatasynced,
       shouldhaveshards, nodeisclone, nodeprimarynodeid, name
FROM tenantry.node;

CREATE VIEW tenantry.pg_dist_schema AS
SELECT schemaid, colocationid FROM tenantry.schema;

CREATE VIEW tenantry.pg_dist_colocation AS
SELECT colocationid, 1 AS shardcount, 1 AS replicationfactor, 0::oid AS distributioncolumntype,
       0::oid AS distributioncolumncollation
FROM tenantry.schema;

CREATE VIEW tenantry.pg_dist_partition AS
SELECT table_name AS logicalrelid, 'n'::"char" AS partmethod, NULL::text AS partkey, colocationid,
       's'::"char" AS repmodel, false AS autoconverted
FROM tenantry.cluster_tables(false);

CREATE VIEW tenantry.pg_dist_shard AS
SELECT table_name AS logicalrelid, shardid, CASE relkind WHEN 'f' THEN 'f'::"char" ELSE 't'::"char" END AS shardstorage,
       NULL::text AS shardminvalue, NULL::text AS shardmaxvalue
FROM tenantry.cluster_tables(false);

CREATE VIEW tenantry.pg_dist_placement AS
SELECT t.placementid, t.shardid, 1 AS shardstate, 0::bigint AS shardlength, n.groupid
FROM tenantry.cluster_tables(false) t JOIN tenantry.node n USING (nodeid);

CREATE VIEW tenantry.citus_schemas AS
SELECT s.schemaid::regnamespace AS schema_name,
       s.colocationid AS colocation_id,
       CASE WHEN has_schema_privilege(s.schemaid, 'USAGE') AND NOT (b.schema_name IS NOT NULL AND b.bytes IS NULL)
            THEN pg_size_pretty(coalesce(b.bytes, 0)) END AS schema_size,
       r.rolname AS schema_owner,
       n.nodename,
       n.nodeport
FROM tenantry.schema s
JOIN pg_catalog.pg_namespace p ON p.oid = s.schemaid
JOIN pg_catalog.pg_roles r ON r.oid = p.nspowner
JOIN tenantry.node n USING (nodeid)
LEFT JOIN tenantry.schema_sizes() b ON b.nodeid = s.nodeid AND b.schema_name = p.nspname
ORDER BY s.schemaid;

CREATE VIEW tenantry.citus_tables AS
SELECT t.table_name,
       'schema'::text AS citus_table_type,
       '<none>'::text AS distribution_column,
       t.colocationid AS colocation_id,
       pg_size_pretty(t.bytes) AS table_size,
       1::bigint AS shard_count,
       t.owner::name AS table_owner,
       t.access_method::name AS access_method
FROM tenantry.cluster_tables(true) t
ORDER BY t.table_name COLLATE "C";

CREATE VIEW tenantry.citus_shards AS
SELECT t.table_name,
       t.shardid,
       t.table_name AS shard_name,
       'schema'::text AS citus_table_type,
       t.colocationid AS colocation_id,
       n.nodename,
       n.nodeport,
       t.bytes AS shard_size
FROM tenantry.cluster_tables(true) t JOIN tenantry.node n USING (nodeid)
ORDER BY t.table_name COLLATE "C", t.shardid;

CREATE VIEW tenantry.citus_nodes AS
SELECT nodename, nodeport, CASE groupid WHEN 0 THEN 'coordinator'::text ELSE 'worker'::text END AS role,
       isactive AS active
FROM tenantry.node
ORDER BY nodeid;

GRANT SELECT ON tenantry.pg_dist_node, tenantry.pg_dist_schema, tenantry.pg_dist_colocation,
    tenantry.pg_dist_partition, tenantry.pg_dist_shard, tenantry.pg_dist_placement, tenantry.citus_schemas,
    tenantry.citus_tables, tenantry.citus_shards, tenantry.citus_nodes TO PUBLIC;
GRANT EXECUTE ON FUNCTION tenantry.schema_sizes(), tenantry.cluster_tables(boolean) TO PUBLIC;
