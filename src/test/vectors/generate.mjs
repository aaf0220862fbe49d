// Writes the vectors that ScannerVectorsTest reads: npm ci && npm run generate
import { writeFileSync } from 'node:fs';
import * as module from 'libpg-query';
import { corpus } from './corpus.mjs';
import { actionOf, factsOf, kindOf } from './oracle.mjs';

const parser = module.default ?? module;
await parser.loadModule();
const encoder = new TextEncoder();
const decoder = new TextDecoder();

let seed = 20250607;
function random(limit) {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * limit);
}

function tokens(sql) {
  const bytes = encoder.encode(sql);
  return parser.scanSync(sql).tokens
    .filter((token) => !/COMMENT/.test(token.tokenName))
    .map((token) => ({ ...token, text: decoder.decode(bytes.slice(token.start, token.end)) }));
}

const isWord = (token) => /^[A-Za-z_]\w*$/.test(token.text);
const rebuild = (sql, change, glue = ' ') => tokens(sql).map((token, i, all) => change(token, i, all)).filter((text) => text !== '').join(glue);
const isSchema = (token, i, all) => /^s[12]$/.test(token.text) && all[i + 1]?.text === '.';
const keywordNames = { t: 'data', u: '"select"', v: 'value', a: 'key', b: 'name', f: 'replace_all', x: 'type', ty: 'zone', p: 'plans' };
const long = 'x'.repeat(70);

const mutations = [
  (sql) => sql,
  (sql) => sql.replace(/\bs[12]\./g, ''),
  (sql) => sql.replace(/\bs[12]\./g, (prefix) => (random(2) ? prefix : '')),
  (sql) => rebuild(sql, (token) => (isWord(token) ? token.text.toUpperCase() : token.text)),
  (sql) => rebuild(sql, (token) => (random(3) ? token.text : `${token.text} /* ; ' " $$ /* s9.t */ */`), '\n'),
  (sql) => rebuild(sql, (token) => token.text, ' -- it\'s; s9.t (\n'),
  (sql) => sql.replace(/\bs1\b/g, '"Odd ""Schema"" é"').replace(/\bs2\b/g, '"select"'),
  (sql) => sql.replace(/\bs1\./g, 'U&"d\\0061ta\\+01F600".').replace(/\bs2\./g, 'U&"d!0061ta" UESCAPE \'!\' .'),
  (sql) => sql.replace(/\bs1\./g, `${long}.`).replace(/\bs2\./g, 'Übung.'),
  (sql) => sql.replace(/\bs1\./g, 'pg_catalog.').replace(/\bs2\./g, 'PUBLIC.'),
  (sql) => sql.replace(/\bs1\./g, 'db.s1.'),
  (sql) => rebuild(sql, (token, i, all) => (isSchema(token, i, all) ? token.text : keywordNames[token.text] ?? token.text)),
  (sql) => rebuild(sql, (token, i, all) => (/^[a-z]$/.test(token.text) && !isSchema(token, i, all) ? `"${token.text} FROM s9.x"` : token.text)),
  (sql) => rebuild(sql, (token) => (/^'[^'\\]*'$/.test(token.text) ? `$x$${token.text.slice(1, -1)}$x$` : token.text)),
  (sql) => rebuild(sql, (token) => (/^'[^'\\]*'$/.test(token.text) ? ` E'${token.text.slice(1, -1)}'\n'''; s9.t'` : token.text)),
  (sql) => sql.replace(/ ?([(),.;=+*<>]) ?/g, '$1'),
  (sql) => `${sql};`,
  (sql) => `;; ${sql} ; SELECT ';' FROM s3.z;; -- end`,
  (sql) => `BEGIN; ${sql}; ${corpus[random(corpus.length)]} ;COMMIT`,
  (sql) => `EXPLAIN (COSTS off) ${sql}`,
  (sql) => `PREPARE pp AS ${sql}`,
  (sql) => `(${sql})`,
  (sql) => `WITH zz AS (${sql}) SELECT * FROM zz, t`,
  (sql) => `SELECT (${sql}), s3.f((${sql})) FROM (${sql}) x, (s3.z JOIN (${sql}) y ON true)`,
  (sql) => `CREATE VIEW s3.v AS ${sql}`,
  (sql) => `CREATE TABLE t AS ${sql} WITH NO DATA`,
  (sql) => `DECLARE c CURSOR FOR ${sql}`,
  (sql) => `COPY (${sql}) TO STDOUT`,
  (sql) => `INSERT INTO s3.t ${sql}`,
  (sql) => `CREATE RULE r AS ON INSERT TO s3.t DO ALSO (${sql}; ${sql})`,
  (sql) => `CREATE FUNCTION s3.f() RETURNS int BEGIN ATOMIC ${sql}; ${sql}; END; SELECT 1`,
  (sql) => `${sql} UNION ALL ${sql}`,
];

function isPlainBody(body) {
  return (body?.List?.items ?? [])
    .flatMap((item) => item.List?.items ?? [item])
    .every((item) => /^(Select|Insert|Update|Delete|Merge|Return)Stmt$/.test(Object.keys(item)[0]));
}

/** One line of the file, or undefined when PostgreSQL does not take the text. */
function vector(sql) {
  let parsed;
  try {
    parsed = parser.parseSync(sql);
  } catch {
    return undefined;
  }
  const bytes = encoder.encode(sql);
  const all = tokens(sql);
  const statements = (parsed.stmts ?? []).map(({ stmt, stmt_location: start = 0, stmt_len: length }) => {
    const inside = all.filter((token) => token.start >= start && (!length || token.end <= start + length));
    const begin = inside[0].start;
    const end = inside.at(-1).end;
    const text = decoder.decode(bytes.slice(begin, end));
    return { kind: kindOf(stmt, text), start: begin, end, ...factsOf(stmt), action: actionOf(stmt) };
  });
  // PostgreSQL's grammar takes any statement in a routine's body, PostgreSQL itself only those that query or change rows.
  const boundariesOnly = (parsed.stmts ?? []).some(({ stmt }) => !isPlainBody(stmt.CreateFunctionStmt?.sql_body));
  return JSON.stringify({ sql, boundariesOnly, statements });
}

const lines = new Set();
const refused = [];
for (const sql of corpus) {
  if (vector(sql) === undefined) refused.push(sql);
  for (const mutation of mutations) {
    let mutated;
    try {
      mutated = mutation(sql);
    } catch {
      continue;
    }
    const line = vector(mutated);
    if (line) lines.add(line);
  }
}
writeFileSync(new URL('../resources/dev/tenantry/sql/vectors.jsonl', import.meta.url), `${[...lines].join('\n')}\n`);
console.log(`${corpus.length} statements, ${lines.size} vectors, not taken as written: ${refused.length}`);
refused.forEach((sql) => console.log(`  ${sql.slice(0, 150)}`));
