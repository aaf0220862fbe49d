CREATE TABLE t (id int PRIMARY KEY, v text, n numeric)

INSERT INTO t SELECT i, 'v' || i, i / 3.0 FROM generate_series(1, 20) i

CREATE INDEX t_v ON t (v)

CREATE UNIQUE INDEX t_expr ON t (lower(v) text_pattern_ops DESC NULLS LAST) INCLUDE (n) WHERE id > 3

CREATE INDEX CONCURRENTLY t_n ON t USING brin (n)
\alone

CREATE INDEX ON t (missing)

CREATE INDEX t_v ON t (v)

CREATE INDEX IF NOT EXISTS t_v ON t (v)

ALTER INDEX t_v RENAME TO t_v2

REINDEX INDEX t_v2

DROP INDEX t_n

DROP INDEX CONCURRENTLY IF EXISTS t_missing
\alone

CREATE VIEW small AS SELECT id, v FROM t WHERE id < 5 WITH LOCAL CHECK OPTION

CREATE OR REPLACE VIEW small AS SELECT id, v, n FROM t WHERE id < 5

CREATE OR REPLACE VIEW small AS SELECT v FROM t

INSERT INTO small VALUES (30, 'x', 1)

UPDATE small SET v = 'one' WHERE id = 1 RETURNING *

SELECT pg_get_viewdef('small'::regclass, true)

CREATE RECURSIVE VIEW counted (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM counted WHERE n < 4

SELECT sum(n) FROM counted

CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS c, sum(n) AS s FROM t WITH NO DATA

SELECT * FROM totals

REFRESH MATERIALIZED VIEW totals

SELECT * FROM totals

CREATE UNIQUE INDEX ON totals (c)

REFRESH MATERIALIZED VIEW CONCURRENTLY totals

DROP MATERIALIZED VIEW totals

CREATE SEQUENCE s START 10 INCREMENT BY 5 MAXVALUE 20 CYCLE

SELECT nextval('s'), nextval('s'), nextval('parity.s'), nextval('s'), currval('s'), lastval()

SELECT setval('s', 15, false)

SELECT * FROM s
\mask ^D.*

ALTER SEQUENCE s RESTART WITH 12 NO CYCLE OWNED BY t.id

SELECT nextval('s'), nextval('s')

SELECT nextval('s')

SELECT currval('missing')

CREATE TYPE mood AS ENUM ('sad', 'ok')

ALTER TYPE mood ADD VALUE 'happy' AFTER 'ok'
\alone

SELECT 'happy'::mood, 'sad'::mood < 'ok'::mood, enum_range(NULL::mood)::text

SELECT 'angry'::mood

CREATE TYPE point2 AS (x float8, y float8)

SELECT ROW(1, 2)::point2, (ROW(3, 4)::point2).y, ARRAY[ROW(5, 6)::point2]::text

CREATE DOMAIN percentage AS int CHECK (VALUE BETWEEN 0 AND 100) DEFAULT 50

SELECT 101::percentage

SELECT 99::percentage

CREATE TYPE span AS RANGE (subtype = float8)

SELECT '[1,2)'::span, '[1,2)'::span && '[1.5,3]'::span

ALTER DOMAIN percentage ADD CONSTRAINT even CHECK (VALUE % 2 = 0)

SELECT 99::percentage

DROP DOMAIN percentage

DROP TYPE mood, point2

CREATE AGGREGATE concat_all (text) (SFUNC = textcat, STYPE = text, INITCOND = '>')

SELECT concat_all(v ORDER BY id) FROM t WHERE id <= 3

CREATE OPERATOR === (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)

SELECT 'a' === 'a', 'a' OPERATOR(parity.===) 'b'

CREATE COLLATION german FROM "C"

CREATE STATISTICS t_stats (dependencies) ON id, n FROM t

ALTER STATISTICS t_stats SET STATISTICS 50

CREATE TEXT SEARCH CONFIGURATION simple2 (COPY = simple)

SELECT to_tsvector('simple2', 'The quick fox')

CREATE CAST (text AS point) WITH INOUT

DROP CAST (text AS point)

CREATE RULE t_nothing AS ON DELETE TO t WHERE old.id = 1 DO INSTEAD NOTHING

DELETE FROM t WHERE id = 1

DELETE FROM t WHERE id <= 2 RETURNING id

DROP RULE t_nothing ON t

ALTER TABLE t ENABLE ROW LEVEL SECURITY

CREATE POLICY only_small ON t FOR SELECT TO parity_reader USING (id < 6)

GRANT SELECT ON t TO parity_reader

SET ROLE parity_reader

SELECT id FROM t ORDER BY id

DELETE FROM t

INSERT INTO t VALUES (100)

CREATE TABLE nope (x int)

SELECT current_user, session_user

RESET ROLE

SELECT current_user

REVOKE ALL ON t FROM parity_reader

ALTER POLICY only_small ON t RENAME TO only_few

DROP POLICY only_few ON t

ALTER DEFAULT PRIVILEGES IN SCHEMA parity GRANT SELECT ON TABLES TO parity_reader

CREATE TABLE granted (x int)

SELECT has_table_privilege('parity_reader', 'granted', 'SELECT')

ALTER DEFAULT PRIVILEGES IN SCHEMA parity REVOKE SELECT ON TABLES FROM parity_reader

ALTER TABLE granted OWNER TO parity_reader

SELECT tableowner FROM pg_tables WHERE schemaname = 'parity' AND tablename = 'granted'

REASSIGN OWNED BY parity_reader TO CURRENT_USER
\alone

SECURITY LABEL ON TABLE t IS 'x'

DROP VIEW small

DROP SEQUENCE s CASCADE

DROP TABLE t CASCADE
