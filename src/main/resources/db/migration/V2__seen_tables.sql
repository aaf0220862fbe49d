-- A table as its node shows it; see tenantry.node_tables().
CREATE TYPE tenantry.seen_table AS (
    nodeid integer,
    schema_name name,
    relid oid,
    relname name,
    relkind "char",
    owner name,
    access_method name,
    bytes bigint
);
