CREATE TABLE one (id serial PRIMARY KEY, v varchar(10) DEFAULT 'x', CONSTRAINT v_len CHECK (length(v) > 0))

CREATE VIEW two AS SELECT * FROM one

SELECT relname, relkind FROM pg_class WHERE relnamespace = 'parity'::regnamespace ORDER BY relname COLLATE "C"

SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.oid = 'parity.one'::regclass AND a.attnum > 0 ORDER BY a.attnum

SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = 'parity' ORDER BY table_name COLLATE "C"

SELECT column_name, data_type, column_default FROM information_schema.columns WHERE table_schema = 'parity' AND table_name = 'one' ORDER BY ordinal_position

SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'one'::regclass AND contype <> 'n' ORDER BY conname

SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'parity'

SELECT nspname FROM pg_namespace WHERE nspname = 'parity'

SELECT to_regclass('one')::text, to_regclass('parity.two')::text, to_regclass('missing')::text

SELECT pg_table_is_visible('one'::regclass)

SELECT pg_get_serial_sequence('one', 'id')

SELECT pg_relation_size('one'), pg_total_relation_size('parity.one') > 0

SELECT has_table_privilege('one', 'SELECT'), has_schema_privilege('parity', 'CREATE')

SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = $1
\bind parity

SELECT relname FROM pg_class WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1) AND relkind = 'r'
\bind parity

SELECT count(*) FROM pg_stat_activity WHERE pid = pg_backend_pid()

SELECT application_name, state, query FROM pg_stat_activity WHERE pid = pg_backend_pid()

SELECT rolname, rolsuper FROM pg_roles WHERE rolname LIKE 'parity%'

SELECT typname FROM pg_type WHERE oid = 23

SELECT 'one'::regclass::text, 'parity.one'::regclass::text

BEGIN

SELECT relname FROM pg_class WHERE relname = 'one' AND relnamespace = 'parity'::regnamespace

CREATE TABLE three (x int)

SELECT count(*) FROM pg_class WHERE relname = 'three'

ROLLBACK

SELECT pg_get_viewdef('two')

SELECT description FROM pg_description WHERE objoid = 'one'::regclass

SELECT current_setting('server_version_num')::int >= 150000

SELECT pg_column_size(1), pg_typeof(now()), pg_size_pretty(12345::bigint), quote_ident('a b'), format('%I.%L', 'x y', 'z')

SELECT datname FROM pg_database WHERE datname = current_database()

SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()
