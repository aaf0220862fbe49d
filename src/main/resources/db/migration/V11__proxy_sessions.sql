-- A process that dies leaves no session.
ALTER TABLE tenantry.proxy ADD COLUMN session_pid integer;
COMMENT ON COLUMN tenantry.proxy.session_pid IS 'The server process over whose session the proxy said so';
