-- How busy schemas are, for rebalances by load; see docs/rebalancing.md.
CREATE TABLE tenantry.schema_load (
    schemaid oid PRIMARY KEY REFERENCES tenantry.schema ON DELETE CASCADE ON UPDATE CASCADE,
    nodeid integer NOT NULL,
    blocks bigint NOT NULL,
    load double precision NOT NULL DEFAULT 0,
    measured_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN tenantry.schema_load.blocks IS 'What its node had counted when last measured';
COMMENT ON COLUMN tenantry.schema_load.load IS 'Blocks touched a second, of late more than before';
