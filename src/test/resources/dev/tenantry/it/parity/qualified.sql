SET search_path = pg_catalog

CREATE TABLE parity.q (id int PRIMARY KEY, v text)

INSERT INTO parity.q VALUES (1, 'a') RETURNING q.*

SELECT * FROM parity.q

SELECT q.v FROM parity.q

SELECT parity.q.v FROM parity.q

SELECT * FROM "parity"."q" AS x (a, b)

UPDATE parity.q SET v = 'b'

COPY parity.q FROM STDIN
\in 2	two

COPY parity.q TO STDOUT

CREATE FUNCTION parity.f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM parity.q'

SELECT parity.f()

CREATE INDEX ON parity.q (v)

DROP INDEX parity.q_v_idx

CREATE SEQUENCE parity.s

SELECT nextval('parity.s'), nextval('"parity".s'::regclass)

ALTER TABLE parity.q ADD COLUMN n int DEFAULT nextval('parity.s')

INSERT INTO parity.q (id) VALUES (9) RETURNING n

SELECT * FROM q

LOCK TABLE parity.q IN SHARE MODE

TRUNCATE parity.q

VACUUM parity.q

ANALYZE parity.q (id)

COMMENT ON COLUMN parity.q.v IS 'x'

EXPLAIN (COSTS OFF) DELETE FROM parity.q

INSERT INTO parity.q VALUES (5)

BEGIN

DECLARE c CURSOR FOR SELECT id FROM parity.q

FETCH ALL c

COMMIT

PREPARE p AS SELECT id FROM parity.q WHERE id = $1

EXECUTE p (5)

DEALLOCATE p

SELECT * FROM parity.missing

SELECT * FROM parity.q, missing

GRANT SELECT ON ALL TABLES IN SCHEMA parity TO parity_reader

SELECT has_table_privilege('parity_reader', 'parity.q', 'SELECT')

REVOKE SELECT ON ALL TABLES IN SCHEMA parity FROM parity_reader

CREATE TYPE parity.e AS ENUM ('a')

SELECT 'a'::parity.e

ALTER TABLE parity.q RENAME TO r

DROP TABLE parity.q

DROP TABLE parity.r, parity.missing

DROP TABLE parity.r

RESET search_path
