CREATE TABLE wörter (größe int, "日本" text)

INSERT INTO wörter VALUES (1, 'こんにちは'), (2, '😀'), (3, 'naïve') RETURNING *

SELECT "日本", length("日本"), octet_length("日本") FROM wörter ORDER BY größe

SELECT fehlt FROM wörter

SELECT 'ä' AS "Ä", 'x' x FROM nirgendwo

SET client_encoding = 'LATIN1'

SELECT größe FROM "wörter" WHERE "größe" = 3

SELECT * FROM pg_class WHERE relname = 'w'

SELECT convert_from('\xe38193', 'UTF8')

SELECT E'\xe9'

SET client_encoding = 'UTF8'

SELECT chr(233), ascii('é'), convert_to('é', 'LATIN1')

SELECT chr(0)

SELECT convert_from('\xff', 'UTF8')

SET client_encoding = 'WIN1252'

SELECT chr(8364)

SET client_encoding = 'SQL_ASCII'

SELECT chr(233)

RESET client_encoding

SELECT '\xe9'::bytea::text

SELECT 1 AS "col	tab", 2 AS "new
line"

SELECT "日本" FROM wörter WHERE größe = $1::int AND "日本" = $2
\bind 1
\bind こんにちは

SHOW client_encoding

DROP TABLE wörter
