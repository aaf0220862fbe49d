-- What the control plane does from time to time, in whichever proxy holds the leader lock.

-- Whether a session lives.
CREATE OR REPLACE FUNCTION tenantry.is_leading(holder tenantry.leader) RETURNS boolean
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$ SELECT EXISTS (SELECT FROM pg_stat_get_activity(holder.pid) a WHERE a.backend_start = holder.begun) $$;
REVOKE ALL ON FUNCTION tenantry.is_leading(tenantry.leader) FROM PUBLIC;

-- Whether this session is, from now on until it ends, the one that does this work.
CREATE OR REPLACE FUNCTION tenantry.lead(for_work text) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    holder tenantry.leader;
    own CONSTANT timestamptz := (SELECT a.backend_start FROM pg_stat_get_activity(pg_backend_pid()) a);
BEGIN
    SELECT * INTO holder FROM tenantry.leader l WHERE l.work = for_work;
    IF NOT FOUND THEN
        INSERT INTO tenantry.leader VALUES (for_work, pg_backend_pid(), own) ON CONFLICT DO NOTHING;
    ELSIF tenantry.is_leading(holder) THEN
        RETURN (holder.pid, holder.begun) = (pg_backend_pid(), own);
    END IF;
    -- Whoever comes second sees what the first has written, and looks anew who lives: the first may have begun since.
    SELECT * INTO STRICT holder FROM tenantry.leader l WHERE l.work = for_work FOR UPDATE;
    PERFORM pg_stat_clear_snapshot();
    IF tenantry.is_leading(holder) THEN
        RETURN (holder.pid, holder.begun) = (pg_backend_pid(), own);
    END IF;
    UPDATE tenantry.leader l SET pid = pg_backend_pid(), begun = own WHERE l.work = for_work;
    RETURN true;
END
$$;
REVOKE ALL ON FUNCTION tenantry.lead(text) FROM PUBLIC;

-- Notes that these workers hang, and no others.
CREATE OR REPLACE FUNCTION tenantry.note_silence(node_ids integer[]) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    DELETE FROM tenantry.silent_node s WHERE s.nodeid <> ALL (node_ids);
    INSERT INTO tenantry.silent_node (nodeid) SELECT n.nodeid FROM tenantry.node n WHERE n.nodeid = ANY (node_ids)
    ON CONFLICT DO NOTHING;
END;
REVOKE ALL ON FUNCTION tenantry.note_silence(integer[]) FROM PUBLIC;

-- Notes how many bytes of distributed schemas each node that answers holds.
CREATE OR REPLACE FUNCTION tenantry.measure_nodes() RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
SET enable_nestloop = off
AS $$
    INSERT INTO tenantry.node_size AS kept (nodeid, bytes)
    SELECT n.nodeid, coalesce(sum(z.bytes), 0)
    FROM tenantry.node n
    LEFT JOIN (tenantry.schema_sizes() z
               JOIN pg_namespace p ON p.nspname = z.schema_name
               JOIN tenantry.schema s ON s.schemaid = p.oid AND s.nodeid = z.nodeid) ON z.nodeid = n.nodeid
    GROUP BY n.nodeid
    HAVING count(s.schemaid) = count(z.bytes)
    ON CONFLICT (nodeid) DO UPDATE SET bytes = excluded.bytes, measured_at = excluded.measured_at
    WHERE kept.bytes <> excluded.bytes
$$;
REVOKE ALL ON FUNCTION tenantry.measure_nodes() FROM PUBLIC;

-- Installs on a node what it should have, and gives it our roles and extensions, as when it was added.
CREATE OR REPLACE FUNCTION tenantry.prepare_again(node_id integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known tenantry.node;
BEGIN
    PERFORM tenantry.lock_nodes();
    SELECT * INTO known FROM tenantry.node n WHERE n.nodeid = node_id;
    IF FOUND AND known.groupid <> 0 THEN
        PERFORM tenantry.prepare_server(known.nodename, known.nodeport);
    END IF;
END
$$;
REVOKE ALL ON FUNCTION tenantry.prepare_again(integer) FROM PUBLIC;

-- recover_prepared_transactions() asks the proxy that looks after the cluster, and waits for its answer. Both speak by
-- sequences, because what those say is seen before its transaction ends.
CREATE SEQUENCE IF NOT EXISTS tenantry.recovery_asked MINVALUE 0 START 0;
CREATE SEQUENCE IF NOT EXISTS tenantry.recovery_done MINVALUE 0 START 0;
CREATE SEQUENCE IF NOT EXISTS tenantry.recovery_count MINVALUE 0 START 0;
-- Who asks first must not get the 0 that has been answered already.
SELECT nextval('tenantry.recovery_asked') FROM tenantry.recovery_asked WHERE NOT is_called;

CREATE OR REPLACE FUNCTION tenantry.recover_prepared_transactions() RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    before bigint := (SELECT last_value FROM tenantry.recovery_count);
    asked bigint := tenantry.next_number('tenantry.recovery_asked');
    until_then timestamptz := clock_timestamp() + interval '30 s';
BEGIN
    WHILE (SELECT last_value FROM tenantry.recovery_done) < asked LOOP
        IF clock_timestamp() > until_then THEN
            RAISE EXCEPTION 'no proxy has looked for prepared transactions for 30 s'
                USING ERRCODE = 'object_not_in_prerequisite_state',
                      DETAIL = 'The proxy that looks after the cluster does it when it is asked.',
                      HINT = 'See which proxies are alive, and what their logs say.';
        END IF;
        PERFORM pg_sleep(0.02);
    END LOOP;
    RETURN (SELECT last_value FROM tenantry.recovery_count) - before;
END
$$;
REVOKE ALL ON FUNCTION tenantry.recover_prepared_transactions() FROM PUBLIC;
COMMENT ON FUNCTION tenantry.recover_prepared_transactions() IS
    'Finishes prepared transactions that proxies have left behind; returns how many, each counted on each node';
