-- Schemas and nodes whose new transactions wait, in every proxy; see tenantry.tenantry_pauses.
CREATE TABLE tenantry.pause (
    pauseid bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    schemaid oid UNIQUE REFERENCES tenantry.schema ON DELETE CASCADE,
    nodeid integer UNIQUE REFERENCES tenantry.node ON DELETE CASCADE,
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT pause_of_schema_or_node CHECK (num_nonnulls(schemaid, nodeid) = 1)
);
COMMENT ON TABLE tenantry.pause IS 'What is paused: a schema or a node; a number is never used again';
