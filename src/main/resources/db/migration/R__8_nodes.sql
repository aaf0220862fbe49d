-- The nodes and what they hold now, for people.

DROP VIEW IF EXISTS tenantry.tenantry_nodes CASCADE;
CREATE VIEW tenantry.tenantry_nodes AS
SELECT n.nodeid, n.name, n.nodename, n.nodeport,
       CASE n.groupid WHEN 0 THEN 'coordinator' ELSE 'worker' END AS role,
       n.isactive, n.shouldhaveshards,
       count(s.schemaid) AS schemas,
       CASE WHEN NOT coalesce(bool_or(b.schema_name IS NOT NULL AND b.bytes IS NULL), false)
            THEN coalesce(sum(b.bytes), 0)::bigint END AS bytes
FROM tenantry.node n
LEFT JOIN tenantry.schema s USING (nodeid)
LEFT JOIN pg_catalog.pg_namespace p ON p.oid = s.schemaid
LEFT JOIN tenantry.schema_sizes() b ON b.nodeid = n.nodeid AND b.schema_name = p.nspname
GROUP BY n.nodeid
ORDER BY n.nodeid;
COMMENT ON VIEW tenantry.tenantry_nodes IS
    'Nodes with the number and bytes of the distributed schemas they hold; bytes are NULL when a node does not answer';
GRANT SELECT ON tenantry.tenantry_nodes TO PUBLIC;
