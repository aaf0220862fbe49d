-- Pausing a schema or a node: proxies let its new transactions wait, and running ones go on to their end. A pause
-- begins and ends with the transaction that says so. Only a superuser may call these functions.

CREATE OR REPLACE FUNCTION tenantry.tenantry_pause_schema(schema_id regnamespace) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    pause_id bigint;
BEGIN
    PERFORM FROM tenantry.schema s WHERE s.schemaid = schema_id FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'schema % is not distributed', schema_id USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    INSERT INTO tenantry.pause (pauseid, schemaid) OVERRIDING SYSTEM VALUE
    VALUES (tenantry.next_number('tenantry.pause_pauseid_seq'), schema_id)
    ON CONFLICT (schemaid) DO NOTHING RETURNING pauseid INTO pause_id;
    IF pause_id IS NULL THEN
        SELECT p.pauseid INTO pause_id FROM tenantry.pause p WHERE p.schemaid = schema_id;
    END IF;
    PERFORM tenantry.catalog_changed();
    RETURN pause_id;
END
$$;
REVOKE ALL ON FUNCTION tenantry.tenantry_pause_schema(regnamespace) FROM PUBLIC;
COMMENT ON FUNCTION tenantry.tenantry_pause_schema(regnamespace) IS
    'Lets new transactions of the schema wait until tenantry_resume_schema(); returns the number of the pause';

CREATE OR REPLACE FUNCTION tenantry.tenantry_resume_schema(schema_id regnamespace) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM tenantry.pause p WHERE p.schemaid = schema_id;
    IF FOUND THEN
        PERFORM tenantry.catalog_changed();
        RETURN true;
    END IF;
    RETURN false;
END
$$;
REVOKE ALL ON FUNCTION tenantry.tenantry_resume_schema(regnamespace) FROM PUBLIC;
COMMENT ON FUNCTION tenantry.tenantry_resume_schema(regnamespace) IS
    'Lets transactions of the schema go on; returns whether it was paused';

CREATE OR REPLACE FUNCTION tenantry.tenantry_pause_node(nodename text, nodeport integer) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known tenantry.node := tenantry.existing_node(nodename, nodeport);
    pause_id bigint;
BEGIN
    INSERT INTO tenantry.pause (pauseid, nodeid) OVERRIDING SYSTEM VALUE
    VALUES (tenantry.next_number('tenantry.pause_pauseid_seq'), known.nodeid)
    ON CONFLICT (nodeid) DO NOTHING RETURNING pauseid INTO pause_id;
    IF pause_id IS NULL THEN
        SELECT p.pauseid INTO pause_id FROM tenantry.pause p WHERE p.nodeid = known.nodeid;
    END IF;
    PERFORM tenantry.catalog_changed();
    RETURN pause_id;
END
$$;
REVOKE ALL ON FUNCTION tenantry.tenantry_pause_node(text, integer) FROM PUBLIC;
COMMENT ON FUNCTION tenantry.tenantry_pause_node(text, integer) IS
    'Lets new transactions of the node wait until tenantry_resume_node(); returns the number of the pause';

CREATE OR REPLACE FUNCTION tenantry.tenantry_resume_node(nodename text, nodeport integer) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known tenantry.node := tenantry.existing_node(nodename, nodeport);
BEGIN
    DELETE FROM tenantry.pause p WHERE p.nodeid = known.nodeid;
    IF FOUND THEN
        PERFORM tenantry.catalog_changed();
        RETURN true;
    END IF;
    RETURN false;
END
$$;
REVOKE ALL ON FUNCTION tenantry.tenantry_resume_node(text, integer) FROM PUBLIC;
COMMENT ON FUNCTION tenantry.tenantry_resume_node(text, integer) IS
    'Lets transactions of the node go on; returns whether it was paused';

-- Does nothing for a pause that has ended meanwhile. Wakes who waits for the end of what was running.
CREATE OR REPLACE FUNCTION tenantry.acknowledge_pause(proxy_id text, pause_id bigint, still_running integer)
RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO tenantry.pause_acknowledgement (pauseid, proxyid, running)
    SELECT p.pauseid, proxy_id, still_running FROM tenantry.pause p WHERE p.pauseid = pause_id FOR KEY SHARE
    ON CONFLICT (pauseid, proxyid) DO UPDATE SET running = excluded.running;
    SELECT pg_notify('tenantry_pause', pause_id::text) WHERE still_running = 0
$$;
REVOKE ALL ON FUNCTION tenantry.acknowledge_pause(text, bigint, integer) FROM PUBLIC;

DROP VIEW IF EXISTS tenantry.tenantry_pauses CASCADE;
CREATE VIEW tenantry.tenantry_pauses AS
SELECT p.pauseid, p.schemaid::regnamespace AS schema_name, n.nodename, n.nodeport, p.since,
       a.proxies, a.acknowledged, a.running, p.held
FROM tenantry.pause p
LEFT JOIN tenantry.schema s USING (schemaid)
JOIN tenantry.node n ON n.nodeid = coalesce(p.nodeid, s.nodeid)
CROSS JOIN LATERAL (
    SELECT count(*) AS proxies, count(k.proxyid) AS acknowledged, coalesce(sum(k.running), 0) AS running
    FROM tenantry.live_proxy x
    LEFT JOIN tenantry.pause_acknowledgement k ON k.proxyid = x.proxyid AND k.pauseid = p.pauseid
) a
ORDER BY p.pauseid;
COMMENT ON VIEW tenantry.tenantry_pauses IS
    'What is paused: a schema, with the node it is on, or, where schema_name is null, a node; how many proxies are '
    'alive, how many of them begin nothing there any more, and how many of their sessions have still to end a '
    'transaction that was there before; held tells whether all waits or only what may write';
GRANT SELECT ON tenantry.tenantry_pauses TO PUBLIC;
