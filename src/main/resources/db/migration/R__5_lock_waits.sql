-- Transactions over several nodes that have waited for a while, of every proxy: by these the proxies find deadlocks
-- that no node can see.

CREATE UNLOGGED TABLE IF NOT EXISTS tenantry.lock_wait (
    proxy text NOT NULL,
    sessionid bigint NOT NULL,
    begun timestamptz NOT NULL,
    nodeid integer NOT NULL,
    pid integer NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (proxy, sessionid, nodeid)
);
REVOKE ALL ON tenantry.lock_wait FROM PUBLIC;

-- Replaces what one proxy has noted, forgets those that have not said anything for long, and returns all.
CREATE OR REPLACE FUNCTION tenantry.note_lock_waits(by_proxy text, waits jsonb) RETURNS SETOF tenantry.lock_wait
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM tenantry.lock_wait w
    WHERE w.proxy = by_proxy OR w.noted_at < clock_timestamp() - interval '10 s';
    INSERT INTO tenantry.lock_wait (proxy, sessionid, begun, nodeid, pid)
    SELECT by_proxy, w.sessionid, w.begun, w.nodeid, w.pid
    FROM jsonb_to_recordset(waits) AS w (sessionid bigint, begun timestamptz, nodeid integer, pid integer);
    RETURN QUERY SELECT * FROM tenantry.lock_wait;
END
$$;
REVOKE ALL ON FUNCTION tenantry.note_lock_waits(text, jsonb) FROM PUBLIC;
