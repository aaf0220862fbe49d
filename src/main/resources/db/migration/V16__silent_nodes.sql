-- Workers whose server accepts connections, or kept one, and then says nothing, as one that hangs. The control plane asks
-- each of them every second. Others would wait: dblink knows no limit for that.
CREATE TABLE tenantry.silent_node (
    nodeid integer PRIMARY KEY REFERENCES tenantry.node ON DELETE CASCADE,
    since timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE tenantry.silent_node IS 'Workers that hang: views and CREATE SCHEMA do without them until they answer';
