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

-- Ends the caller's wait for moves of which one waits for the caller's own transaction, which neither would ever end: for
-- its part on the move's source, of which the proxies tell when a statement has waited for a second there or elsewhere.
-- Returns since when that is so, and raises when it has been for two seconds: a move tells only now and then that it
-- does not wait any more. Asks over the open connection, to which nothing is hidden by a snapshot.
CREATE OR REPLACE FUNCTION tenantry.check_wait_for_itself(
    connection text, moves text, begun timestamptz, since timestamptz) RETURNS timestamptz
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    told_after CONSTANT interval := '1 s';
    patience CONSTANT interval := '2 s';
    mutual boolean;
BEGIN
    IF clock_timestamp() < begun + told_after THEN
        RETURN NULL;
    END IF;
    SELECT * INTO mutual FROM tenantry.dblink(connection, format($q$
        SELECT EXISTS (
            SELECT FROM tenantry.move m CROSS JOIN tenantry.node coordinator
            WHERE m.moveid IN (%1$s) AND m.switched_at IS NULL AND m.finished_at IS NULL AND coordinator.groupid = 0
              AND (m.source_nodeid = coordinator.nodeid AND %2$s = ANY (m.waiting_for)
                   OR EXISTS (
                       SELECT FROM tenantry.lock_wait own JOIN tenantry.lock_wait part USING (proxy, sessionid, begun)
                       WHERE own.nodeid = coordinator.nodeid AND own.pid = %2$s AND own.noted_at > %3$L
                         AND part.nodeid = m.source_nodeid AND part.pid = ANY (m.waiting_for))))
        $q$, moves, pg_backend_pid(), begun + told_after)) AS w (mutual boolean);
    IF NOT mutual THEN
        RETURN NULL;
    ELSIF clock_timestamp() < since + patience THEN
        RETURN since;
    ELSIF since IS NULL THEN
        RETURN clock_timestamp();
    END IF;
    RAISE EXCEPTION 'a schema cannot be moved by a transaction that uses it or has changed something on its node'
        USING ERRCODE = 'active_sql_transaction',
        DETAIL = 'The move waits for the end of the transaction, and the transaction for that of the move.',
        HINT = 'Move it in a transaction of its own.';
END
$$;
REVOKE ALL ON FUNCTION tenantry.check_wait_for_itself(text, text, timestamptz, timestamptz) FROM PUBLIC;
