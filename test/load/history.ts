/**
 * `npm run load -- --history N`: a platform of its own with N calls behind it, and what it answers how fast: a past call, a
 * new one, each search of the logs and its deepest page, a restart, a takeover.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@opentact/client';
import { type EmbeddedPostgres, embeddedPostgres } from '@opentact/event-log';
import { openPhone } from '@opentact/phone';
import { openDatabase } from '../../services/api/src/database/database.ts';
import { fromElsewhere } from '../kit/elsewhere.ts';
import { machine } from '../kit/load-average.ts';
import { type Platform, startPlatform } from '../kit/platform.ts';
import { eventually } from '../kit/scene.ts';
import { stored } from '../kit/stored.ts';
import { type Filling, fill, idsOf } from './history-fill.ts';
import { type Figure, HEADING, rowOf, search, searches, singles, timed } from './history-measure.ts';

const DATABASES = ['opentact', 'opentact_api'];
const ASKED_IDS = 500;
const ONE_BY_ONE = '<Response><Say>Hello.</Say><Pause length="50"/><Hangup/></Response>';
const API_LINES = 20;
const TAKEOVER_MS_MAX = 60_000;

export type Wanted = {
  /** In the logs, and of them in the journal. */
  calls: number;
  journaled: number;
  /** How often each question is asked. */
  times: number;
  say(text: string): void;
};

/** @returns each question's times; what could not be answered is counted there */
export async function history({ calls, journaled, times, say }: Wanted): Promise<Figure[]> {
  const home = mkdtempSync(join(tmpdir(), 'opentact-history-'));
  const environment = { OPENTACT_HOME: home, OPENTACT_LOG: 'postgres', OPENTACT_LOG_LEVEL: 'info' };
  let platform: Platform | undefined;
  let postgres: EmbeddedPostgres | undefined;
  const leave = async () => {
    await platform?.stop();
    await postgres?.stop();
    rmSync(home, { recursive: true, force: true });
  };
  process.once('SIGINT', () => void leave().finally(() => process.exit(130)));
  const callee = await openPhone({ user: 'rung' });
  callee.onCall = (call) => call.accept();
  try {
    platform = await startPlatform(environment);
    const basic = { email: 'history@example.test', password: 'correct horse battery' };
    const to = `sip:rung@127.0.0.1:${callee.port}`;
    const { callId, appId, records, order } = await template(platform, basic, to);
    const emptyMs = await restarted(platform);
    await platform.stop();
    const server = await embeddedPostgres({ home, databases: DATABASES });
    postgres = server;
    const [journal, api] = DATABASES.map((name) => server.url(name)) as [string, string];
    const filling: Filling = { ...{ journal, api, callId, appId, calls, journaled }, progress: say };
    await fill(filling);
    const numbers = Array.from({ length: ASKED_IDS }, (_, n) => Math.floor((n * journaled) / ASKED_IDS));
    const ids = await idsOf(filling, numbers);
    await server.stop();
    postgres = undefined;
    say(`${calls} calls in the logs, ${journaled} of them with ${records} records each in the journal; ${machine()}`);

    const began = performance.now();
    await platform.restart();
    const fullMs = performance.now() - began;
    say(`\nrestart: ${Math.round(emptyMs)} ms before, ${Math.round(fullMs)} ms with the history\n\n${HEADING}`);
    const figures = await asked(platform, { ...{ basic, order, appId, ids, times, calls }, say });
    say(`\ntakeover of a killed engine's partitions: ${Math.round(await takenOver(platform, ids[0]!))} ms`);
    return figures;
  } catch (error) {
    // The folder goes with them.
    say(readFileSync(join(home, 'logs/api.log'), 'utf8').split('\n').slice(-API_LINES).join('\n'));
    throw error;
  } finally {
    await callee.close();
    await leave();
  }
}

type Basic = { email: string; password: string };
type Order = { to: string; xml: string; tn_lease: string };

async function signedIn(platform: Platform, basic: Basic, isNew: boolean) {
  const nobody = createClient({ url: await fromElsewhere(platform.httpPort) });
  if (isNew) await nobody.createUser({ body: basic });
  const { token = '' } = await nobody.as({ basic }).auth();
  return { client: nobody.as({ token }), token };
}

/** One real call, over and in every log. */
async function template(platform: Platform, basic: Basic, to: string) {
  await platform.whole();
  const { client } = await signedIn(platform, basic, true);
  const { uuid: appId } = await client.createSIPControlApp({ body: { name: 'history' } });
  const { tn } = (await client.search({ body: { pattern: '*' } })).data[0]!;
  await client.createOrder({ body: { items: [{ tn }] } });
  const { uuid: tn_lease } = await client.getTNLeaseByUUID({ lease: String(tn) });
  const order = { to, xml: ONE_BY_ONE, tn_lease };
  const { uuid: callId } = await client.createCall({ body: order });
  const records = (await platform.ended(callId)).length;
  const postgres = await embeddedPostgres({ home: platform.home, databases: [] });
  const db = openDatabase(postgres.url('opentact_api'));
  await stored(db, callId, records).finally(() => db.destroy());
  return { callId, appId, records, order };
}

async function restarted(platform: Platform): Promise<number> {
  await platform.stop();
  const began = performance.now();
  await platform.restart();
  return performance.now() - began;
}

async function asked(
  platform: Platform,
  of: {
    basic: Basic;
    order: Order;
    appId: string;
    ids: string[];
    times: number;
    calls: number;
    say(text: string): void;
  },
): Promise<Figure[]> {
  const { client, token } = await signedIn(platform, of.basic, false);
  const url = `http://127.0.0.1:${platform.httpPort}/rest`;
  const headers = { 'x-auth-token': token, 'content-type': 'application/json' };
  const post = async (path: string, body: unknown) => {
    const answer = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    const { payload } = (await answer.json()) as { payload: unknown };
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return payload;
  };
  const all: Figure[] = [];
  const tell = (figures: Figure[]) => {
    for (const figure of figures) of.say(rowOf(figure));
    all.push(...figures);
  };
  const context = { platform, post, ids: of.ids, times: of.times };
  tell(await singles(context));
  const key = { used: 0 };
  // One after the other: how long each takes, not how many a second.
  const placed: string[] = [];
  tell([
    await timed('POST /call', Math.ceil(of.times / 10), async () => {
      const { uuid } = await client.createCall({ body: of.order, 'idempotency-key': `history ${key.used++}` });
      placed.push(uuid);
    }),
    await timed('POST /call, a key that was used', of.times, () =>
      client.createCall({ body: of.order, 'idempotency-key': 'history 0' }),
    ),
  ]);
  const { from, created_on } = (await client.searchCalls({ take: 1, skip: 50 })).data[0]!;
  for (const each of searches(of.appId, of.ids[0]!, from, created_on)) tell(await search(context, each, of.calls));
  for (const id of placed) await platform.ended(id);
  return all;
}

/** From the kill of a call's owner until another engine is ready for its partition. */
async function takenOver(platform: Platform, callId: string): Promise<number> {
  await platform.whole();
  const began = Date.now();
  platform.kill(platform.ownerOf(callId));
  await eventually(() => platform.tookOverSince(callId, began).length > 0, 'nobody took over', TAKEOVER_MS_MAX);
  return Date.now() - began;
}
