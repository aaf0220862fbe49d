SHOW search_path

SHOW TimeZone

SHOW TIME ZONE

SHOW application_name

SHOW extra_float_digits

SHOW DateStyle

SET DateStyle = 'German, DMY'

SELECT '2024-01-31'::date

RESET datestyle

SET application_name = 'other'

SET application_name TO DEFAULT

SET TIME ZONE 'UTC'

SELECT '2024-07-01 12:00Z'::timestamptz

SET TIME ZONE LOCAL

SET TIME ZONE 3

SET TIME ZONE INTERVAL '+02:00' HOUR TO MINUTE

SELECT '2024-07-01 12:00Z'::timestamptz

SET TIMEZONE TO DEFAULT

SET client_encoding = 'LATIN1'

SELECT convert_from('\xc3a9', 'UTF8')

SHOW client_encoding

SET NAMES 'UTF8'

SELECT convert_from('\xc3a9', 'UTF8')

SET client_encoding TO 'SQL_ASCII'

SELECT 1

SET NAMES DEFAULT

SET client_min_messages = debug1

DO $$ BEGIN RAISE DEBUG 'heard'; END $$
\mask ^N .*CommitTransaction.*|^N .*StartTransaction.*

SET client_min_messages = error

DO $$ BEGIN RAISE WARNING 'unheard'; END $$

COMMIT

RESET client_min_messages

SET standard_conforming_strings = off

SELECT 'a\'b', E'\n' = '\n'

SET standard_conforming_strings = on

SELECT 'a\b'

SET bytea_output = 'escape'

SELECT '\x00ff61'::bytea

RESET bytea_output

SET IntervalStyle = 'iso_8601'

SELECT '1 day 2 hours'::interval

RESET IntervalStyle

SET default_transaction_isolation = 'serializable'

SHOW transaction_isolation

RESET default_transaction_isolation

SET "my.custom" = 'x'

SET my.other TO 1, two, 'three'

SHOW my.custom

SELECT current_setting('my.custom'), current_setting('my.other')

RESET my.custom

SHOW my.custom

BEGIN

SET work_mem = '6MB'

SET LOCAL work_mem = '8MB'

SHOW work_mem

COMMIT

SHOW work_mem

BEGIN

SET work_mem = '16MB'

ROLLBACK

SHOW work_mem

BEGIN

SAVEPOINT a

SET application_name = 'in savepoint'

ROLLBACK TO a

SHOW application_name

COMMIT

BEGIN

SET LOCAL application_name = 'local'

SHOW application_name

COMMIT

SHOW application_name

BEGIN

SET application_name = 'rolled back'

SELECT 1 / 0

ROLLBACK

SHOW application_name

SELECT set_config('application_name', 'by function', false)

SELECT set_config('application_name', 'local by function', true)

SHOW application_name

SELECT set_config('search_path', 'parity, public', false), current_schemas(false)

SHOW search_path

SET search_path = DEFAULT

SHOW search_path

SET search_path = "$user", parity

SHOW search_path

SET search_path TO 'parity', 'with space', "Quoted"

SHOW search_path

SELECT current_schemas(true)

SET SESSION search_path = parity

SET LOCAL search_path = pg_catalog

SHOW search_path

BEGIN

SET LOCAL search_path = pg_catalog

SELECT current_schema()

COMMIT

SELECT current_schema()

RESET ALL

SHOW search_path

SHOW work_mem

SHOW application_name

SET statement_timeout = 50

SELECT pg_sleep(5)

SET statement_timeout = '1min'

SELECT 1

RESET statement_timeout

SET lock_timeout = '1s'

SET idle_in_transaction_session_timeout = '1h'

SHOW idle_in_transaction_session_timeout

SET seed = 0.5

SELECT random() < 0

SELECT setseed(0.25)

SELECT random(), random()

SET SESSION AUTHORIZATION parity_reader

SELECT current_user, session_user

SHOW is_superuser

SHOW session_authorization

RESET SESSION AUTHORIZATION

SELECT current_user, session_user

SET ROLE parity_reader

SHOW role

SET LOCAL ROLE NONE

SHOW role

SET ROLE NONE

SELECT current_user

SET SESSION ROLE 'parity_reader'

RESET ROLE

BEGIN

SET LOCAL ROLE parity_reader

SELECT current_user

ROLLBACK

SELECT current_user

DISCARD PLANS

DISCARD SEQUENCES

DISCARD TEMP

SET work_mem = '12MB'

DISCARD ALL

SHOW work_mem

SHOW search_path

BEGIN

DISCARD ALL

ROLLBACK

SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off

SHOW plan_cache_mode

RESET ALL

SHOW server_version

SHOW server_encoding

SHOW integer_datetimes

SHOW in_hot_standby

SHOW is_superuser

SHOW max_connections

SELECT name, setting FROM pg_settings WHERE name IN ('work_mem', 'search_path', 'TimeZone') ORDER BY 1

SELECT current_database(), current_catalog, current_schema

SELECT pg_backend_pid() > 0, pg_is_in_recovery(), inet_server_addr() IS NULL

SELECT version() LIKE 'PostgreSQL%'

SET XML OPTION DOCUMENT

SHOW xmloption

SET work_mem FROM CURRENT

SET vacuum_cost_delay = 1.5

SHOW vacuum_cost_delay

set Search_Path = Parity

show Search_Path

SET search_path = ''

SHOW search_path

SELECT * FROM pg_class WHERE false

RESET search_path
