CREATE TABLE t (id int, v text)

PREPARE ins (int, text) AS INSERT INTO t VALUES ($1, $2) RETURNING *

EXECUTE ins (1, 'a')

EXECUTE ins (2, NULL)

EXECUTE ins (3)

EXECUTE ins ('x', 'y')

PREPARE ins AS SELECT 1

PREPARE sel AS SELECT * FROM t WHERE id >= $1 ORDER BY id

EXECUTE sel (1)

EXECUTE sel (1 + 1)

SELECT name, statement, parameter_types, from_sql FROM pg_prepared_statements WHERE from_sql ORDER BY name

CREATE TABLE made AS EXECUTE sel (2)

SELECT * FROM made

EXPLAIN (COSTS OFF) EXECUTE sel (1)

PREPARE bad AS SELECT * FROM missing

PREPARE bad AS SELEC

PREPARE "Quoted Name" AS SELECT 'quoted'

EXECUTE "Quoted Name"

DEALLOCATE PREPARE "Quoted Name"

ALTER TABLE t ADD COLUMN extra int

EXECUTE sel (1)

DEALLOCATE sel

EXECUTE sel (1)

PREPARE sel AS SELECT id FROM t WHERE id = $1

BEGIN

PREPARE in_block AS SELECT 'kept'

ROLLBACK

EXECUTE in_block

BEGIN

DEALLOCATE in_block

ROLLBACK

EXECUTE in_block

BEGIN

SELECT 1 / 0

EXECUTE sel (1)

DEALLOCATE sel

ROLLBACK

EXECUTE sel (1)

DEALLOCATE ALL

EXECUTE sel (1)

PREPARE again AS SELECT 1

DISCARD ALL

EXECUTE again

SET search_path = parity

PREPARE mixed AS SELECT count(*) FROM t

SET search_path = parity

EXECUTE mixed

PREPARE u AS UPDATE t SET v = $1 WHERE id = $2

EXECUTE u ('new', 1)

PREPARE d AS DELETE FROM t

EXECUTE d

PREPARE p AS VALUES ($1::int, $2::text, $3::numeric)

EXECUTE p (1, 'b', 2.5)

PREPARE nothing AS CREATE TABLE x (y int)

PREPARE e AS SELECT $1::int / $2::int

EXECUTE e (1, 0)

EXECUTE e (4, 2)

SELECT count(*) FROM pg_prepared_statements WHERE from_sql

DEALLOCATE PREPARE ALL
