-- Rebalancing: strategies, rules of placement, and jobs with their tasks; see docs/rebalancing.md.
CREATE TYPE tenantry.citus_job_status AS ENUM (
    'scheduled', 'running', 'finished', 'cancelling', 'cancelled', 'failing', 'failed');
CREATE TYPE tenantry.citus_task_status AS ENUM (
    'blocked', 'runnable', 'running', 'done', 'cancelling', 'error', 'unscheduled', 'cancelled');

CREATE TABLE tenantry.background_job (
    job_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    state tenantry.citus_job_status NOT NULL DEFAULT 'scheduled',
    job_type name NOT NULL,
    description text NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    owner regrole NOT NULL,
    options jsonb NOT NULL,
    nodes_planned text NOT NULL,
    forecast jsonb NOT NULL DEFAULT '[]',
    retries_max integer NOT NULL,
    message text NOT NULL DEFAULT ''
);
COMMENT ON TABLE tenantry.background_job IS 'Jobs of several moves, running and ended';
COMMENT ON COLUMN tenantry.background_job.nodes_planned IS 'The nodes as they were when it was planned';
COMMENT ON COLUMN tenantry.background_job.forecast IS 'What every node was to hold before and after, when it was planned';
CREATE UNIQUE INDEX background_job_one_at_a_time ON tenantry.background_job ((true)) WHERE finished_at IS NULL;

CREATE TABLE tenantry.background_task (
    job_id bigint NOT NULL REFERENCES tenantry.background_job ON DELETE CASCADE,
    task_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    status tenantry.citus_task_status NOT NULL DEFAULT 'runnable',
    command text NOT NULL,
    retry_count integer NOT NULL DEFAULT 0,
    not_before timestamptz NOT NULL DEFAULT '2000-01-01',
    message text NOT NULL DEFAULT '',
    schemaid oid NOT NULL,
    source_nodeid integer NOT NULL,
    target_nodeid integer NOT NULL,
    transfer_mode text NOT NULL,
    moveid bigint,
    sqlstate text,
    UNIQUE (job_id, task_id)
);
COMMENT ON COLUMN tenantry.background_task.moveid IS 'The move that does it, or did it last';
CREATE INDEX background_task_open ON tenantry.background_task (job_id)
    WHERE status IN ('blocked', 'runnable', 'running', 'cancelling');

CREATE TABLE tenantry.background_task_depend (
    job_id bigint NOT NULL,
    task_id bigint NOT NULL,
    depends_on bigint NOT NULL,
    PRIMARY KEY (job_id, task_id, depends_on),
    FOREIGN KEY (job_id, task_id) REFERENCES tenantry.background_task (job_id, task_id) ON DELETE CASCADE,
    FOREIGN KEY (job_id, depends_on) REFERENCES tenantry.background_task (job_id, task_id) ON DELETE CASCADE
);
CREATE INDEX background_task_depend_on ON tenantry.background_task_depend (job_id, depends_on);

-- Functions by name: pg_upgrade does not take tables with regproc.
CREATE TABLE tenantry.rebalance_strategy (
    name name CONSTRAINT pg_dist_rebalance_strategy_name_key PRIMARY KEY,
    default_strategy boolean NOT NULL DEFAULT false,
    shard_cost_function text NOT NULL,
    node_capacity_function text NOT NULL,
    shard_allowed_on_node_function text NOT NULL,
    default_threshold real NOT NULL,
    minimum_threshold real NOT NULL DEFAULT 0,
    improvement_threshold real NOT NULL DEFAULT 0,
    CHECK (default_threshold >= minimum_threshold AND minimum_threshold >= 0 AND improvement_threshold >= 0)
);
CREATE UNIQUE INDEX rebalance_strategy_one_default ON tenantry.rebalance_strategy ((true)) WHERE default_strategy;

CREATE TABLE tenantry.node_capacity (
    nodeid integer PRIMARY KEY REFERENCES tenantry.node ON DELETE CASCADE,
    capacity real NOT NULL CHECK (capacity > 0 AND capacity < 'infinity')
);
COMMENT ON TABLE tenantry.node_capacity IS 'How much a node carries beside others, where it is not 1';

CREATE TABLE tenantry.schema_pin (
    schemaid oid PRIMARY KEY REFERENCES tenantry.schema ON DELETE CASCADE ON UPDATE CASCADE
);
COMMENT ON TABLE tenantry.schema_pin IS 'Schemas that no rebalance moves';

CREATE TABLE tenantry.placement_group (
    name text PRIMARY KEY,
    apart boolean NOT NULL
);
COMMENT ON TABLE tenantry.placement_group IS 'Schemas that are to be on one node, or on nodes of their own';
CREATE TABLE tenantry.placement_group_member (
    name text NOT NULL REFERENCES tenantry.placement_group ON DELETE CASCADE,
    schemaid oid NOT NULL REFERENCES tenantry.schema ON DELETE CASCADE ON UPDATE CASCADE,
    PRIMARY KEY (name, schemaid)
);
CREATE INDEX placement_group_member_schemaid ON tenantry.placement_group_member (schemaid);

-- What functions ask the proxy that leads, which plans: both speak by this table.
CREATE UNLOGGED TABLE tenantry.rebalance_question (
    questionid bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    input jsonb NOT NULL,
    answer jsonb,
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
