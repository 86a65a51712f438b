/**
 * What a search of the logs costs follows what it finds: each filter, on logs of 200,000 rows of one account. Judged by
 * the rows that PostgreSQL looks at, not by the time that this machine takes for it.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { rowsRead } from '../../testing/rows-read.ts';
import { openRestScene, type Person, type RestScene } from '../../testing/scene.ts';

const ROWS = 200_000;
/** A statement has 2 s. */
const CHUNK = 1_000;
/** A page, and a total of up to 10,000. */
const READ_MAX = 15_000;
/** A mask that no index can lead looks at the newest 20,000, once for their beginning, once for the page and once for the total. */
const READ_BY_MASK_MAX = 61_000;
/** The flow log's own is not looked at by an index alone. */
const READ_BY_FLOW_MASK_MAX = 101_000;
/** Of no more than 10,000 that fit, each may be looked at once for the page and once for the total. */
const READ_OF_FEW_MAX = 21_000;

let scene: RestScene;
let person: Person;
let app: string;
before(async () => {
  scene = await openRestScene();
  person = await scene.signedUp();
  const made = await scene.ask('POST', '/sip/app', { as: person.jwt, body: { name: 'Log' } });
  app = (made.body.payload as { uuid: string }).uuid;
  for (let from = 1; from < ROWS; from += CHUNK) await insert(from, from + CHUNK - 1);
  for (const table of ['call_log', 'flow_log']) await sql`analyze ${sql.table(table)}`.execute(scene.db);
});
after(() => scene.close());

async function insert(from: number, to: number): Promise<void> {
  await sql`
    insert into call_log (id, account_id, app_id, direction, caller, called, state, created_on, hangup_on, ended_by)
    select gen_random_uuid(), ${person.accountId}, ${app}, case when n % 1000 = 0 then 'out' else 'in' end,
      (12120000000 + n)::text, (13050000000 + n % 100)::text, 'destroyed', timestamptz '2026-01-01' + n * interval '1 s',
      timestamptz '2026-01-01' + n * interval '1 s', pg_current_xact_id()
    from generate_series(${sql.lit(from)}, ${sql.lit(to)}) n`.execute(scene.db);
  await sql`
    insert into flow_log (call_id, seq, caller, own_number, account_id, app_id, document, path, name, success, reason, tag, created_on)
    select gen_random_uuid(), 1, (12120000000 + n)::text, (13050000000 + n % 100)::text, ${person.accountId}, ${app}, 0, '', case when n % 1000 = 0 then 'Gather' else 'Say' end,
      n % 1000 <> 1, '', '', timestamptz '2026-01-01' + n * interval '1 s'
    from generate_series(${sql.lit(from)}, ${sql.lit(to)}) n`.execute(scene.db);
}

type Page = { total: number; total_is_exact: boolean; data: unknown[] };
/** The page, and the rows that were looked at for it. */
async function search(path: string, body: object): Promise<{ page: Page; rows: number }> {
  const { result, rows } = await rowsRead(scene.db, () => scene.ask('POST', path, { as: person.jwt, body }));
  assert.equal(result.status, 200, JSON.stringify(result.body));
  return { page: result.body.payload, rows };
}

