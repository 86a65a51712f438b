/** What a platform with a history does before it is asked anything: one real call, restarts, takeovers. */
import { createClient } from '@opentact/client';
import { embeddedPostgres } from '@opentact/event-log';
import { partitionOf } from '@opentact/runtime';
import { openDatabase } from '../../services/api/src/database/database.ts';
import { fromElsewhere } from '../kit/elsewhere.ts';
import type { Platform } from '../kit/platform.ts';
import { eventually } from '../kit/scene.ts';
import { stored } from '../kit/stored.ts';
import { idOf } from './history-fill.ts';

const BASIC = { email: 'history@example.test', password: 'correct horse battery' };
const ONE_BY_ONE = '<Response><Say>Hello.</Say><Pause length="50"/><Hangup/></Response>';
const TAKEOVER_MS_MAX = 60_000;

/** The call that is copied: how many records it has, and what it was ordered by. */
export type Template = { callId: string; appId: string; records: number; xml: string; lease: string };

export async function signedIn(platform: Platform, isNew = false) {
  const nobody = createClient({ url: await fromElsewhere(platform.httpPort) });
  if (isNew) await nobody.createUser({ body: BASIC });
  const { token = '' } = await nobody.as({ basic: BASIC }).auth();
  return { client: nobody.as({ token }), token };
}

/** One real call, over and in every log. */
export async function template(platform: Platform, to: string): Promise<Template> {
  await platform.whole();
  const { client } = await signedIn(platform, true);
  const { uuid: appId } = await client.createSIPControlApp({ body: { name: 'history' } });
  const { tn } = (await client.search({ body: { pattern: '*' } })).data[0]!;
  await client.createOrder({ body: { items: [{ tn }] } });
  const { uuid: lease } = await client.getTNLeaseByUUID({ lease: String(tn) });
  const { uuid: callId } = await client.createCall({ body: { to, xml: ONE_BY_ONE, tn_lease: lease } });
  const records = (await platform.ended(callId)).length;
  const postgres = await embeddedPostgres({ home: platform.home, databases: [] });
  const db = openDatabase(postgres.url('opentact_api'));
  await stored(db, callId, records).finally(() => db.destroy());
  return { callId, appId, records, xml: ONE_BY_ONE, lease };
}

/** How long the whole took to be ready again after a stop, and others to be ready for all that a killed engine had. */
export type Moves = { restartMs: number[]; takeoverMs: number[] };

/** @param times of each */
export async function moves(platform: Platform, partitions: number, times: number): Promise<Moves> {
  const of: Moves = { restartMs: [], takeoverMs: [] };
  for (let n = 0; n < times; n++) {
    await platform.whole();
    await platform.stop();
    const began = performance.now();
    await platform.restart();
    of.restartMs.push(performance.now() - began);
  }
  for (let n = 0; n < times; n++) of.takeoverMs.push(await takenOver(platform, keysOf(partitions)));
  return of;
}

/** A key of each partition. */
function keysOf(partitions: number): string[] {
  const keys: string[] = [];
  for (let n = 0; keys.filter(Boolean).length < partitions; n++) keys[partitionOf(idOf(n), partitions)] ??= idOf(n);
  return keys;
}

/** From the kill of an engine until others are ready for each of its partitions. */
async function takenOver(platform: Platform, keys: string[]): Promise<number> {
  await platform.whole();
  const killed = platform.ownerOf(keys[0]!);
  const lost = keys.filter((key) => platform.ownerOf(key) === killed);
  const began = Date.now();
  platform.kill(killed);
  const isOver = (key: string) => platform.tookOverSince(key, began).some((name) => name !== killed);
  await eventually(() => lost.every(isOver), 'nobody took over', TAKEOVER_MS_MAX);
  return Date.now() - began;
}
