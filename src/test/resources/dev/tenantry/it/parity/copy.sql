CREATE TABLE c (id int PRIMARY KEY, v text, n numeric)

COPY c FROM STDIN
\in 1	one	1.5
\in 2	\N	2
\in 3	tab\\there	\N

COPY c TO STDOUT

COPY c (v, id) TO STDOUT WITH (FORMAT csv, HEADER, QUOTE '''', NULL 'null', FORCE_QUOTE *)

COPY (SELECT id, v FROM c ORDER BY id DESC) TO STDOUT (DELIMITER '|')

COPY c TO STDOUT (FORMAT binary)

COPY c TO STDOUT CSV

COPY c FROM STDIN (FORMAT csv, HEADER true)
\in id,v,n
\in 4,"quoted, ""text""",4
\in 5,,5.5

COPY c FROM STDIN
\in 6	six	6
\in 6	again	6

COPY c FROM STDIN
\in 7	seven	not a number
\in 8	eight	8

COPY c FROM STDIN
\in 9	too few

COPY c FROM STDIN
\in 9	too	1	many

COPY c FROM STDIN
\in 10	ten	10
\fail I have changed my mind

COPY c FROM STDIN
\fail nothing at all

SELECT count(*), max(id) FROM c

COPY c (id, v) FROM STDIN
\in 11	eleven
\in \.

COPY c FROM STDIN (FORMAT binary)
\hex 5047434f50590aff0d0a00000000000000000000030000000400000014000000057477656e74ffffffff
\hex ffff

COPY c FROM STDIN (FORMAT binary)
\hex 00010203

COPY c FROM STDIN WHERE id > 30
\in 30	thirty	30
\in 31	thirty-one	31

COPY missing FROM STDIN
\in 1

COPY c FROM STDIN (FORMAT nonsense)
\in 1

BEGIN

COPY c FROM STDIN
\in 40	forty	40

ROLLBACK

BEGIN

COPY c FROM STDIN
\in 41	x	bad

SELECT 1

ROLLBACK

BEGIN

SAVEPOINT s

COPY c FROM STDIN
\in 42	x	bad

ROLLBACK TO s

COPY c FROM STDIN
\in 42	x	42

COMMIT

SELECT count(*) FROM c

COPY (SELECT 1 / (3 - g) FROM generate_series(1, 5) g) TO STDOUT

COPY (SELECT g, repeat('x', g) FROM generate_series(1, 200) g) TO STDOUT

COPY (SELECT missing FROM c) TO STDOUT

COPY (INSERT INTO c VALUES (60, 'sixty', 60), (61, 'x', 61) RETURNING id) TO STDOUT

COPY c TO STDOUT; SELECT 'behind copy'

SELECT 'before'; COPY c (id) TO STDOUT; SELECT 1 / 0

COPY c FROM STDIN; SELECT count(*) FROM c
\in 70	seventy	70

COPY c (id) FROM STDIN (FORMAT csv, ON_ERROR ignore, LOG_VERBOSITY verbose)
\in 80
\in x81
\in 82

CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'row %', NEW.id; RETURN NEW; END $$

CREATE TRIGGER shout BEFORE INSERT ON c FOR EACH ROW EXECUTE FUNCTION shout()

COPY c (id) FROM STDIN
\in 90
\in 91

COPY parity.c (id) FROM STDIN (FREEZE)
\in 92

SELECT count(*), sum(id) FROM c

CREATE VIEW cv AS SELECT * FROM c

COPY cv TO STDOUT

COPY cv FROM STDIN
\in 1

TRUNCATE c

COPY BINARY c TO STDOUT

COPY c TO STDOUT WITH DELIMITER AS ',' NULL AS '-'
