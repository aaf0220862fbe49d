-- The proxies of the cluster, as far as others must know of them.
CREATE TABLE tenantry.proxy (
    proxyid text PRIMARY KEY,
    alive_at timestamptz NOT NULL
);
COMMENT ON TABLE tenantry.proxy IS 'When each proxy was last known to be alive; one that stops removes its row';

CREATE TABLE tenantry.pause_acknowledgement (
    pauseid bigint NOT NULL REFERENCES tenantry.pause ON DELETE CASCADE,
    proxyid text NOT NULL REFERENCES tenantry.proxy ON DELETE CASCADE,
    running integer NOT NULL,
    PRIMARY KEY (pauseid, proxyid)
);
COMMENT ON TABLE tenantry.pause_acknowledgement IS
    'A proxy begins no transaction there any more; running is how many of its sessions have still to end one';
