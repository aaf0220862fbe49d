-- Jobs: rebalances with one task for each move. Who starts one writes its rows; the proxy that leads calls
-- tenantry.step_rebalance() again and again, each call one transaction, so that whoever leads next goes on where it
-- ended. See docs/rebalancing.md.

DROP VIEW IF EXISTS tenantry.pg_dist_background_job, tenantry.pg_dist_background_task,
    tenantry.pg_dist_background_task_depend CASCADE;
CREATE VIEW tenantry.pg_dist_background_job AS
SELECT job_id, state, job_type, description, started_at, finished_at FROM tenantry.background_job ORDER BY job_id;
CREATE VIEW tenantry.pg_dist_background_task AS
SELECT t.job_id, t.task_id, j.owner, NULL::integer AS pid, t.status, t.command, t.retry_count, t.not_before,
       CASE WHEN t.sqlstate IS NULL OR tenantry.may_see_errors(current_user, t.schemaid) THEN t.message END AS message,
       ARRAY[t.source_nodeid, t.target_nodeid] AS nodes_involved
FROM tenantry.background_task t JOIN tenantry.background_job j USING (job_id) ORDER BY t.task_id;
CREATE VIEW tenantry.pg_dist_background_task_depend AS
SELECT job_id, task_id, depends_on FROM tenantry.background_task_depend ORDER BY task_id, depends_on;
GRANT SELECT ON tenantry.pg_dist_background_job, tenantry.pg_dist_background_task,
    tenantry.pg_dist_background_task_depend TO PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.require_no_rebalance() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    running bigint := (SELECT j.job_id FROM tenantry.background_job j WHERE j.finished_at IS NULL);
BEGIN
    IF running IS NOT NULL THEN
        RAISE EXCEPTION 'A rebalance is already running as job %', running USING ERRCODE = 'object_in_use',
            DETAIL = 'Rebalance scheduled as background job',
            HINT = 'To monitor progress, run: SELECT * FROM citus_rebalance_status();';
    END IF;
END
$$;
REVOKE ALL ON FUNCTION tenantry.require_no_rebalance() FROM PUBLIC;

