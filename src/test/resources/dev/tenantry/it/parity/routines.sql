CREATE FUNCTION add(a int, b int DEFAULT 1) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a + b'

SELECT add(1), add(1, 5), add(b => 2, a => 3)

SELECT add('x')

CREATE OR REPLACE FUNCTION add(a int, b int DEFAULT 1) RETURNS text LANGUAGE sql AS 'SELECT 1::text'

CREATE FUNCTION standard(x int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT x + 1; END

SELECT standard(41)

CREATE FUNCTION broken() RETURNS int LANGUAGE sql AS $$ SELECT * FROM missing_table $$

CREATE FUNCTION speak(what text) RETURNS text LANGUAGE plpgsql AS $body$
DECLARE
  reply text := 'said ' || what;
BEGIN
  RAISE DEBUG 'unheard %', what;
  RAISE LOG 'logged';
  RAISE INFO 'info %', what;
  RAISE NOTICE 'notice %', what USING HINT = 'a hint', DETAIL = 'a detail';
  RAISE WARNING 'warning %', what USING ERRCODE = '01T01';
  IF what = 'error' THEN
    RAISE EXCEPTION 'failed with %', what
      USING ERRCODE = 'TX123', HINT = 'do not', DETAIL = 'because', TABLE = 'a table', COLUMN = 'a column', SCHEMA = 'sch', DATATYPE = 'dt', CONSTRAINT = 'con';
  END IF;
  RETURN reply;
END
$body$

SELECT speak('x')

SELECT speak('error')

SELECT length(speak('a;b -- c'))

DO $$ BEGIN RAISE NOTICE 'from DO: %', current_schema(); END $$

DO $$ BEGIN PERFORM 1 / 0; END $$

DO $$ BEGIN PERFORM 1 / 0; EXCEPTION WHEN division_by_zero THEN RAISE NOTICE 'caught %', SQLERRM; END $$

DO LANGUAGE plpgsql $x$ DECLARE r record; BEGIN FOR r IN SELECT generate_series(1, 3) AS i LOOP RAISE NOTICE 'row %', r.i; END LOOP; END $x$

DO $$ BEGIN EXECUTE 'SELECT syntax error here'; END $$

DO $$ not plpgsql $$

CREATE TABLE log (id serial, entry text, at text DEFAULT current_schema())

CREATE PROCEDURE record(entry text, INOUT n int) LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO log (entry) VALUES (entry);
  COMMIT;
  INSERT INTO log (entry) VALUES (entry || ' rolled back');
  ROLLBACK;
  n := n + 1;
END $$

CALL record('first', 1)

BEGIN

CALL record('inside', 1)

ROLLBACK

SELECT id, entry, at FROM log ORDER BY id

CALL missing(1)

SELECT record('x', 1)

CREATE FUNCTION rows(n int) RETURNS SETOF log LANGUAGE sql AS 'SELECT i, ''r'' || i, ''x'' FROM generate_series(1, n) i'

SELECT * FROM rows(5)

SELECT (rows(2)).*

CREATE FUNCTION tab(n int) RETURNS TABLE (a int, b text) LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY SELECT i, i::text FROM generate_series(1, n) i; END $$

SELECT * FROM tab(3) WITH ORDINALITY

CREATE FUNCTION trig() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE NOTICE '% % % on %', TG_WHEN, TG_LEVEL, TG_OP, TG_TABLE_SCHEMA;
  IF TG_LEVEL = 'ROW' AND TG_OP = 'INSERT' THEN NEW.entry := upper(NEW.entry); RETURN NEW; END IF;
  RETURN NULL;
END $$

CREATE TRIGGER log_before BEFORE INSERT ON log FOR EACH ROW EXECUTE FUNCTION trig()

CREATE TRIGGER log_after AFTER INSERT OR UPDATE OR DELETE ON log FOR EACH STATEMENT EXECUTE FUNCTION trig()

CREATE CONSTRAINT TRIGGER log_deferred AFTER INSERT ON log DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION trig()

INSERT INTO log (entry) VALUES ('quiet') RETURNING entry

UPDATE log SET at = 'now'

DELETE FROM log WHERE false

ALTER TABLE log DISABLE TRIGGER log_before

INSERT INTO log (entry) VALUES ('still quiet') RETURNING entry

DROP TRIGGER log_after ON log

CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused' USING ERRCODE = 'check_violation'; END $$

CREATE TRIGGER refuse BEFORE DELETE ON log FOR EACH ROW EXECUTE FUNCTION refuse()

DELETE FROM log

CREATE FUNCTION path() RETURNS text LANGUAGE sql SET search_path = pg_catalog AS $$ SELECT current_setting('search_path') $$

SELECT path(), current_setting('search_path')

CREATE FUNCTION changes() RETURNS void LANGUAGE plpgsql AS $$ BEGIN SET LOCAL work_mem = '5MB'; PERFORM set_config('parity.x', 'y', false); END $$

SELECT changes()

SHOW parity.x

SHOW work_mem

CREATE FUNCTION many(VARIADIC xs int[]) RETURNS int LANGUAGE sql AS 'SELECT sum(x)::int FROM unnest(xs) x'

SELECT many(1, 2, 3), many(VARIADIC ARRAY[4, 5])

SELECT $1::int + $2, $3::text IS NULL
\bind 40
\bind 2
\null

SELECT add($1, $2)
\bind 20
\bind 22

INSERT INTO log (entry) VALUES ($1) RETURNING entry
\bind bound; DROP TABLE log --

SELECT $1::int
\bind no number

SELECT $2::int
\bind 1
\bind 2

SELECT $1
\bind text

SELECT $1 + 1 AS too_many
\bind 1
\bind 2

ALTER FUNCTION add(int, int) RENAME TO plus

ALTER FUNCTION plus(int, int) STRICT SECURITY DEFINER COST 5

SELECT plus(NULL)

DROP FUNCTION add

DROP FUNCTION plus

DROP PROCEDURE record

DROP ROUTINE IF EXISTS nothing(int)

COMMENT ON FUNCTION speak(text) IS 'speaks'
