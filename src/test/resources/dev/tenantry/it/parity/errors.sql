SELEC 1

SELECT * FROM

SELECT * FROM missing_table

SELECT missing_column FROM pg_class

SELECT x.y FROM pg_class c

SELECT missing_function(1)

SELECT 1 +

SELECT 'unterminated

SELECT "unterminated

SELECT $$unterminated

SELECT /* unterminated

SELECT E'\xff'

SELECT U&'\zzzz'

SELECT 1 / 0

SELECT 'x'::int

SELECT 99999999999::int

SELECT ''::date

SELECT '2024-13-01'::date

SELECT ARRAY[1, 'x']

SELECT sqrt(-1)

SELECT ln(0)

SELECT power(10::float8, 1000)

SELECT substring('x', 1, -1)

SELECT (SELECT generate_series(1, 2))

SELECT sum(sum(1))

SELECT a, count(*) FROM (VALUES (1)) v (a)

SELECT 1 WHERE 1

SELECT 1 UNION SELECT 'x'

SELECT * FROM (SELECT 1)

SELECT '{'::json

SELECT '[1,2'::int[]

SELECT 'a'::xml::text || '<'::xml

SELECT current_setting('missing.setting')

SELECT current_setting('missing.setting', true)

SELECT set_config('work_mem', 'lots', false)

SELECT set_config('missing_setting', 'x', false)

SET work_mem = 'lots'

SET work_mem = -5

SET missing_setting = 1

SET TIME ZONE 'Mars/Olympus'

SET search_path = parity, 5

SET client_encoding = 'nonsense'

SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL NONSENSE

SHOW missing_setting

RESET missing_setting

SET ROLE missing_role

SET SESSION AUTHORIZATION missing_role

SET block_size = 1

SET shared_buffers = '1MB'

GRANT SELECT ON missing_table TO parity_reader

GRANT SELECT ON pg_class TO missing_role

DROP TABLE missing_table

DROP FUNCTION missing_function(int)

DROP TYPE missing_type

DROP ROLE missing_role

CREATE VIEW v AS SELECT missing

INSERT INTO missing_table VALUES (1)

CREATE TABLE e (a int, b varchar(3), c numeric(4, 2))

INSERT INTO e (b) VALUES ('abcd')

INSERT INTO e (c) VALUES (123.45)

INSERT INTO e VALUES (1, 2, 3, 4)

INSERT INTO e (a, missing) VALUES (1, 2)

INSERT INTO e (a) SELECT 'x'

UPDATE e SET missing = 1

DELETE FROM e WHERE missing = 1

COMMIT PREPARED 'missing'

ROLLBACK PREPARED 'missing'

EXECUTE missing

DEALLOCATE missing

FETCH missing

CLOSE missing

MOVE missing

RELEASE SAVEPOINT missing

SAVEPOINT outside

ROLLBACK TO SAVEPOINT outside

COPY missing_table TO STDOUT

COPY e (missing) TO STDOUT

COPY e FROM '/nonexistent/file'

COPY (SELECT 1) TO '/nonexistent/file'

COPY e TO PROGRAM 'exit 3'

COPY e FROM STDIN (FORMAT nonsense)

LOCK missing_table

LISTEN

NOTIFY

REINDEX TABLE missing_table

VACUUM missing_table

CLUSTER missing_table

COMMENT ON TABLE missing_table IS 'x'

ALTER TABLE e ALTER COLUMN a TYPE date

ALTER TABLE e ADD PRIMARY KEY (missing)

ALTER SEQUENCE missing RESTART

CREATE TRIGGER t BEFORE INSERT ON e EXECUTE FUNCTION missing()

CREATE INDEX ON e USING nonsense (a)

CREATE EXTENSION missing_extension

LOAD 'missing_library'

SELECT pg_sleep('x')

SELECT pg_advisory_lock()

SELECT * FROM e FOR UPDATE OF missing

SELECT 'ok' AS still_alive

SELECT 1; SELECT 2

SELECT  1 AS "é", nope FROM e

-- a comment before
SELECT 1 /* inside */ + nope -- after

SELECT E'caf\u00e9', position, wrong
