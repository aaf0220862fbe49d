-- Each node once more, as what transactions that create schemas hold on to: until they end nobody can say that the node
-- takes no new schemas, or remove it. Not the row in tenantry.node: a node must get a new address meanwhile.
CREATE TABLE tenantry.schema_home (
    nodeid integer PRIMARY KEY REFERENCES tenantry.node ON DELETE CASCADE,
    closed_at timestamptz
);
COMMENT ON TABLE tenantry.schema_home IS 'Nodes as homes of schemas: locked by who creates schemas on one';
COMMENT ON COLUMN tenantry.schema_home.closed_at IS
    'When it was last said to take no new schemas; whoever creates one and has an older snapshot gets 40001';
INSERT INTO tenantry.schema_home (nodeid) SELECT nodeid FROM tenantry.node;

CREATE FUNCTION tenantry.make_home() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO tenantry.schema_home (nodeid) VALUES (NEW.nodeid);
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION tenantry.make_home() FROM PUBLIC;
CREATE TRIGGER make_home AFTER INSERT ON tenantry.node FOR EACH ROW EXECUTE FUNCTION tenantry.make_home();

-- Everybody else who reads the catalog would wait behind us while a transaction that has created a schema is open: so
-- not for long at a time.
DO $$
BEGIN
    SET LOCAL lock_timeout = '300ms'; -- before anybody looks for a deadlock with us
    FOR attempt IN 1 .. 30 LOOP
        BEGIN
            LOCK TABLE tenantry.node, tenantry.schema IN ACCESS EXCLUSIVE MODE;
            RETURN;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            PERFORM pg_catalog.pg_sleep(1);
        END;
    END LOOP;
    RAISE EXCEPTION 'the catalog is in use by a transaction that does not end' USING ERRCODE = 'lock_not_available',
        HINT = 'pg_locks tells which sessions of the coordinator hold locks on tenantry.node and tenantry.schema.';
END
$$;
ALTER TABLE tenantry.schema
    DROP CONSTRAINT schema_nodeid_fkey,
    ADD CONSTRAINT schema_nodeid_fkey FOREIGN KEY (nodeid) REFERENCES tenantry.schema_home;
