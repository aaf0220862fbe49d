// Pools of node-postgres through the proxy. Usage: node pools.mjs URL SCHEMA1 SCHEMA2; ends with 0 when all is well.
import assert from 'node:assert/strict';
import pg from 'pg';

const [url, ...schemas] = process.argv.slice(2);
const admin = new pg.Client({ connectionString: url });
await admin.connect();
for (const schema of schemas) {
  await admin.query(`create schema ${schema}`);
  await admin.query(`create table ${schema}.notes (id bigserial primary key, owner text not null, seen int default 0)`);
  await admin.query(`insert into ${schema}.notes (owner) values ('${schema}')`);
}
const find = { name: 'find', text: 'select id, owner, seen from notes where id = $1' };
const see = { name: 'see', text: 'update notes set seen = seen + 1 where id = $1 returning owner' };

// One pool to each tenant, whose search_path its connections begin with, and one for all, in whose transactions it is set.
const own = schemas.map((schema) => new pg.Pool({ connectionString: url, max: 4, options: `-c search_path=${schema}` }));
const common = new pg.Pool({ connectionString: url, max: 6, application_name: 'common' });

async function inOwn(n) {
  const schema = schemas[n % 2];
  const pool = own[n % 2];
  const found = await pool.query({ ...find, values: [1] });
  assert.equal(found.rows[0].owner, schema);
  const client = await pool.connect();
  try {
    await client.query('begin');
    assert.equal((await client.query({ ...see, values: [1] })).rows[0].owner, schema);
    await client.query(n % 5 ? 'commit' : 'rollback');
    const path = await client.query('show search_path');
    assert.equal(path.rows[0].search_path, schema);
    if (n % 3 === 0) {
      await client.query(`set search_path to ${schemas[(n + 1) % 2]}`);
      assert.equal((await client.query({ ...find, values: [1] })).rows[0].owner, schemas[(n + 1) % 2]);
      await client.query('reset search_path');
      assert.equal((await client.query({ ...find, values: [1] })).rows[0].owner, schema);
    }
  } finally {
    client.release();
  }
}

async function inCommon(n) {
  const schema = schemas[n % 2];
  const client = await common.connect();
  try {
    await client.query('begin');
    await client.query(`set local search_path to ${schema}`);
    assert.equal((await client.query({ ...find, values: [1] })).rows[0].owner, schema);
    if (n % 4 === 0) {
      await assert.rejects(client.query('insert into notes (owner) values (null)'), { code: '23502' });
      await client.query('rollback');
    } else {
      await client.query({ ...see, values: [1] });
      await client.query('commit');
    }
    assert.equal((await client.query('show application_name')).rows[0].application_name, 'common');
  } finally {
    client.release();
  }
}

const rounds = 60;
await Promise.all(Array.from({ length: rounds }, (_, n) => n).flatMap((n) => [inOwn(n), inCommon(n)]));
const numbers = Array.from({ length: rounds }, (_, n) => n);
for (const [index, schema] of schemas.entries()) {
  const expected = numbers.filter((n) => n % 2 === index && n % 5).length + numbers.filter((n) => n % 2 === index && n % 4).length;
  const seen = await admin.query(`select seen from ${schema}.notes where id = 1`);
  assert.equal(seen.rows[0].seen, expected);
}
await Promise.all([...own, common].map((pool) => pool.end()));
await admin.query(`drop schema ${schemas.join(', ')} cascade`);
await admin.end();