-- Tasks for the moves of a plan, in its order; one waits for those before it that make room on its target.
CREATE OR REPLACE FUNCTION tenantry.insert_tasks(rebalance_id bigint, moves jsonb, mode text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    WITH fresh AS (
        INSERT INTO tenantry.background_task (
            task_id, job_id, command, schemaid, source_nodeid, target_nodeid, transfer_mode) OVERRIDING SYSTEM VALUE
        SELECT tenantry.next_number('tenantry.background_task_task_id_seq'), rebalance_id,
               format('SELECT citus_schema_move(%L, %s, %L)', quote_ident(m.move ->> 'name'), m.move ->> 'target', mode),
               (m.move ->> 'schema')::bigint::oid, (m.move ->> 'source')::integer, (m.move ->> 'target')::integer, mode
        FROM (
            SELECT e.move FROM jsonb_array_elements(moves) WITH ORDINALITY AS e (move, place) ORDER BY e.place) AS m
        RETURNING task_id, source_nodeid, target_nodeid)
    INSERT INTO tenantry.background_task_depend
    SELECT rebalance_id, f.task_id, e.task_id
    FROM fresh f JOIN fresh e ON e.task_id < f.task_id AND e.source_nodeid = f.target_nodeid;
    UPDATE tenantry.background_task t SET status = 'blocked'
    WHERE t.job_id = rebalance_id AND t.status = 'runnable' AND t.retry_count = 0
      AND EXISTS (SELECT FROM tenantry.background_task_depend d WHERE d.task_id = t.task_id);
END
$$;
REVOKE ALL ON FUNCTION tenantry.insert_tasks(bigint, jsonb, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.insert_rebalance(
    options jsonb, plan jsonb, nodes text, owner_name name, retries integer) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    new_id bigint;
BEGIN
    LOCK TABLE tenantry.background_job IN SHARE ROW EXCLUSIVE MODE; -- one after the other, without an error of the index
    PERFORM tenantry.require_no_rebalance();
    INSERT INTO tenantry.background_job (
        job_id, job_type, description, owner, options, nodes_planned, forecast, retries_max) OVERRIDING SYSTEM VALUE
    VALUES (tenantry.next_number('tenantry.background_job_job_id_seq'), 'rebalance',
            coalesce(options ->> 'description', 'Rebalance all colocation groups'),
            quote_ident(owner_name)::regrole, options, nodes, plan -> 'nodes', retries)
    RETURNING job_id INTO new_id;
    PERFORM tenantry.insert_tasks(new_id, plan -> 'moves', options ->> 'mode');
    PERFORM pg_notify('tenantry_rebalance', '');
    RETURN new_id;
END
$$;
REVOKE ALL ON FUNCTION tenantry.insert_rebalance(jsonb, jsonb, text, name, integer) FROM PUBLIC;

-- Notes what has become of the moves of running tasks.
CREATE OR REPLACE FUNCTION tenantry.settle_tasks(rebalance tenantry.background_job) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- Clean-up that a lost node holds up is no reason to wait.
    patience CONSTANT interval := '10 s';
    -- What the schema is or the caller may will be the same next time.
    hopeless CONSTANT text := '^(0A|42)';
    task record;
    outcome tenantry.citus_task_status;
BEGIN
    FOR task IN
        SELECT t.task_id, t.status, t.retry_count, m.phase, m.sqlstate, m.cancel_requested,
               concat_ws(': ', nullif(m.message, ''), nullif(m.detail, '')) AS message
        FROM tenantry.background_task t LEFT JOIN tenantry.move m USING (moveid)
        WHERE t.job_id = rebalance.job_id AND t.status IN ('running', 'cancelling')
          AND (m.moveid IS NULL OR m.finished_at IS NOT NULL OR m.switched_at < clock_timestamp() - patience)
        ORDER BY t.task_id
    LOOP
        outcome := CASE
            WHEN task.phase IN ('done', 'switched') THEN 'done'
            WHEN task.status = 'cancelling' OR task.cancel_requested THEN 'cancelled'
            WHEN task.sqlstate ~ hopeless OR task.retry_count >= rebalance.retries_max THEN 'error'
            ELSE 'runnable' END;
        UPDATE tenantry.background_task t
        SET status = outcome,
            message = CASE WHEN outcome = 'done' THEN ''
                           WHEN task.status = 'cancelling' THEN t.message -- why it is
                           ELSE task.message END,
            sqlstate = CASE WHEN outcome <> 'done' THEN task.sqlstate END,
            retry_count = t.retry_count + CASE WHEN outcome = 'runnable' THEN 1 ELSE 0 END,
            not_before = CASE WHEN outcome = 'runnable' THEN clock_timestamp() + CASE t.retry_count
                WHEN 0 THEN interval '5 s' WHEN 1 THEN interval '20 s' ELSE interval '60 s' END
                ELSE t.not_before END
        WHERE t.task_id = task.task_id;
        IF outcome = 'error' THEN
            UPDATE tenantry.background_job j SET state = 'failing'
            WHERE j.job_id = rebalance.job_id AND j.state = 'running';
        END IF;
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION tenantry.settle_tasks(tenantry.background_job) FROM PUBLIC;

-- Ends what waits, and has what runs undone if it has not switched; which is known when the moves have ended.
CREATE OR REPLACE FUNCTION tenantry.cancel_tasks(rebalance_id bigint, why text) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE tenantry.background_task t SET status = 'cancelled', message = why
    WHERE t.job_id = rebalance_id AND t.status IN ('blocked', 'runnable');
    SELECT tenantry.cancel_move(t.moveid) FROM tenantry.background_task t
    WHERE t.job_id = rebalance_id AND t.status = 'running';
    UPDATE tenantry.background_task t SET status = 'cancelling', message = why
    WHERE t.job_id = rebalance_id AND t.status = 'running';
$$;
REVOKE ALL ON FUNCTION tenantry.cancel_tasks(bigint, text) FROM PUBLIC;

-- Asks for the moves of tasks that may begin, as many as the nodes have room for beside moves that others have asked for.
CREATE OR REPLACE FUNCTION tenantry.begin_tasks(rebalance tenantry.background_job, per_node integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    task record;
    obstacle text;
    new_move bigint;
BEGIN
    UPDATE tenantry.background_task t SET status = 'runnable'
    WHERE t.job_id = rebalance.job_id AND t.status = 'blocked' AND NOT EXISTS (
        SELECT FROM tenantry.background_task_depend d JOIN tenantry.background_task b ON b.task_id = d.depends_on
        WHERE d.task_id = t.task_id AND b.status NOT IN ('done', 'error', 'cancelled', 'unscheduled'));
    FOR task IN
        SELECT t.*, s.nodeid, n.nspname, m.moveid AS other
        FROM tenantry.background_task t
        LEFT JOIN tenantry.schema s USING (schemaid) LEFT JOIN pg_namespace n ON n.oid = s.schemaid
        LEFT JOIN tenantry.move m ON m.schemaid = t.schemaid AND m.finished_at IS NULL
        WHERE t.job_id = rebalance.job_id AND t.status = 'runnable' AND t.not_before <= clock_timestamp()
        ORDER BY t.task_id
    LOOP
        obstacle := CASE WHEN task.nspname IS NULL THEN 'the schema has been dropped'
                         WHEN task.nodeid NOT IN (task.source_nodeid, task.target_nodeid)
                         THEN 'the schema has been moved to another node' END;
        IF obstacle IS NOT NULL OR task.nodeid = task.target_nodeid THEN
            UPDATE tenantry.background_task t
            SET status = CASE WHEN obstacle IS NULL THEN 'done' ELSE 'cancelled' END::tenantry.citus_task_status,
                message = coalesce(obstacle, '')
            WHERE t.task_id = task.task_id;
            CONTINUE;
        END IF;
        CONTINUE WHEN task.other IS NOT NULL OR EXISTS (
            SELECT FROM tenantry.move m CROSS JOIN LATERAL (VALUES (m.source_nodeid), (m.target_nodeid)) v (nodeid)
            WHERE m.finished_at IS NULL AND m.switched_at IS NULL AND m.phase <> 'undoing' AND NOT m.cancel_requested
              AND v.nodeid IN (task.source_nodeid, task.target_nodeid)
            GROUP BY v.nodeid HAVING count(*) >= per_node);
        INSERT INTO tenantry.move (schemaid, schema_name, source_nodeid, target_nodeid, transfer_mode, requested_by)
        VALUES (task.schemaid, task.nspname, task.source_nodeid, task.target_nodeid, task.transfer_mode,
                coalesce((SELECT r.rolname FROM pg_roles r WHERE r.oid = rebalance.owner), current_user))
        ON CONFLICT (schemaid) WHERE finished_at IS NULL DO NOTHING RETURNING moveid INTO new_move;
        IF new_move IS NOT NULL THEN
            UPDATE tenantry.background_task t SET status = 'running', moveid = new_move WHERE t.task_id = task.task_id;
            PERFORM pg_notify('tenantry_move', '');
        END IF;
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION tenantry.begin_tasks(tenantry.background_job, integer) FROM PUBLIC;

-- One step of the rebalance that is open, if there is one. Returns what the caller has to do: 'rest' when there is
-- nothing, 'look' when to call again soon, 'plan' when nodes have changed and the rest has to be planned anew.
CREATE OR REPLACE FUNCTION tenantry.step_rebalance(per_node integer) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    job tenantry.background_job;
    open boolean;
BEGIN
    SELECT * INTO job FROM tenantry.background_job j WHERE j.finished_at IS NULL FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'rest';
    END IF;
    UPDATE tenantry.background_job j SET state = 'running', started_at = clock_timestamp()
    WHERE j.job_id = job.job_id AND j.state = 'scheduled';
    PERFORM tenantry.settle_tasks(job);
    IF job.state = 'cancelling' THEN
        PERFORM tenantry.cancel_tasks(job.job_id, 'cancelled');
    ELSIF tenantry.nodes_now() <> job.nodes_planned THEN
        RETURN CASE WHEN tenantry.leave_closed_nodes(job.job_id) THEN 'look' ELSE 'plan' END;
    ELSE
        PERFORM tenantry.begin_tasks(job, per_node);
    END IF;
    open := EXISTS (SELECT FROM tenantry.background_task t WHERE t.job_id = job.job_id
                    AND t.status IN ('blocked', 'runnable', 'running', 'cancelling'));
    IF NOT open THEN
        UPDATE tenantry.background_job j
        SET finished_at = clock_timestamp(), state = CASE j.state
            WHEN 'cancelling' THEN 'cancelled' WHEN 'failing' THEN 'failed' ELSE 'finished' END::tenantry.citus_job_status
        WHERE j.job_id = job.job_id;
    END IF;
    RETURN 'look';
END
$$;
REVOKE ALL ON FUNCTION tenantry.step_rebalance(integer) FROM PUBLIC;

-- Has moves undone whose target is to hold nothing any more; returns whether some have still to end.
CREATE OR REPLACE FUNCTION tenantry.leave_closed_nodes(rebalance_id bigint) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    task record;
BEGIN
    FOR task IN
        SELECT t.task_id, t.moveid FROM tenantry.background_task t
        WHERE t.job_id = rebalance_id AND t.status = 'running' AND NOT EXISTS (
            SELECT FROM tenantry.node n WHERE n.nodeid = t.target_nodeid AND n.isactive AND n.shouldhaveshards)
    LOOP
        IF tenantry.cancel_move(task.moveid) THEN
            UPDATE tenantry.background_task t SET status = 'cancelling', message = 'nodes have changed'
            WHERE t.task_id = task.task_id;
        END IF;
    END LOOP;
    RETURN EXISTS (SELECT FROM tenantry.background_task t WHERE t.job_id = rebalance_id AND t.status = 'cancelling');
END
$$;
REVOKE ALL ON FUNCTION tenantry.leave_closed_nodes(bigint) FROM PUBLIC;

-- What the rest of the open rebalance is to be planned from, and what the nodes are then.
CREATE OR REPLACE FUNCTION tenantry.replanning(OUT rebalance_id bigint, OUT nodes text, OUT input jsonb)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    SELECT j.job_id, tenantry.nodes_now(), tenantry.rebalance_input(j.options) INTO rebalance_id, nodes, input
    FROM tenantry.background_job j WHERE j.finished_at IS NULL;
END
$$;
REVOKE ALL ON FUNCTION tenantry.replanning() FROM PUBLIC;

-- Puts a new plan in the place of the tasks that have not begun.
CREATE OR REPLACE FUNCTION tenantry.replan_rebalance(rebalance_id bigint, nodes text, plan jsonb) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    job tenantry.background_job;
BEGIN
    SELECT * INTO job FROM tenantry.background_job j WHERE j.job_id = rebalance_id AND j.finished_at IS NULL FOR UPDATE;
    IF FOUND AND job.state <> 'cancelling' THEN
        UPDATE tenantry.background_task t SET status = 'cancelled', message = 'planned anew, because nodes have changed'
        WHERE t.job_id = rebalance_id AND t.status IN ('blocked', 'runnable');
        PERFORM tenantry.insert_tasks(rebalance_id, plan -> 'moves', job.options ->> 'mode');
        UPDATE tenantry.background_job j SET nodes_planned = nodes, forecast = plan -> 'nodes'
        WHERE j.job_id = rebalance_id;
    END IF;
END
$$;
REVOKE ALL ON FUNCTION tenantry.replan_rebalance(bigint, text, jsonb) FROM PUBLIC;

-- Ends a rebalance that can't be planned anew; moves that run go on to their end.
CREATE OR REPLACE FUNCTION tenantry.fail_rebalance(rebalance_id bigint, why text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE tenantry.background_job j SET state = 'failing', message = why, nodes_planned = tenantry.nodes_now()
    WHERE j.job_id = rebalance_id AND j.state IN ('running', 'failing');
    UPDATE tenantry.background_task t SET status = 'unscheduled', message = why
    WHERE t.job_id = rebalance_id AND t.status IN ('blocked', 'runnable');
END
$$;
REVOKE ALL ON FUNCTION tenantry.fail_rebalance(bigint, text) FROM PUBLIC;
