// What node-postgres does through the proxy. Usage: node tenants.mjs URL SCHEMA1 SCHEMA2; ends with 0 when all is well.
import assert from 'node:assert/strict';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import pg from 'pg';
import Cursor from 'pg-cursor';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';

const [url, one, two] = process.argv.slice(2);
const tables = `
  create table note_categories (category_id bigserial primary key, category_name text not null);
  create table notes (note_id bigserial primary key,
                      category_id bigint references note_categories (category_id), message text not null)`;

const client = new pg.Client({ connectionString: url });
await client.connect();
const notices = [];
client.on('notice', (notice) => notices.push(notice.message));

for (const schema of [one, two]) {
  await client.query(`create schema ${schema}`);
  await client.query(`set search_path to ${schema}`);
  await client.query(tables);
  await client.query('insert into note_categories (category_name) values ($1)', [schema]);
}
const placed = await client.query(
  `select table_name::text, nodename, nodeport from citus_shards where citus_table_type = 'schema'
     and table_name::text like any ($1) order by 1`, [[`${one}.%`, `${two}.%`]]);
assert.equal(placed.rows.length, 4);

// One named statement, prepared once by the client, in both tenants.
const insert = { name: 'insert-note', text: 'insert into notes (category_id, message) values (1, $1) returning note_id' };
const list = { name: 'list', text: 'select message, category_name from notes join note_categories using (category_id) order by note_id' };
for (let round = 0; round < 3; round++) {
  for (const schema of [one, two]) {
    await client.query(`set search_path to ${schema}`);
    const inserted = await client.query({ ...insert, values: [`${schema} ${round}`] });
    assert.equal(inserted.rows[0].note_id, String(round + 1));
    const listed = await client.query(list);
    assert.deepEqual(listed.rows.map((row) => row.message), [0, 1, 2].slice(0, round + 1).map((n) => `${schema} ${n}`));
    assert.ok(listed.rows.every((row) => row.category_name === schema));
  }
}

// Not awaited one by one.
await client.query(`set search_path to ${one}`);
const many = await Promise.all(Array.from({ length: 50 }, (_, n) => client.query('select $1::int as n', [n])));
assert.deepEqual(many.map((result) => result.rows[0].n), Array.from({ length: 50 }, (_, n) => n));

// Errors leave the session usable, in and out of a block.
await assert.rejects(client.query('select * from missing'), { code: '42P01', position: '15' });
await client.query('begin');
await assert.rejects(client.query('insert into notes (category_id, message) values ($1, $2)', [99, 'x']), { code: '23503' });
await assert.rejects(client.query('select 1'), { code: '25P02' });
await client.query('rollback');

// Cursor, a few rows at a time.
await client.query('begin');
const cursor = client.query(new Cursor('select generate_series(1, $1) as n', [5]));
assert.deepEqual((await cursor.read(2)).map((row) => row.n), [1, 2]);
assert.deepEqual((await cursor.read(10)).map((row) => row.n), [3, 4, 5]);
await cursor.close();
await client.query('commit');

// COPY both ways.
await pipeline(Readable.from(['1\tcopied one\n', '1\tcopied two\n']), client.query(copyFrom('copy notes (category_id, message) from stdin')));
const lines = [];
for await (const chunk of client.query(copyTo("copy (select message from notes where message like 'copied%' order by 1) to stdout"))) {
  lines.push(chunk.toString());
}
assert.equal(lines.join(''), 'copied one\ncopied two\n');

// Notices and notifications.
await client.query("do $$ begin raise notice 'hello'; end $$");
assert.deepEqual(notices, ['hello']);
const heard = new Promise((resolve) => client.once('notification', resolve));
await client.query('listen news');
await client.query("notify news, 'payload'");
assert.equal((await heard).payload, 'payload');

// Timeout by the server, then by the client's cancel.
await client.query('set statement_timeout = 100');
await assert.rejects(client.query('select pg_sleep(5)'), { code: '57014' });
await client.query('reset statement_timeout');

// A pool of connections, each at home in either tenant.
const pool = new pg.Pool({ connectionString: url, max: 4 });
await Promise.all(Array.from({ length: 40 }, async (_, n) => {
  const schema = n % 2 ? one : two;
  const found = await pool.query(`select category_name from ${schema}.note_categories`);
  assert.equal(found.rows[0].category_name, schema);
}));
await pool.end();
await client.query(`drop schema ${one}, ${two} cascade`);
await client.end();
