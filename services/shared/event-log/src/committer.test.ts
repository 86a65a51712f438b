/** What appends to PostgreSQL share, and what they don't: a statement, but neither a fence nor a refusal. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { type EmbeddedPostgres, embeddedPostgres } from './embedded-postgres.ts';
import { type EventLog, LogError, type NewRecord, type Writer } from './port.ts';
import { postgresLog } from './postgres.ts';
import { queriesOf } from './testing/index.ts';

let home: string;
let server: EmbeddedPostgres;
const url = () => server.url('opentact');
const record = (key: string, body = key): NewRecord => ({ key, headers: {}, bytes: Buffer.from(body) });
const append = (writer: Writer, ...keys: string[]) => writer.append({ records: keys.map((key) => record(key)) });

async function keysOf(log: EventLog, topic: string, partition: number): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of log.replay(topic, partition, 0)) keys.push(key);
  return keys;
}

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'opentact-committer-'));
  server = await embeddedPostgres({ home, databases: ['opentact'] });
});
after(async () => {
  await server?.stop();
  await rm(home, { recursive: true, force: true });
});

async function withLogs<T>(count: number, run: (...logs: EventLog[]) => Promise<T>): Promise<T> {
  const logs = await Promise.all(Array.from({ length: count }, () => postgresLog({ url: url() })));
  return run(...logs).finally(() => Promise.all(logs.map((log) => log.close())));
}

test('appends of several partitions that wait are one statement, with a position for each', () =>
  withLogs(1, async (log) => {
    const writers = await Promise.all(Array.from({ length: 8 }, (_, n) => log.take('shared', n)));
    const { result, asked } = await queriesOf(() =>
      Promise.all(writers.map((writer, n) => append(writer, ...Array.from({ length: n + 1 }, (_, i) => `${n}.${i}`)))),
    );
    assert.deepEqual(result, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert.equal(asked.filter(({ name }) => name?.startsWith('append')).length, 1);
    assert.deepEqual(await keysOf(log, 'shared', 2), ['2.0', '2.1', '2.2']);
    const twice = await Promise.all(writers.map((writer) => append(writer, 'again')));
    assert.deepEqual(twice, [2, 3, 4, 5, 6, 7, 8, 9]);
  }));

test('of appends that share a statement the fenced one writes nothing, the others all', () =>
  withLogs(2, async (log, other) => {
    const writers = await Promise.all([0, 1, 2].map((n) => log.take('fenced', n)));
    await other.take('fenced', 1);
    const ends = await Promise.allSettled(writers.map((writer) => append(writer, 'mine')));
    assert.deepEqual(
      ends.map((end) => (end.status === 'fulfilled' ? end.value : (end.reason as LogError).code)),
      [1, 'fenced', 1],
    );
    assert.deepEqual(await Promise.all([0, 1, 2].map((n) => keysOf(log, 'fenced', n))), [['mine'], [], ['mine']]);
  }));

test('snapshots and tombstones of a shared statement lie in their own partitions', () =>
  withLogs(1, async (log) => {
    const writers = await Promise.all([0, 1].map((n) => log.take('snapshots', n)));
    const snapshot = (text: string | null) => [{ key: 'call', bytes: text === null ? null : Buffer.from(text) }];
    await Promise.all(writers.map((w, n) => w.append({ records: [record('call')], snapshots: snapshot(`of ${n}`) })));
    await Promise.all(writers.map((w, n) => w.append({ records: [], snapshots: snapshot(n === 0 ? null : 'newer') })));
    const kept = async (n: number) => {
      const found: string[] = [];
      for await (const { bytes } of log.snapshots('snapshots', n)) found.push(Buffer.from(bytes!).toString());
      return found;
    };
    assert.deepEqual([await kept(0), await kept(1)], [[], ['newer']]);
  }));

test('a record that the server refuses costs its own key, not its batch’s others nor another partition', () =>
  withLogs(1, async (log) => {
    const client = new pg.Client({ connectionString: url() });
    await client.connect();
    await client.query(`alter table log_record add constraint unlucky check (key <> 'unlucky') not valid`);
    const [one, two] = await Promise.all([0, 1].map((n) => log.take('refused', n)));
    const [refused, other] = await Promise.allSettled([append(one!, 'before', 'unlucky'), append(two!, 'there')]);
    assert.equal(other.status, 'fulfilled');
    assert.ok(refused.status === 'rejected' && refused.reason instanceof LogError);
    assert.deepEqual([refused.reason.code, refused.reason.keys], ['refused', ['unlucky']]);
    assert.deepEqual(await keysOf(log, 'refused', 0), [], 'an append is all or nothing');
    assert.equal(await append(one!, 'before', 'after'), 2, 'the writer goes on, without a hole in the positions');
    await client.query('alter table log_record drop constraint unlucky');
    await client.end();
  }));

test('two processes that take partitions from each other while they append neither wait for each other nor lose', async (t) => {
  await withLogs(2, async (...logs) => {
    const acknowledged: string[] = [];
    const errors = new Map<string, number>();
    const isOver = AbortSignal.timeout(6_000);
    const write = async (log: EventLog, partition: number, name: string) => {
      for (let n = 0; !isOver.aborted; ) {
        const writer = await log.take('contended', partition);
        for (let i = 0; i < 5; i++) {
          const key = `${name}.${partition}.${n++}`;
          try {
            await append(writer, key);
            acknowledged.push(key);
          } catch (error) {
            const { code } = error as LogError;
            errors.set(code, (errors.get(code) ?? 0) + 1);
            break;
          }
        }
      }
    };
    await Promise.all(logs.flatMap((log, n) => [0, 1, 2, 3].map((partition) => write(log, partition, `p${n}`))));
    t.diagnostic(`${acknowledged.length} appends, ${JSON.stringify(Object.fromEntries(errors))}`);
    assert.ok(acknowledged.length > 50 && (errors.get('fenced') ?? 0) > 5);
    assert.deepEqual([...errors.keys()], ['fenced']);
    const found = (await Promise.all([0, 1, 2, 3].map((n) => keysOf(logs[0]!, 'contended', n)))).flat();
    assert.deepEqual(found.toSorted(), acknowledged.toSorted());
  });
});

test('a follower of the same process reads nothing of what its process appends, and sees what others append between', () =>
  withLogs(2, async (log, other) => {
    const seen: string[] = [];
    const stop = new AbortController();
    const mine = await log.take('fed', 0);
    await append(mine, 'first');
    const following = (async () => {
      for await (const { key } of log.follow('fed', 0, 0, stop.signal)) seen.push(key);
    })();
    const until = async (count: number) => {
      for (const end = Date.now() + 20_000; seen.length < count && Date.now() < end; )
        await new Promise((done) => setTimeout(done, 5));
    };
    await until(1);
    const { asked } = await queriesOf(async () => {
      for (let n = 0; n < 20; n++) {
        await append(mine, `own ${n}`);
        await until(n + 2);
      }
    });
    assert.equal(asked.filter(({ name }) => name === 'page').length, 0);
    const theirs = await other.take('fed', 0);
    await append(theirs, 'theirs');
    const again = await log.take('fed', 0);
    await append(again, 'mine again');
    await until(23);
    stop.abort();
    await following;
    assert.deepEqual(seen, ['first', ...Array.from({ length: 20 }, (_, n) => `own ${n}`), 'theirs', 'mine again']);
  }));
