-- Which proxies there are. A row that nobody has renewed for an hour is of one that is no more.
CREATE OR REPLACE FUNCTION tenantry.proxy_alive(proxy_id text) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    DELETE FROM tenantry.proxy WHERE alive_at < clock_timestamp() - interval '1 hour';
    INSERT INTO tenantry.proxy (proxyid, alive_at, session_pid)
    VALUES (proxy_id, clock_timestamp(), pg_backend_pid())
    ON CONFLICT (proxyid) DO UPDATE SET alive_at = excluded.alive_at, session_pid = excluded.session_pid
$$;
REVOKE ALL ON FUNCTION tenantry.proxy_alive(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.proxy_gone(proxy_id text) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$ DELETE FROM tenantry.proxy WHERE proxyid = proxy_id $$;
REVOKE ALL ON FUNCTION tenantry.proxy_gone(text) FROM PUBLIC;

-- Those that must be reckoned with. Who gives no sign of life and has a session may hang, and go on; who has none has
-- died, or has lost it and is back within a second or two: that is waited for. A number that is another session's by
-- now, or was never told, makes the wait longer, never shorter.
CREATE OR REPLACE VIEW tenantry.live_proxy AS
SELECT x.proxyid FROM tenantry.proxy x
WHERE x.alive_at > clock_timestamp() - interval '5 s'
   OR x.alive_at > clock_timestamp() - interval '30 s'
      AND EXISTS (SELECT FROM pg_stat_get_activity(x.session_pid));

-- Whether one has no session and may be back soon; also one that is back only after us, when all have lost theirs.
CREATE OR REPLACE FUNCTION tenantry.is_proxy_missed() RETURNS boolean
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (
        SELECT FROM tenantry.proxy x CROSS JOIN pg_stat_get_activity(pg_backend_pid()) own
        WHERE x.alive_at > clock_timestamp() - interval '30 s'
          AND greatest(x.alive_at, own.backend_start) > clock_timestamp() - interval '5 s'
          AND NOT EXISTS (SELECT FROM pg_stat_get_activity(x.session_pid)))
$$;
REVOKE ALL ON FUNCTION tenantry.is_proxy_missed() FROM PUBLIC;
