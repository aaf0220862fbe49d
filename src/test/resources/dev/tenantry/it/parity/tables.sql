CREATE TABLE author (id bigserial PRIMARY KEY, name text NOT NULL UNIQUE, born date, CHECK (name <> ''))

CREATE TABLE IF NOT EXISTS author (id int)

CREATE TABLE author (id int)

CREATE TABLE book (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  author_id bigint REFERENCES author (id) ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE,
  title text COLLATE "C" NOT NULL,
  price numeric(10, 2) DEFAULT 9.99 CHECK (price >= 0),
  tags text[] DEFAULT '{}',
  words int GENERATED ALWAYS AS (length(title)) STORED)

COMMENT ON TABLE book IS 'what authors write'

COMMENT ON COLUMN book.title IS 'on its cover'

SELECT obj_description('book'::regclass, 'pg_class'), col_description('book'::regclass, 3)

INSERT INTO author (name, born) VALUES ('Ada', '1815-12-10'), ('Grace', NULL), ('Édouard', '1832-01-23')

INSERT INTO author (name) VALUES ('Ada')

INSERT INTO author (name) VALUES ('')

INSERT INTO author (name) VALUES (NULL)

INSERT INTO book (author_id, title) VALUES (1, 'Notes'), (2, 'Compilers') RETURNING id, title, words, price

INSERT INTO book (author_id, title) VALUES (99, 'Nobody''s')

INSERT INTO book (id, title) VALUES (5, 'x')

INSERT INTO book (author_id, title, price) VALUES (1, 'Cheap', -1)

ALTER TABLE book ADD COLUMN published timestamptz, ADD CONSTRAINT positive CHECK (words > 0) NOT VALID

ALTER TABLE book VALIDATE CONSTRAINT positive

ALTER TABLE book ALTER COLUMN tags SET DEFAULT '{new}', ALTER COLUMN price DROP DEFAULT

ALTER TABLE book ALTER COLUMN price TYPE numeric(12, 3) USING price * 2

ALTER TABLE book RENAME COLUMN published TO published_at

ALTER TABLE book RENAME CONSTRAINT positive TO has_words

ALTER TABLE book DROP COLUMN missing

ALTER TABLE IF EXISTS missing ADD COLUMN x int

ALTER TABLE book DROP COLUMN IF EXISTS missing

SELECT * FROM book ORDER BY id

SELECT a.name, count(b.id) FILTER (WHERE b.price > 1) AS books FROM author a LEFT JOIN book b ON b.author_id = a.id GROUP BY a.name ORDER BY a.name COLLATE "C"

CREATE UNLOGGED TABLE scratch (LIKE book INCLUDING ALL)

CREATE TABLE copied AS SELECT id, title FROM book WITH NO DATA

CREATE TABLE copied2 AS TABLE author

SELECT * INTO copied3 FROM author WHERE born IS NOT NULL

CREATE TABLE parent (kind text, amount int) WITH (fillfactor = 70, autovacuum_enabled = off)

CREATE TABLE child (extra int DEFAULT 7) INHERITS (parent)

INSERT INTO child VALUES ('a', 1), ('b', 2) RETURNING *

SELECT tableoid::regclass::text, * FROM parent

UPDATE parent SET amount = amount + 1 WHERE kind = 'a' RETURNING tableoid::regclass::text, amount

ALTER TABLE child NO INHERIT parent

TRUNCATE author

TRUNCATE author RESTART IDENTITY CASCADE

SELECT count(*) FROM book

DROP TABLE author

DROP TABLE author CASCADE

DROP TABLE author

DROP TABLE IF EXISTS author, copied, copied2

CREATE TABLE "Odd ""Name""" ("select" int, "Größe" text, " " bool)

INSERT INTO "Odd ""Name""" VALUES (1, 'groß', true) RETURNING *

SELECT "Größe", " " FROM parity."Odd ""Name""" AS "x y" WHERE "x y"."select" = 1

ALTER TABLE "Odd ""Name""" RENAME TO plain

CREATE TABLE no_columns ()

INSERT INTO no_columns DEFAULT VALUES

SELECT FROM no_columns

SELECT

CREATE TABLE excl (during tsrange, EXCLUDE USING gist (during WITH &&))

INSERT INTO excl VALUES ('[2024-01-01,2024-02-01)')

INSERT INTO excl VALUES ('[2024-01-15,2024-02-15)')

CREATE TABLE bad (x missing_type)

CREATE TABLE bad (x int, x int)

CREATE TABLE missing_schema.t (x int)

CREATE TABLE bad (x int PRIMARY KEY, y int PRIMARY KEY)

ANALYZE

VACUUM

VACUUM (ANALYZE, VERBOSE false) book

ANALYZE excl, no_columns

CLUSTER excl USING excl_during_excl

REINDEX TABLE excl
