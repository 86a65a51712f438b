/** Logs that grow while they are read, and recordings: each row once, each byte as asked for, nothing after its deletion. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openRestScene, type Person, type RestScene } from '../../testing/scene.ts';
import { dropOldRecordings } from '../retain.ts';

let scene: RestScene;
let ann: Person;
before(async () => {
  scene = await openRestScene();
  ann = await scene.signedUp();
});
after(() => scene.close());

type Of = { state?: string; direction?: 'in' | 'out'; caller?: string; called?: string; at?: number; person?: Person };
async function call({
  state = 'hangup',
  direction = 'in',
  caller = '1',
  called = '2',
  at = Date.now(),
  person = ann,
}: Of) {
  const row = {
    id: `${randomUUID().slice(0, -4)}0000`,
    account_id: person.accountId,
    app_id: randomUUID(),
    caller,
    called,
    state,
    direction,
  };
  await scene.db
    .insertInto('call_log')
    .values({ ...row, created_on: new Date(at) })
    .execute();
  if (state === 'hangup') await end(row.id);
  return row.id;
}
const end = (id: string) =>
  scene.db
    .updateTable('call_log')
    .set(({ fn }) => ({ state: 'hangup', ended_by: fn<string>('pg_current_xact_id') }))
    .where('id', '=', id)
    .execute();
const api = (person = ann) => scene.client({ token: person.jwt });
type Search = NonNullable<NonNullable<Parameters<ReturnType<typeof api>['searchCalls']>[0]>['body']>;

test('a search that is paged while calls come in and end has each that was there once, and no other', async () => {
  const began = Date.now() - 100_000;
  const there = await Promise.all(
    Array.from({ length: 25 }, (_, i) => call({ at: began + i * 10, state: i % 5 === 0 ? 'live' : 'hangup' })),
  );
  for (const state of [undefined, 'offline', 'online'] as const) {
    const body: Search = state ? { state } : {};
    const first = await api().searchCalls({ take: 4, body });
    const seen = first.data.map(({ uuid }) => uuid);
    const wanted = there.filter((_, i) => !state || (i % 5 === 0) === (state === 'online'));
    const added: string[] = [];
    let i = 0;
    while (seen.length < first.total) {
      // Some begin later, some were told late: their time lies among those that were there. And some end.
      added.push(await call({ at: began + 1000 * i }), await call({ at: began + 35, state: 'live' }));
      const [live] = state ? there.filter((_, n) => n % 5 === 0).slice(i, i + 1) : [];
      if (live) await end(live);
      const page = await api().searchCalls({ take: 4, skip: seen.length, until: first.until, body });
      assert.equal(page.total, first.total);
      assert.ok(page.data.length > 0);
      seen.push(...page.data.map(({ uuid }) => uuid));
      i++;
    }
    assert.deepEqual(seen.toSorted(), wanted.toSorted(), state);
    await scene.db.deleteFrom('call_log').where('id', 'in', added).execute();
    await scene.db
      .updateTable('call_log')
      .set({ state: 'live', ended_by: null })
      .where(
        'id',
        'in',
        there.filter((_, n) => n % 5 === 0),
      )
      .execute();
  }
  await scene.db.deleteFrom('call_log').execute();
});

test('pages that are found by the page before are those found by number, in any order', async () => {
  const at = Date.now() - 100_000;
  // Several share a moment, a caller, a callee: only their ids tell them apart.
  for (let i = 0; i < 40; i++)
    await call({ at: at + Math.floor(i / 4) * 1000, caller: `1212000000${i % 3}`, called: `1305000000${i % 5}` });
  const orders: Array<Search['order']> = [
    undefined,
    { created_on: 'ASC' },
    { from: 'ASC' },
    { to: 'DESC' },
    { tn: 'DESC', created_on: 'ASC' },
    { from: 'DESC', to: 'ASC', created_on: 'DESC' },
    { state: 'ASC' },
    { state: 'DESC', from: 'ASC' },
    { modified_on: 'DESC' },
  ];
  for (const order of orders) {
    const body: Search = order ? { order } : {};
    const whole = (await api().searchCalls({ take: 100, body })).data.map(({ uuid }) => uuid);
    assert.equal(whole.length, 40);
    const seen: string[] = [];
    let until: string | undefined;
    for (let added = 0; seen.length < whole.length; added++) {
      const page = await api().searchCalls({ take: 7, skip: seen.length, body, ...(until && { until }) });
      assert.deepEqual(
        page.data.map(({ uuid }) => uuid),
        whole.slice(seen.length, seen.length + 7),
        JSON.stringify(order),
      );
      seen.push(...page.data.map(({ uuid }) => uuid));
      ({ until } = page);
      // Whoever comes in meanwhile is on none of them.
      await call({ at: at + added * 1000, caller: '12120000001' });
    }
    // A page is left out, and one is seen again.
    const early = await api().searchCalls({ take: 7, body });
    const third = await api().searchCalls({ take: 7, skip: 14, until: early.until, body });
    const again = await api().searchCalls({ take: 7, skip: 7, until: third.until, body });
    const now = (await api().searchCalls({ take: 100, body, until: early.until })).data.map(({ uuid }) => uuid);
    assert.deepEqual(
      third.data.map(({ uuid }) => uuid),
      now.slice(14, 21),
    );
    assert.deepEqual(
      again.data.map(({ uuid }) => uuid),
      now.slice(7, 14),
    );
    // Another search begins by number, however its until came to be.
    const other = await api().searchCalls({
      take: 7,
      skip: 21,
      until: third.until,
      body: { ...body, direction: 'in' },
    });
    assert.equal(other.data.length > 0, now.length > 21);
    await scene.db.deleteFrom('call_log').where('id', 'not in', whole).execute();
  }
  await scene.db.deleteFrom('call_log').execute();
});

test('an until whose place is made up is refused', async () => {
  await call({});
  const id = randomUUID();
  const byMoment = ['', '{}', '7', '[]', '[0]', '[0,"x","y"]', '["0","2026-01-01T00:00:00.000Z","x"]', '[0,1,2]'];
  const moments = [
    '-271821-04-20T00:00:00.000Z',
    '-271821-04-20T00:00:00Z',
    '+275760-09-13T00:00:00.000Z',
    '2026-01-01',
  ];
  byMoment.push(...moments.map((moment) => JSON.stringify([0, moment, id])));
  byMoment.push(JSON.stringify([-1, '2026-01-01T00:00:00.000Z', id]));
  const byNumber = [JSON.stringify([0, '1\0', id]), JSON.stringify([-1, '1', id])];
  for (const [body, places] of [
    [{}, byMoment],
    [{ order: { from: 'ASC' } }, byNumber],
  ] as Array<[Search, string[]]>) {
    const { until } = await api().searchCalls({ body });
    const [snapshot, name] = Buffer.from(until, 'base64url').toString().split(' ');
    for (const place of places) {
      const made = Buffer.from(`${snapshot} ${name} ${place}`).toString('base64url');
      await assert.rejects(api().searchCalls({ until: made, body }), /400 .*query.until must be/, place);
    }
  }
  await scene.db.deleteFrom('call_log').execute();
});

test('a made-up until is refused; one of an account shows another nothing', async () => {
  await call({});
  const { until } = await api().searchCalls();
  const bob = await scene.signedUp();
  assert.deepEqual((await api(bob).searchCalls({ until })).data, []);
  const wrong = ['9:1:', '1:9:9', '1:9:5,3', 'x', '1:9', '0:0:', "1:2:'"].map((s) =>
    Buffer.from(s).toString('base64url'),
  );
  for (const made of wrong) await assert.rejects(api().searchCalls({ until: made }), /400 .*query.until must be/, made);
  await scene.db.deleteFrom('call_log').execute();
});

test('calls are found by direction, masks, own number, time and app; all of it, or any', async () => {
  const now = Date.now();
  const a = await call({ caller: '12125550101', called: '13055550100', at: now - 3000 });
  const b = await call({
    caller: '13055550100',
    called: '12125550101',
    direction: 'out',
    at: now - 2000,
    state: 'live',
  });
  const c = await call({ caller: 'anne_b', called: 'a\\b', at: now - 1000 });
  const found = async (body: Search) => {
    const { data } = await api().searchCalls({ body });
    return data.map(({ uuid }) => (uuid === a ? 'a' : uuid === b ? 'b' : uuid === c ? 'c' : '?')).join('');
  };
  assert.equal(await found({}), 'cba');
  assert.equal(await found({ direction: 'out' }), 'b');
  assert.equal(await found({ from: '1212*' }), 'a');
  assert.equal(await found({ from: '%2125550101' }), 'a');
  assert.equal(await found({ from: '%212555010' }), '');
  assert.equal(await found({ from: 'anne_b' }), 'c');
  assert.equal(await found({ from: 'annexb' }), '');
  assert.equal(await found({ to: 'a\\b' }), 'c');
  assert.equal(await found({ to: 'a\\' }), '');
  assert.equal(await found({ tn: 13055550100 }), 'ba', 'the account’s own number, on whichever side it was');
  assert.equal(await found({ state: 'online' }), 'b');
  assert.equal(await found({ state: 'offline' }), 'ca');
  assert.equal(await found({ mode: 'OR', from: '1212*', direction: 'out' }), 'ba');
  assert.equal(await found({ mode: 'AND', from: '1212*', direction: 'out' }), '');
  assert.equal(await found({ mode: 'OR' }), 'cba');
  const created_on_from = new Date(now - 2500).toISOString();
  const created_on_to = new Date(now - 1500).toISOString();
  assert.equal(await found({ created_on_from, created_on_to }), 'b');
  assert.equal(await found({ mode: 'OR', created_on_from, direction: 'in', from: '1305*' }), 'cb');
  assert.equal(await found({ modified_on_from: created_on_from }), 'cb');
  assert.equal(await found({ order: { created_on: 'ASC' } }), 'abc');
  assert.equal(await found({ order: { from: 'DESC' } }), 'cba');
  assert.equal(await found({ order: { state: 'DESC', created_on: 'ASC' } }), 'bac');
  assert.equal((await api().searchCalls({ body: { take: 1, skip: 1 } })).data[0]?.uuid, b);
});

const WAV = Buffer.from(Array.from({ length: 1000 }, (_, i) => i & 255));
async function recorded(of: { done?: boolean } = {}): Promise<string> {
  const id = randomUUID();
  const row = { id, call_id: randomUUID(), account_id: ann.accountId, tag: 't', transcript: null };
  const duration_ms = of.done === false ? null : '1000';
  await scene.db
    .insertInto('recording_log')
    .values({ ...row, created_on: new Date(), duration_ms })
    .execute();
  if (of.done !== false) await writeFile(join(scene.home, 'recordings', `${id}.wav`), WAV);
  return id;
}
const download = (id: string, headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET', as = ann.jwt) =>
  scene.http.inject({ method, url: `/rest/recording/${id}/file`, headers: { 'x-auth-token': as, ...headers } });

test('a recording is downloaded whole, by any range, or not again where it is known', async () => {
  const id = await recorded();
  const { url, duration } = await api().getRecording({ uuid: id });
  assert.deepEqual([url, duration], [`/rest/recording/${id}/file`, 1]);
  const whole = await download(id);
  assert.deepEqual(
    [whole.statusCode, whole.headers['content-type'], whole.headers['content-length']],
    [200, 'audio/wav', '1000'],
  );
  assert.ok(whole.rawPayload.equals(WAV));
  const etag = String(whole.headers.etag);
  const ranges: Array<[string, number, number]> = [
    ['bytes=0-0', 0, 0],
    ['bytes=10-19', 10, 19],
    ['bytes=990-', 990, 999],
    ['bytes=-5', 995, 999],
    ['bytes=-5000', 0, 999],
    ['bytes=500-99999', 500, 999],
  ];
  for (const [range, from, to] of ranges) {
    const part = await download(id, { range });
    assert.deepEqual([part.statusCode, part.headers['content-range']], [206, `bytes ${from}-${to}/1000`], range);
    assert.ok(part.rawPayload.equals(WAV.subarray(from, to + 1)), range);
  }
  for (const range of ['bytes=1000-', 'bytes=5000-6000', 'bytes=-0']) {
    const none = await download(id, { range });
    assert.deepEqual([none.statusCode, none.headers['content-range'], none.body], [416, 'bytes */1000', ''], range);
  }
  for (const range of ['bytes=5-2', 'bytes=0-1,5-6', 'lines=1-2', 'bytes=-', 'bytes=a-b'])
    assert.equal((await download(id, { range })).statusCode, 200, range);
  assert.equal((await download(id, { range: 'bytes=0-0', 'if-range': etag })).statusCode, 206);
  assert.equal((await download(id, { range: 'bytes=0-0', 'if-range': '"other"' })).statusCode, 200);
  assert.equal((await download(id, { 'if-none-match': `"x", ${etag}` })).statusCode, 304);
  const head = await download(id, {}, 'HEAD');
  assert.deepEqual(
    [head.statusCode, head.headers['content-length'], head.headers.etag, head.body],
    [200, '1000', etag, ''],
  );
});

