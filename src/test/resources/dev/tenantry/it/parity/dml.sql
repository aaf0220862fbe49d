CREATE TABLE stock (item text PRIMARY KEY, n int NOT NULL, seen timestamptz)

INSERT INTO stock (item, n) VALUES ('nut', 5), ('bolt', 3), ('gear', 0) RETURNING *

INSERT INTO stock VALUES ('nut', 1) ON CONFLICT (item) DO UPDATE SET n = stock.n + excluded.n RETURNING item, n

INSERT INTO stock VALUES ('nut', 1), ('cog', 2) ON CONFLICT DO NOTHING

INSERT INTO stock VALUES ('a', 1), ('a', 2) ON CONFLICT (item) DO UPDATE SET n = 1

UPDATE stock SET n = n * 2 WHERE n > 2 RETURNING item, n

UPDATE stock SET (n, seen) = (SELECT 1, NULL) WHERE item = 'gear'

UPDATE stock s SET n = o.n FROM (VALUES ('cog', 77)) AS o (item, n) WHERE o.item = s.item

UPDATE stock SET n = NULL

DELETE FROM stock USING (SELECT 'cog' AS item) d WHERE d.item = stock.item RETURNING stock.*

DELETE FROM stock WHERE item = 'missing'

MERGE INTO stock t USING (VALUES ('nut', 1), ('new', 9)) AS s (item, n) ON t.item = s.item WHEN MATCHED AND t.n > 1000 THEN DELETE WHEN MATCHED THEN UPDATE SET n = t.n + s.n WHEN NOT MATCHED THEN INSERT (item, n) VALUES (s.item, s.n)

MERGE INTO stock t USING (VALUES ('nut', 1)) AS s (item, n) ON t.item = s.item WHEN MATCHED THEN DO NOTHING

MERGE INTO stock t USING (VALUES ('bolt', 1)) AS s (item, n) ON t.item = s.item WHEN MATCHED THEN DELETE RETURNING merge_action(), t.*

WITH moved AS (DELETE FROM stock WHERE n < 5 RETURNING *) SELECT count(*) FROM moved

WITH ins AS (INSERT INTO stock VALUES ('w1', 1), ('w2', 2) RETURNING item), upd AS (UPDATE stock SET n = n + 1 RETURNING item) SELECT (SELECT count(*) FROM ins), (SELECT count(*) FROM upd)

WITH RECURSIVE r (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 5) INSERT INTO stock SELECT 'r' || i, i FROM r RETURNING item

WITH a AS MATERIALIZED (SELECT 1 AS x), b AS NOT MATERIALIZED (SELECT x + 1 AS y FROM a) SELECT * FROM a, b

WITH RECURSIVE tree (id, parent) AS (VALUES (1, NULL), (2, 1), (3, 2)), up AS (SELECT * FROM tree WHERE id = 3 UNION SELECT t.* FROM tree t JOIN up ON up.parent = t.id) SEARCH DEPTH FIRST BY id SET o SELECT id FROM up ORDER BY id

VALUES (1, 'a'), (2, NULL)

TABLE stock ORDER BY item LIMIT 3

SELECT item, n, rank() OVER (ORDER BY n DESC, item) FROM stock ORDER BY 3, 1 FETCH FIRST 4 ROWS ONLY

SELECT n % 2 AS odd, array_agg(item ORDER BY item) FROM stock GROUP BY GROUPING SETS ((n % 2), ()) ORDER BY 1 NULLS FIRST

SELECT item FROM stock WHERE item LIKE 'w%' FOR UPDATE SKIP LOCKED

SELECT item FROM stock WHERE item = 'w1' FOR SHARE NOWAIT

SELECT DISTINCT ON (n) n, item FROM stock ORDER BY n, item

(SELECT 1 UNION SELECT 2) EXCEPT SELECT 2 ORDER BY 1

SELECT * FROM stock s, LATERAL (SELECT s.n + 1 AS m) l WHERE s.item = 'w1'

SELECT * FROM unnest(ARRAY[1, 2], ARRAY['x', 'y', 'z']) AS u (a, b)

SELECT * FROM json_to_recordset('[{"a": 1, "b": "x"}]') AS j (a int, b text)

SELECT xmlelement(name x, 'y')

SELECT * FROM stock TABLESAMPLE BERNOULLI (100) REPEATABLE (1) WHERE item = 'w2'

SELECT item FROM ONLY stock WHERE item = 'w1'

SELECT 1 AS "a", 2 AS "A", 3 AS "ä", 4

SELECT NULL, ''::text, ' ', E'\t\n\\', U&'d\0061t\+000061', 'multi'
'line'

SELECT 1.5::float4, 1e300::float8, 'NaN'::numeric, 'infinity'::timestamp, '-infinity'::date, true, 'x'::"char", 'n'::name, '\xdeadbeef'::bytea, B'101', X'1F', '1 day 02:00'::interval

SELECT '2024-02-29 12:00+02'::timestamptz, '12:00+02'::timetz, '(1,2)'::point, '192.168.0.1/24'::cidr, '08:00:2b:01:02:03'::macaddr, '{"a": [1, null]}'::jsonb, '[1,5)'::int4range, '{[1,2),[3,4)}'::int4multirange, '00000000-0000-0000-0000-000000000001'::uuid, 'a & b'::tsquery, 12.34::money

SELECT ARRAY[[1, 2], [3, NULL]], ARRAY[]::text[], '[2:3]={7,8}'::int[], ROW(1, 'x', NULL)

SELECT 1::regtype, 'stock'::regclass::text, 'now'::regproc, 'parity'::regnamespace::text

SELECT repeat('x', 70000)

SELECT repeat('long ', 3000), g FROM generate_series(1, 20) g

SELECT g, repeat('y', g % 50) FROM generate_series(1, 3000) g

SELECT count(*) FROM generate_series(1, 100000)

SELECT string_agg(c, ',') FROM (SELECT 'c' || g AS c FROM generate_series(1, 1000) g) x

SELECT g AS c1, g AS c2, g AS c3, g AS c4, g AS c5, g AS c6, g AS c7, g AS c8, g AS c9, g AS c10 FROM generate_series(1, 7) g

EXPLAIN (COSTS OFF) SELECT * FROM stock WHERE item = 'w1'

EXPLAIN (COSTS OFF, FORMAT JSON) UPDATE stock SET n = 1

EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) INSERT INTO stock VALUES ('explained', 1)

EXPLAIN (COSTS OFF, VERBOSE) SELECT s.item FROM stock s JOIN stock z USING (n)

EXPLAIN (COSTS OFF) CREATE TABLE e AS SELECT 1

EXPLAIN (NONSENSE) SELECT 1

LOCK TABLE stock IN EXCLUSIVE MODE

BEGIN; LOCK TABLE stock IN ACCESS EXCLUSIVE MODE; COMMIT
