-- What people see of rebalances, and how they wait for them and stop them; Citus's names, columns and messages.

DROP FUNCTION IF EXISTS tenantry.citus_job_list(), tenantry.citus_job_status(bigint, boolean),
    tenantry.citus_rebalance_status(boolean), tenantry.get_rebalance_progress();

CREATE OR REPLACE FUNCTION tenantry.move_status(phase text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
RETURN CASE phase
    WHEN 'requested' THEN 'Not Started Yet' WHEN 'creating' THEN 'Setting Up' WHEN 'copying' THEN 'Copying Data'
    WHEN 'building' THEN 'Creating Constraints' WHEN 'verifying' THEN 'Catching Up'
    WHEN 'cutting_over' THEN 'Final Catchup' WHEN 'switched' THEN 'Completing' WHEN 'done' THEN 'Completed'
    ELSE 'Undoing' END;

-- How far source and target of moves that run are in the source's log; nothing of a source that does not answer.
CREATE OR REPLACE FUNCTION tenantry.move_positions() RETURNS TABLE (
    moveid bigint, source_lsn pg_lsn, target_lsn pg_lsn)
LANGUAGE plpgsql ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    cluster CONSTANT text := (SELECT c.cluster_id FROM tenantry.cluster c);
    source record;
BEGIN
    FOR source IN
        SELECT n.nodename, n.nodeport, array_agg(m.moveid) AS moves
        FROM tenantry.move m JOIN tenantry.node n ON n.nodeid = m.source_nodeid
        WHERE m.finished_at IS NULL AND m.switched_at IS NULL AND m.phase <> 'requested' GROUP BY n.nodename, n.nodeport
    LOOP
        BEGIN
            PERFORM tenantry.open_node('tenantry_positions', source.nodename, source.nodeport);
            RETURN QUERY SELECT p.* FROM tenantry.dblink('tenantry_positions', format($q$
                SELECT m, pg_catalog.pg_current_wal_lsn(), s.confirmed_flush_lsn
                FROM unnest(%L::bigint[]) m LEFT JOIN pg_catalog.pg_replication_slots s
                    ON s.slot_name = 'tenantry_%s_move_' || m$q$, source.moves, cluster))
                AS p (moveid bigint, source_lsn pg_lsn, target_lsn pg_lsn);
            PERFORM tenantry.close_node('tenantry_positions');
        EXCEPTION WHEN sqlclient_unable_to_establish_sqlconnection OR connection_failure THEN
            PERFORM tenantry.close_node('tenantry_positions');
        END;
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION tenantry.move_positions() FROM PUBLIC;

CREATE FUNCTION tenantry.get_rebalance_progress() RETURNS TABLE (
    sessionid integer, table_name text, shardid bigint, shard_size bigint, sourcename text, sourceport integer,
    targetname text, targetport integer, progress bigint, source_shard_size bigint, target_shard_size bigint,
    operation_type text, source_lsn pg_lsn, target_lsn pg_lsn, status text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM tenantry.move m WHERE m.finished_at IS NULL) THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH tables AS MATERIALIZED (SELECT * FROM tenantry.node_tables(true)),
         owned AS MATERIALIZED (SELECT * FROM tenantry.cluster_tables(false))
    SELECT m.moveid::integer, h.table_name, h.shardid, coalesce(a.bytes, b.bytes), s.nodename, s.nodeport,
           t.nodename, t.nodeport,
           CASE WHEN m.phase = 'requested' THEN 0 WHEN m.switched_at IS NULL THEN 1 ELSE 2 END::bigint,
           coalesce(a.bytes, 0), coalesce(b.bytes, 0), 'move', p.source_lsn, p.target_lsn,
           tenantry.move_status(m.phase)
    FROM tenantry.move m
    JOIN tenantry.node s ON s.nodeid = m.source_nodeid
    JOIN tenantry.node t ON t.nodeid = m.target_nodeid
    JOIN owned h ON h.schemaid = m.schemaid
    LEFT JOIN tables a ON a.nodeid = m.source_nodeid
        AND quote_ident(CASE WHEN a.schema_name = m.old_schema THEN m.schema_name ELSE a.schema_name END) || '.'
            || quote_ident(a.relname) = h.table_name
    LEFT JOIN tables b ON b.nodeid = m.target_nodeid
        AND quote_ident(b.schema_name) || '.' || quote_ident(b.relname) = h.table_name
    LEFT JOIN tenantry.move_positions() p ON p.moveid = m.moveid
    WHERE m.finished_at IS NULL
    ORDER BY m.moveid, h.shardid;
END
$$;
COMMENT ON FUNCTION tenantry.get_rebalance_progress() IS
    'The tables of schemas that are being moved, by a rebalance or not: how much of each is where, and what is done';

-- Tasks that run or failed; the others are only counted, as Citus does.
CREATE OR REPLACE FUNCTION tenantry.job_details(of_job bigint, raw boolean) RETURNS jsonb
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_build_object(
        'tasks', (
            SELECT coalesce(jsonb_agg(CASE WHEN t.status IN ('running', 'cancelling') THEN jsonb_build_object(
                    'task_id', t.task_id, 'state', t.status, 'command', t.command, 'message', e.message,
                    'retried', t.retry_count, 'phase', tenantry.move_status(m.phase),
                    'hosts', jsonb_build_object('source', s.nodename || ':' || s.nodeport,
                                                'target', g.nodename || ':' || g.nodeport),
                    'size', jsonb_build_object(
                        'source', CASE WHEN raw THEN to_jsonb(m.bytes_total)
                                       ELSE to_jsonb(pg_size_pretty(m.bytes_total)) END,
                        'target', CASE WHEN raw THEN to_jsonb(coalesce(m.bytes_copied, 0))
                                       ELSE to_jsonb(pg_size_pretty(coalesce(m.bytes_copied, 0))) END),
                    'LSN', jsonb_build_object(
                        'source', p.source_lsn, 'target', p.target_lsn,
                        'lag', CASE WHEN raw THEN to_jsonb(p.source_lsn - p.target_lsn)
                                    ELSE to_jsonb(pg_size_pretty(p.source_lsn - p.target_lsn)) END))
                ELSE jsonb_build_object('task_id', t.task_id, 'state', t.status, 'command', t.command,
                    'message', e.message, 'retried', t.retry_count) END ORDER BY t.task_id), '[]')
            FROM tenantry.background_task t
            LEFT JOIN LATERAL (SELECT t.message WHERE t.sqlstate IS NULL
                               OR tenantry.may_see_errors(tenantry.acting_role(), t.schemaid)) e ON true
            LEFT JOIN tenantry.move m USING (moveid)
            LEFT JOIN tenantry.node s ON s.nodeid = t.source_nodeid
            LEFT JOIN tenantry.node g ON g.nodeid = t.target_nodeid
            LEFT JOIN tenantry.move_positions() p ON p.moveid = t.moveid AND t.status = 'running'
            WHERE t.job_id = of_job AND (t.status IN ('running', 'cancelling', 'error')
                                         OR t.status = 'runnable' AND t.retry_count > 0)),
        'task_state_counts', (
            SELECT coalesce(jsonb_object_agg(c.status, c.number), '{}')
            FROM (SELECT t.status, count(*) AS number FROM tenantry.background_task t
                  WHERE t.job_id = of_job GROUP BY t.status) c))
$$;
REVOKE ALL ON FUNCTION tenantry.job_details(bigint, boolean) FROM PUBLIC;

CREATE FUNCTION tenantry.citus_job_list() RETURNS TABLE (
    job_id bigint, state tenantry.citus_job_status, job_type name, description text, started_at timestamptz,
    finished_at timestamptz)
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT job_id, state, job_type, description, started_at, finished_at FROM tenantry.background_job ORDER BY job_id
$$;

CREATE FUNCTION tenantry.citus_job_status(job_id bigint, raw boolean DEFAULT false) RETURNS TABLE (
    job_id bigint, state tenantry.citus_job_status, job_type name, description text, started_at timestamptz,
    finished_at timestamptz, details jsonb)
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT j.job_id, j.state, j.job_type, j.description, j.started_at, j.finished_at,
           tenantry.job_details(j.job_id, $2)
    FROM tenantry.background_job j WHERE j.job_id = $1
$$;

CREATE FUNCTION tenantry.citus_rebalance_status(raw boolean DEFAULT false) RETURNS TABLE (
    job_id bigint, state tenantry.citus_job_status, job_type name, description text, started_at timestamptz,
    finished_at timestamptz, details jsonb)
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT j.job_id, j.state, j.job_type, j.description, j.started_at, j.finished_at,
           tenantry.job_details(j.job_id, $1)
    FROM tenantry.background_job j WHERE j.job_type = 'rebalance' ORDER BY j.job_id DESC LIMIT 1
$$;
COMMENT ON FUNCTION tenantry.citus_rebalance_status(boolean) IS
    'The rebalance that runs, or else the last one: its tasks that run or failed, and how many are in which state';

CREATE OR REPLACE FUNCTION tenantry.citus_job_cancel(jobid bigint) RETURNS void
LANGUAGE plpgsql STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    job tenantry.background_job;
    caller CONSTANT name := tenantry.acting_role();
    superuser CONSTANT boolean := (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = caller);
BEGIN
    SELECT * INTO job FROM tenantry.background_job j WHERE j.job_id = jobid FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no job found for job with jobid: %', jobid USING ERRCODE = 'undefined_object';
    END IF;
    IF NOT superuser AND (SELECT r.rolsuper FROM pg_roles r WHERE r.oid = job.owner) THEN
        RAISE EXCEPTION 'must be a superuser to cancel superuser tasks' USING ERRCODE = 'insufficient_privilege';
    ELSIF NOT superuser AND NOT pg_has_role(caller, job.owner, 'USAGE')
        AND NOT pg_has_role(caller, 'pg_signal_backend', 'USAGE') THEN
        RAISE EXCEPTION 'must be a member of the role whose task is being canceled or member of pg_signal_backend'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF job.finished_at IS NULL THEN
        UPDATE tenantry.background_job j SET state = 'cancelling' WHERE j.job_id = jobid;
        PERFORM tenantry.cancel_tasks(jobid, 'cancelled');
        PERFORM pg_notify('tenantry_rebalance', '');
    END IF;
END
$$;
COMMENT ON FUNCTION tenantry.citus_job_cancel(bigint) IS
    'Ends a job: tasks that wait do not begin, moves that run and have not switched are undone';

CREATE OR REPLACE FUNCTION tenantry.citus_rebalance_stop() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    running CONSTANT bigint := (SELECT j.job_id FROM tenantry.background_job j WHERE j.finished_at IS NULL);
BEGIN
    IF running IS NULL THEN
        RAISE EXCEPTION 'no ongoing rebalance that can be stopped' USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    PERFORM tenantry.citus_job_cancel(running);
END
$$;

-- A query for the moves that do, or did last, what a job is made of.
CREATE OR REPLACE FUNCTION tenantry.moves_of_job(id bigint) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
RETURN format('SELECT t.moveid FROM tenantry.background_task t WHERE t.job_id = %s', id);
REVOKE ALL ON FUNCTION tenantry.moves_of_job(bigint) FROM PUBLIC;

DROP FUNCTION IF EXISTS tenantry.await_state(text, text, text[], interval);

-- Waits until a query over a connection of its own returns a state that is wanted, or one that never changes. Another
-- query tells the moves that this waits for.
CREATE OR REPLACE FUNCTION tenantry.await_state(
    query text, wanted text, final_states text[], moves text, look interval) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    connection CONSTANT text := 'tenantry_wait';
    begun CONSTANT timestamptz := clock_timestamp();
    waits_for_itself timestamptz;
    current text;
BEGIN
    PERFORM tenantry.open_own(connection);
    LOOP
        SELECT j.state INTO current FROM tenantry.dblink(connection, query) AS j (state text);
        EXIT WHEN NOT FOUND OR current = wanted OR current = ANY (final_states);
        waits_for_itself := tenantry.check_wait_for_itself(connection, moves, begun, waits_for_itself);
        PERFORM pg_sleep(extract(epoch FROM look));
    END LOOP;
    PERFORM tenantry.close_node(connection);
    RETURN current;
END
$$;
REVOKE ALL ON FUNCTION tenantry.await_state(text, text, text[], text, interval) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.citus_job_wait(
    jobid bigint, desired_status tenantry.citus_job_status DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    state text;
BEGIN
    IF jobid IS NULL THEN
        RAISE EXCEPTION 'jobid cannot be NULL' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    state := tenantry.await_state(format('SELECT state FROM tenantry.background_job WHERE job_id = %s', jobid),
                                  desired_status::text, '{finished,cancelled,failed}', tenantry.moves_of_job(jobid),
                                  '0.1 s');
    IF state IS NULL THEN
        RAISE EXCEPTION 'no job found for job with jobid: %', jobid USING ERRCODE = 'undefined_object';
    ELSIF state <> desired_status::text THEN
        RAISE EXCEPTION 'Job reached terminal state "%" instead of desired state "%"', state, desired_status
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
END
$$;
COMMENT ON FUNCTION tenantry.citus_job_wait(bigint, tenantry.citus_job_status) IS
    'Returns when the job has ended, or is in that state';

CREATE OR REPLACE FUNCTION tenantry.citus_task_wait(
    taskid bigint, desired_status tenantry.citus_task_status DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    state text;
BEGIN
    IF taskid IS NULL THEN
        RAISE EXCEPTION 'taskid cannot be NULL' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    state := tenantry.await_state(format('SELECT status FROM tenantry.background_task WHERE task_id = %s', taskid),
                                  desired_status::text, '{done,error,unscheduled,cancelled}',
                                  format('SELECT t.moveid FROM tenantry.background_task t WHERE t.task_id = %s', taskid),
                                  '0.1 s');
    IF state IS NULL THEN
        RAISE EXCEPTION 'no task found with taskid: %', taskid USING ERRCODE = 'undefined_object';
    ELSIF state <> desired_status::text THEN
        RAISE EXCEPTION 'Task reached terminal state "%" instead of desired state "%"', state, desired_status
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION tenantry.citus_rebalance_wait() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    running CONSTANT bigint := (SELECT j.job_id FROM tenantry.background_job j WHERE j.finished_at IS NULL);
BEGIN
    IF running IS NULL THEN
        RAISE WARNING 'no ongoing rebalance that can be waited on';
    ELSE
        PERFORM tenantry.citus_job_wait(running);
    END IF;
END
$$;
