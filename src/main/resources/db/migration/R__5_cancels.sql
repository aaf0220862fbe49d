-- Cancel requests that came to a proxy which does not know their keys. A key is a secret: only superusers see it.

CREATE UNLOGGED TABLE IF NOT EXISTS tenantry.cancel_request (
    id uuid NOT NULL,
    proxyid text NOT NULL,
    processid integer NOT NULL,
    secret bytea NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (id, proxyid)
);
REVOKE ALL ON tenantry.cancel_request FROM PUBLIC;

-- Asks the live proxies, beside the one that says it, whose ids begin with the digits in the key's number; there may be
-- more than one, of which one knows the secret. Returns a request once for each proxy that is asked.
CREATE OR REPLACE FUNCTION tenantry.hand_on_cancels(by_proxy text, requests jsonb) RETURNS SETOF uuid
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    WITH added AS (
        INSERT INTO tenantry.cancel_request (id, proxyid, processid, secret)
        SELECT r.id, p.proxyid, r.processid, decode(r.secret, 'hex')
        FROM jsonb_to_recordset(requests) AS r (id uuid, processid integer, secret text)
        JOIN tenantry.live_proxy p ON left(p.proxyid, 3) = lpad(to_hex(r.processid >> 19), 3, '0')
        WHERE p.proxyid <> by_proxy
        ON CONFLICT (id, proxyid) DO UPDATE SET processid = excluded.processid -- asked again: the answer was lost
        RETURNING id, proxyid
    ), told AS (
        SELECT pg_notify('tenantry_catalog', 'cancel ' || proxyid) FROM (SELECT DISTINCT proxyid FROM added) a
    )
    SELECT a.id FROM added a WHERE (SELECT count(*) FROM told) > 0
$$;
REVOKE ALL ON FUNCTION tenantry.hand_on_cancels(text, jsonb) FROM PUBLIC;

-- What a proxy is asked for; what is old would hit another statement than the one that was meant.
CREATE OR REPLACE FUNCTION tenantry.take_cancels(of_proxy text) RETURNS SETOF tenantry.cancel_request
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    WITH taken AS (DELETE FROM tenantry.cancel_request c WHERE c.proxyid = of_proxy RETURNING c.*)
    SELECT t.* FROM taken t WHERE t.asked_at > clock_timestamp() - interval '2 s'
$$;
REVOKE ALL ON FUNCTION tenantry.take_cancels(text) FROM PUBLIC;

-- Whoever has asked may let the client go.
CREATE OR REPLACE FUNCTION tenantry.cancelled(request_id uuid) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$ SELECT pg_notify('tenantry_catalog', 'cancelled ' || request_id) $$;
REVOKE ALL ON FUNCTION tenantry.cancelled(uuid) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.sweep_cancels() RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$ DELETE FROM tenantry.cancel_request WHERE asked_at < clock_timestamp() - interval '10 s' $$;
REVOKE ALL ON FUNCTION tenantry.sweep_cancels() FROM PUBLIC;
