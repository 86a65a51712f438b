/** Errors of the database's connections are known as its own: of one that wasn't to be had, and of one that broke. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { sql } from 'kysely';
import pg from 'pg';
import { databaseAway } from './away.ts';
import { type Database, openDatabase } from './database.ts';
import { testDatabase } from './testing/test-database.ts';

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => assert.fail('it was done'),
    (error: unknown) => error,
  );

/** What is between a database and whoever asks it, so that it can be cut with a reset. */
async function between(url: string) {
  const { host, port, user, password, database } = new pg.Client({ connectionString: url });
  const place = host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port };
  const callers = new Set<Socket>();
  const server = createServer((caller) => {
    callers.add(caller);
    const called = connect(place);
    for (const socket of [caller, called]) socket.on('error', () => {});
    caller.pipe(called).pipe(caller);
    caller.on('close', () => called.destroy());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const here = new URL(`postgresql://127.0.0.1:${(server.address() as AddressInfo).port}/${database}`);
  here.username = user ?? '';
  here.password = password ?? '';
  const cut = () => {
    for (const caller of callers) caller.resetAndDestroy();
  };
  return {
    url: here.href,
    cut,
    async close() {
      cut();
      await new Promise((done) => server.close(done));
    },
  };
}

/** A change whose connection is cut before its COMMIT is answered. */
const cutShort = (db: Database, cut: () => void) =>
  db.transaction().execute(async (trx) => {
    await sql`select 1`.execute(trx);
    cut();
  });

test('a connection that broke left unanswered what was asked; where none was to be had, nothing was asked', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'opentact-away-'));
  t.after(() => rm(home, { recursive: true, force: true }));
  const database = await testDatabase(home);
  t.after(() => database.close());
  const way = await between(database.url);
  const db = openDatabase(way.url);
  t.after(() => way.close());
  t.after(() => db.destroy());
  assert.equal(databaseAway(await failureOf(cutShort(db, way.cut))), 'unanswered');
  const refused = await failureOf(sql`select 1 from nowhere`.execute(db));
  assert.equal(databaseAway(refused), undefined, 'a fault of the statement');
  await way.close();
  const later = openDatabase(way.url);
  t.after(() => later.destroy());
  const error = await failureOf(sql`select 1`.execute(later));
  assert.deepEqual([(error as { code?: string }).code, databaseAway(error)], ['ECONNREFUSED', 'unreached']);
});
