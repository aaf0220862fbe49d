LISTEN news

LISTEN "Odd Channel"

SELECT pg_listening_channels() ORDER BY 1

NOTIFY news

NOTIFY news, 'payload'

SELECT pg_notify('news', 'by function')

NOTIFY "Odd Channel", 'ünï'

NOTIFY other, 'unheard'

BEGIN

NOTIFY news, 'in transaction'

NOTIFY news, 'in transaction'

SELECT 'nothing yet'

COMMIT

BEGIN

NOTIFY news, 'never'

ROLLBACK

BEGIN

LISTEN rolled

ROLLBACK

NOTIFY rolled

UNLISTEN news

NOTIFY news

UNLISTEN *

SELECT count(*) FROM pg_listening_channels()

SELECT pg_notify('', 'x')

SELECT pg_notify('toolong', repeat('x', 9000))

SELECT pg_try_advisory_lock(42), pg_try_advisory_lock(42)

SELECT pg_advisory_unlock(42), pg_advisory_unlock(42), pg_advisory_unlock(42)

SELECT pg_advisory_unlock(43)

BEGIN

SELECT pg_advisory_xact_lock(7), pg_try_advisory_xact_lock_shared(8)

SELECT mode, objid, granted FROM pg_locks WHERE locktype = 'advisory' ORDER BY objid

COMMIT

SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'

SELECT pg_advisory_lock(1, 2)

SELECT pg_advisory_unlock_all()

SELECT lo_create(900001)

BEGIN

SELECT lo_open(900001, 131072 + 262144)

SELECT lowrite(0, '\x68656c6c6f')

SELECT lo_lseek(0, 1, 0), loread(0, 3)

SELECT lo_close(0)

COMMIT

SELECT lo_get(900001), lo_get(900001, 1, 2)

SELECT lo_put(900001, 5, '\x21')

SELECT lo_get(900001)

SELECT lo_open(900001, 131072)

SELECT loread(0, 1)

SELECT lo_from_bytea(900002, '\x0102')

SELECT lo_truncate(0, 1)

SELECT lo_unlink(900001), lo_unlink(900002)

SELECT lo_unlink(900001)

COMMENT ON LARGE OBJECT 900001 IS 'x'