const LOG: Array<[filter: object, total: number, isExact: boolean, max?: number]> = [
  [{}, 10_000, false],
  [{ direction: 'out' }, 200, true],
  [{ direction: 'in' }, 10_000, false],
  [{ from: '12120000007' }, 1, true],
  [{ from: '1212000001*' }, 10, true],
  [{ from: '+1212000001*' }, 10, true],
  [{ to: '+13050000007' }, 2_000, true],
  [{ from: '+*199999' }, 1, false, READ_BY_MASK_MAX],
  [{ from: '1999*' }, 0, true],
  [{ from: '*' }, 10_000, false],
  [{ from: '*199999' }, 1, false, READ_BY_MASK_MAX],
  [{ to: '13050000007' }, 2_000, true],
  [{ to: '%305*' }, 10_000, false, READ_BY_MASK_MAX],
  [{ tn: '1212%%%1000' }, 20, true],
  [{ tn: 13050000007 }, 2_000, true],
  [{ state: 'online' }, 0, true],
  [{ state: 'offline' }, 10_000, false],
  [{ sip_control_app: randomUUID() }, 0, true],
  [{ created_on_from: '2026-01-03T07:33:20.000Z' }, 1, true],
  [{ modified_on_from: '2026-01-03T07:33:20.000Z' }, 1, true],
  [{ from: '1999*', to: '1888*', mode: 'OR' }, 0, true],
  // Of old calls alone: whoever goes through the newest first looks at all others before.
  [{ from: '1212001*' }, 10_000, true, READ_OF_FEW_MAX],
  [{ direction: 'in', from: '1212001*' }, 9_990, true, READ_OF_FEW_MAX],
  [{ modified_on_to: '2026-01-01T01:00:00.000Z' }, 3_600, true],
  [{ from: '1212001*', order: { modified_on: 'DESC' } }, 10_000, true, READ_OF_FEW_MAX],
  [{ order: { from: 'ASC' } }, 10_000, false],
  [{ order: { state: 'ASC' } }, 10_000, false],
];
for (const [filter, total, isExact, max = READ_MAX] of LOG)
  test(`call log: ${JSON.stringify(filter)}`, async (t) => {
    const { page, rows } = await search('/call/search', filter);
    t.diagnostic(`${rows} rows looked at`);
    assert.deepEqual([page.total, page.total_is_exact], [total, isExact]);
    assert.ok(rows > 0 && rows < max, `${rows} rows looked at`);
  });

for (const [filter, total, isExact, max = READ_MAX] of [
  [{}, 10_000, false],
  [{ name: 'Gather' }, 200, true],
  [{ name: 'Dial' }, 0, true],
  [{ success: false }, 200, true],
  [{ call: randomUUID() }, 0, true],
  [{ created_on_from: '2026-01-03T07:33:20.000Z' }, 1, true],
  [{ created_on_to: '2026-01-01T00:00:01.000Z' }, 1, true],
  [{ modified_on_from: '2026-01-03T07:33:20.000Z' }, 1, true],
  [{ from: '12120000007' }, 1, true],
  [{ from: '+1212000001*' }, 10, true],
  [{ from: '1999*' }, 0, true],
  [{ from: '*' }, 10_000, false],
  [{ from: '*199999' }, 1, false, READ_BY_FLOW_MASK_MAX],
  [{ tn: 13050000007 }, 2_000, true],
  // It finds 20,000.
  [{ tn: '+1305000000*' }, 10_000, false, 41_000],
  [{ tn: '%305*' }, 10_000, false, READ_BY_FLOW_MASK_MAX],
  [{ tn: 13050000007, name: 'Gather' }, 0, true],
  [{ from: '1999*', success: false, mode: 'OR' }, 200, true],
  [{ order: { name: 'ASC' } }, 10_000, false],
  [{ order: { name: 'DESC' } }, 10_000, false],
  [{ order: { from: 'ASC' } }, 10_000, false],
  [{ order: { tn: 'DESC' } }, 10_000, false],
  [{ order: { created_on: 'ASC' } }, 10_000, false],
  [{ order: { modified_on: 'DESC' } }, 10_000, false],
] as Array<[object, number, boolean, number?]>)
  test(`flow log: ${JSON.stringify(filter)}`, async (t) => {
    const { page, rows } = await search(`/sip/app/${app}/logs`, filter);
    t.diagnostic(`${rows} rows looked at`);
    assert.deepEqual([page.total, page.total_is_exact], [total, isExact]);
    assert.ok(rows > 0 && rows < max, `${rows} rows looked at`);
  });

test('a page far down that is found by the page before costs as much as the first', async () => {
  for (const [path, body] of [
    ['/call/search', {}],
    ['/call/search', { order: { state: 'ASC' } }],
    ['/call/search', { order: { modified_on: 'DESC' } }],
    [`/sip/app/${app}/logs`, {}],
  ] as const) {
    const deep = ROWS - 300;
    const { until } = (await scene.ask('POST', `${path}?take=100&skip=${deep}`, { as: person.jwt, body })).body
      .payload as { until: string };
    const next = await search(`${path}?take=100&skip=${deep + 100}&until=${until}`, body);
    assert.equal(next.page.data.length, 100);
    assert.ok(next.rows < READ_MAX, `${path}: ${next.rows} rows looked at`);
  }
});
