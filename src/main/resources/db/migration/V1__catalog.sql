-- The catalog of a cluster, on its coordinator: which nodes there are, and which of them owns a schema.
--
-- Each row that proxies keep in memory says in `changed` which transaction wrote it. A reader that has seen everything
-- below the xmin of its last snapshot asks for rows changed from there on, so that no counter has to be locked by
-- transactions that create schemas at the same time, however long they take.

REVOKE ALL ON SCHEMA tenantry FROM PUBLIC;
GRANT USAGE ON SCHEMA tenantry TO PUBLIC;

CREATE EXTENSION dblink SCHEMA tenantry;

-- Connections opened by our functions belong to a superuser; nobody else may send SQL through them.
DO $$
DECLARE
    dblink_function regprocedure;
BEGIN
    FOR dblink_function IN
        SELECT d.objid::regprocedure
        FROM pg_catalog.pg_depend d
        JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
        WHERE d.refclassid = 'pg_catalog.pg_extension'::regclass
          AND d.classid = 'pg_catalog.pg_proc'::regclass
          AND e.extname = 'dblink'
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', dblink_function);
    END LOOP;
END
$$;

CREATE TABLE tenantry.cluster (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    cluster_id text NOT NULL DEFAULT substr(md5(gen_random_uuid()::text), 1, 12),
    database_name text NOT NULL DEFAULT current_database()
);
COMMENT ON TABLE tenantry.cluster IS 'Who this cluster is; cluster_id is part of every global transaction identifier';
INSERT INTO tenantry.cluster DEFAULT VALUES;

CREATE TYPE tenantry.noderole AS ENUM ('primary', 'secondary', 'unavailable');

CREATE SEQUENCE tenantry.pg_dist_node_nodeid_seq MINVALUE 1 MAXVALUE 4294967296;
CREATE SEQUENCE tenantry.pg_dist_groupid_seq MINVALUE 1 MAXVALUE 4294967296;
CREATE SEQUENCE tenantry.pg_dist_colocationid_seq MINVALUE 1 MAXVALUE 4294967296;
CREATE SEQUENCE tenantry.pg_dist_shardid_seq MINVALUE 102008;
CREATE SEQUENCE tenantry.pg_dist_placement_placementid_seq MINVALUE 1;

CREATE TABLE tenantry.node (
    nodeid integer PRIMARY KEY DEFAULT nextval('tenantry.pg_dist_node_nodeid_seq'),
    groupid integer NOT NULL DEFAULT nextval('tenantry.pg_dist_groupid_seq'),
    nodename text NOT NULL,
    nodeport integer NOT NULL DEFAULT 5432,
    noderack text NOT NULL DEFAULT 'default',
    hasmetadata boolean NOT NULL DEFAULT false,
    isactive boolean NOT NULL DEFAULT true,
    noderole tenantry.noderole NOT NULL DEFAULT 'primary',
    nodecluster name NOT NULL DEFAULT 'default',
    metadatasynced boolean NOT NULL DEFAULT false,
    shouldhaveshards boolean NOT NULL DEFAULT true,
    nodeisclone boolean NOT NULL DEFAULT false,
    nodeprimarynodeid integer NOT NULL DEFAULT 0,
    name text NOT NULL UNIQUE,
    placement_chosen boolean NOT NULL DEFAULT false,
    changed xid8 NOT NULL DEFAULT pg_current_xact_id(),
    UNIQUE (nodename, nodeport),
    CONSTRAINT primaries_are_only_allowed_in_the_default_cluster
        CHECK (NOT (nodecluster <> 'default' AND noderole = 'primary'))
);
COMMENT ON COLUMN tenantry.node.placement_chosen IS 'Whether somebody has set shouldhaveshards by hand';
CREATE UNIQUE INDEX node_one_primary_per_group ON tenantry.node (groupid) WHERE noderole = 'primary';

CREATE TABLE tenantry.node_size (
    nodeid integer PRIMARY KEY REFERENCES tenantry.node ON DELETE CASCADE,
    bytes bigint NOT NULL,
    measured_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE tenantry.node_size IS 'Bytes of the distributed schemas of each node when last measured';

CREATE TABLE tenantry.schema (
    schemaid oid PRIMARY KEY,
    colocationid integer NOT NULL UNIQUE,
    nodeid integer NOT NULL REFERENCES tenantry.node,
    changed xid8 NOT NULL DEFAULT pg_current_xact_id()
);
COMMENT ON TABLE tenantry.schema IS 'The distributed schemas, by the oid of their empty namespace on the coordinator';
CREATE INDEX schema_changed ON tenantry.schema (changed);
CREATE INDEX schema_nodeid ON tenantry.schema (nodeid);

CREATE TABLE tenantry.dropped_schema (
    schemaid oid NOT NULL,
    changed xid8 NOT NULL DEFAULT pg_current_xact_id(),
    dropped_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE tenantry.dropped_schema IS 'What readers have to forget; removed after a day, so a reader starts afresh after an hour';
CREATE INDEX dropped_schema_changed ON tenantry.dropped_schema (changed);

CREATE TABLE tenantry.shard (
    shardid bigint PRIMARY KEY DEFAULT nextval('tenantry.pg_dist_shardid_seq'),
    placementid bigint NOT NULL UNIQUE DEFAULT nextval('tenantry.pg_dist_placement_placementid_seq'),
    nodeid integer NOT NULL REFERENCES tenantry.node ON DELETE CASCADE,
    relid oid NOT NULL,
    schemaid oid NOT NULL REFERENCES tenantry.schema ON DELETE CASCADE,
    relname name NOT NULL,
    UNIQUE (nodeid, relid)
);
COMMENT ON TABLE tenantry.shard IS 'Shard ids, given to a table when it is first seen; relid is its oid on its node';
CREATE INDEX shard_schemaid ON tenantry.shard (schemaid);

CREATE TABLE tenantry.node_script (
    name text PRIMARY KEY,
    script text NOT NULL
);
COMMENT ON TABLE tenantry.node_script IS 'SQL that checks a node and installs on it what it needs; written at start';
