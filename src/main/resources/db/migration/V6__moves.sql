-- Moves of schemas from one node to another, as far as each has come; see docs/moves.md.
CREATE TABLE tenantry.move (
    moveid bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    schemaid oid NOT NULL,
    schema_name name NOT NULL,
    source_nodeid integer NOT NULL,
    target_nodeid integer NOT NULL,
    transfer_mode text NOT NULL,
    requested_by name NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    phase text NOT NULL DEFAULT 'requested',
    epoch bigint NOT NULL DEFAULT 0,
    attempt integer NOT NULL DEFAULT 0,
    cutovers integer NOT NULL DEFAULT 0,
    cancel_requested boolean NOT NULL DEFAULT false,
    pauseid bigint,
    gid text,
    old_schema name,
    widened text[] NOT NULL DEFAULT '{}',
    bytes_total bigint,
    bytes_copied bigint,
    lag_bytes bigint,
    stall_ms double precision,
    waiting_for integer[] NOT NULL DEFAULT '{}',
    sqlstate text,
    message text,
    detail text,
    hint text,
    switched_at timestamptz,
    finished_at timestamptz,
    drop_after timestamptz
);
COMMENT ON TABLE tenantry.move IS 'Moves of schemas, running and ended; a row is written before anything is created';
COMMENT ON COLUMN tenantry.move.epoch IS 'Counts who has taken the move over; nobody else may change the row';
COMMENT ON COLUMN tenantry.move.widened IS 'Tables whose replica identity was changed for the time, with what it was';
COMMENT ON COLUMN tenantry.move.old_schema IS 'What the old copy is called on the source, until it is dropped';
CREATE UNIQUE INDEX move_one_per_schema ON tenantry.move (schemaid) WHERE finished_at IS NULL;
CREATE INDEX move_with_work ON tenantry.move (moveid) WHERE finished_at IS NULL OR old_schema IS NOT NULL;

CREATE TYPE tenantry.shard_transfer_mode AS ENUM ('auto', 'force_logical', 'block_writes');

-- The empty namespace on the coordinator is made anew when one with tables in it has to go.
ALTER TABLE tenantry.shard DROP CONSTRAINT shard_schemaid_fkey,
    ADD CONSTRAINT shard_schemaid_fkey FOREIGN KEY (schemaid) REFERENCES tenantry.schema
        ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE tenantry.pause DROP CONSTRAINT pause_schemaid_fkey,
    ADD CONSTRAINT pause_schemaid_fkey FOREIGN KEY (schemaid) REFERENCES tenantry.schema
        ON DELETE CASCADE ON UPDATE CASCADE;
