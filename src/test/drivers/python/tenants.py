"""What psycopg2 does through the proxy. Usage: tenants.py DSN SCHEMA1 SCHEMA2; ends with 0 when all is well."""

import io
import sys
import threading

import psycopg2
import psycopg2.errors
import psycopg2.extras
from psycopg2 import sql

dsn, one, two = sys.argv[1:]
TABLES = """
    create table note_categories (category_id bigserial primary key, category_name text not null);
    create table notes (note_id bigserial primary key,
                        category_id bigint references note_categories (category_id), message text not null)"""

connection = psycopg2.connect(dsn)
connection.autocommit = True
cursor = connection.cursor()
for schema in (one, two):
    cursor.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))
    cursor.execute("select set_config('search_path', %s, false)", (schema,))
    cursor.execute(TABLES)
    cursor.execute("insert into note_categories (category_name) values (%s) returning category_id", (schema,))
    assert cursor.fetchone() == (1,)
cursor.execute("select table_name::text from citus_shards where table_name::text like %s order by 1", (one + ".%",))
assert cursor.fetchall() == [(one + ".note_categories",), (one + ".notes",)]

# Transactions as psycopg2 begins them, savepoints, errors.
connection.autocommit = False
for schema in (one, two):
    cursor.execute(sql.SQL("set search_path to {}").format(sql.Identifier(schema)))
    psycopg2.extras.execute_values(
        cursor, "insert into notes (category_id, message) values %s", [(1, "%s %d" % (schema, n)) for n in range(20)]
    )
    cursor.execute("savepoint s")
    try:
        cursor.execute("insert into notes (category_id, message) values (99, 'x')")
        raise AssertionError("a foreign key was not checked")
    except psycopg2.errors.ForeignKeyViolation as violation:
        assert violation.diag.constraint_name == "notes_category_id_fkey"
        assert violation.diag.schema_name == schema
    cursor.execute("rollback to savepoint s")
    connection.commit()
    cursor.execute("select count(*) from notes join note_categories using (category_id) where category_name = %s", (schema,))
    assert cursor.fetchone() == (20,)
    connection.rollback()

# What a rolled back SET leaves.
cursor.execute(sql.SQL("set search_path to {}").format(sql.Identifier(one)))
connection.rollback()
cursor.execute("show search_path")
assert cursor.fetchone() == (two,)
connection.rollback()

# COPY both ways, and one that fails in the middle.
cursor.copy_expert("copy notes (category_id, message) from stdin", io.StringIO("1\tcopied\n" * 5000))
assert cursor.rowcount == 5000
out = io.StringIO()
cursor.copy_expert("copy (select message from notes where message = 'copied') to stdout", out)
assert out.getvalue() == "copied\n" * 5000
connection.commit()
try:
    cursor.copy_expert("copy notes (category_id, message) from stdin", io.StringIO("1\tfine\nx\tbad\n"))
    raise AssertionError("bad data was taken")
except psycopg2.errors.InvalidTextRepresentation as error:
    assert "line 2" in error.diag.context
connection.rollback()

# A cursor on the server, prepared statements, large objects, notices.
with connection.cursor("named") as named:
    named.itersize = 7
    named.execute("select note_id from notes order by note_id limit 30")
    assert len(list(named)) == 30
connection.commit()
cursor.execute("prepare find (bigint) as select message from notes where note_id = $1")
connection.commit()
for schema in (one, two, one):
    cursor.execute(sql.SQL("set search_path to {}").format(sql.Identifier(schema)))
    cursor.execute("execute find (1)")
    assert cursor.fetchone() == (schema + " 0",), schema
    connection.commit()
blob = connection.lobject(0, "wb")
blob.write(b"x" * 100000)
oid = blob.oid
blob.close()
connection.commit()
assert len(connection.lobject(oid, "rb").read()) == 100000
connection.lobject(oid).unlink()
connection.commit()
cursor.execute("do $$ begin raise notice 'hello'; end $$")
assert connection.notices[-1] == "NOTICE:  hello\n"
connection.commit()

# Cancel from another thread.
timer = threading.Timer(0.3, connection.cancel)
timer.start()
try:
    cursor.execute("select pg_sleep(20)")
    raise AssertionError("not cancelled")
except psycopg2.errors.QueryCanceled:
    connection.rollback()
cursor.execute("select 1")
connection.rollback()
connection.autocommit = True
cursor.execute(sql.SQL("drop schema {}, {} cascade").format(sql.Identifier(one), sql.Identifier(two)))
connection.close()