test('a recording that was deleted is gone with its file, for good; one that is being made is neither read nor deleted', async () => {
  const id = await recorded();
  const bob = await scene.signedUp();
  assert.equal((await download(id, {}, 'GET', bob.jwt)).statusCode, 404);
  await assert.rejects(api(bob).removeRecording({ uuid: id }), /404 no such recording/);
  const both = await Promise.allSettled([api().removeRecording({ uuid: id }), api().removeRecording({ uuid: id })]);
  assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  assert.ok(!existsSync(join(scene.home, 'recordings', `${id}.wav`)));
  assert.equal((await download(id)).statusCode, 404);
  const { data } = await api().listRecordings({ take: 100 });
  assert.ok(!data.some(({ uuid }) => uuid === id));
  const live = await recorded({ done: false });
  assert.equal((await download(live)).statusCode, 409);
  await assert.rejects(api().removeRecording({ uuid: live }), /409 it is still being recorded/);
});

test('recordings older than they are kept go, with what is said of them; younger ones stay', async () => {
  const [old, young] = [await recorded(), await recorded()];
  const day = 86_400_000;
  const then = new Date(Date.now() - 31 * day);
  await scene.db.updateTable('recording_log').set({ created_on: then }).where('id', '=', old).execute();
  await utimes(join(scene.home, 'recordings', `${old}.wav`), then, then);
  assert.equal(await dropOldRecordings(scene.db, join(scene.home, 'recordings'), 30), 1);
  assert.equal((await download(old)).statusCode, 404);
  assert.equal((await download(young)).statusCode, 200);
  assert.equal(await dropOldRecordings(scene.db, join(scene.home, 'nowhere'), 30), 0);
});
