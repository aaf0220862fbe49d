-- Which session does what only one may do at a time: it does as long as it lives, see tenantry.lead(). Not advisory
-- locks, which any role could take.
CREATE TABLE tenantry.leader (
    work text PRIMARY KEY,
    pid integer NOT NULL,
    begun timestamptz NOT NULL
);
COMMENT ON TABLE tenantry.leader IS 'The session that does each work of the control plane, or did last';
COMMENT ON COLUMN tenantry.leader.begun IS 'When the session began, because numbers of processes are used again';
