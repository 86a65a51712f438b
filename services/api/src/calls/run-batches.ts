/**
 * Places the calls of batches at their pace. An item's call has the item's name: asked for again after this process, or
 * the engine, was killed, it is the same call. Any number of api processes may run it; each takes what no other holds.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { callIdOfOrder } from '@opentact/proto';
import type { Logger } from '@opentact/runtime';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Database, Tables } from '../database/database.ts';
import type { Engine } from './engine.ts';
import { isRefused, Limited, type Placement, placeCall } from './place-call.ts';

const LOOK_EVERY_MS = 100;
/** Calls being placed at once: what an engine that is slow to answer may hold up. */
const UNDER_WAY_MAX = 50;
/** A call for which no engine answered is placed again after so long. */
const AGAIN_MS = 5_000;
/** A batch that has no channel, or nothing to do but to wait for its calls, is looked at again after so long. */
const LATER_MS = 1_000;
/** A pace that was held up is caught up with by so many calls at once at most. */
const BURST_MS = 500;
/** Share of the account's calls at once, and of its dials a minute, that bulk calls may take: others come first. */
const SHARE = 0.9;

type Batch = NonNullable<Awaited<ReturnType<typeof due>>>;
type Item = { id: string; phone: string; tries: number; orderedOn: Date; isRepeated: boolean };

/** Each try of an item is a call of its own. */
const keyOf = ({ id, tries }: Pick<Item, 'id' | 'tries'>) => (tries === 0 ? id : `${id}/${tries}`);

/** Runs until `signal` aborts, then ends what is under way. Never rejects. */
export async function runBatches(db: Database, engine: Engine, signal: AbortSignal, logger: Logger): Promise<void> {
  const underWay = new Set<Promise<void>>();
  const begin = (batch: Batch, item: Item) => {
    const placing = place(db, engine, batch, item)
      .catch((err) => logger.warn({ batch: batch.id, item: item.id, err }, 'a bulk call is placed again later'))
      .finally(() => underWay.delete(placing));
    underWay.add(placing);
  };
  while (!signal.aborted) {
    const next = await db
      .transaction()
      .execute(take)
      .catch((err) => void logger.warn({ err }, 'bulk calls stand still and are tried again'));
    if (next?.item) begin(next.batch, next.item);
    if (underWay.size >= UNDER_WAY_MAX) await Promise.race(underWay);
    else if (!next) await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
  }
  await Promise.all(underWay);
}

/** The batch that is due first, of those that have anything left to do; no other process looks at it meanwhile. */
const due = (tx: Kysely<Tables>) =>
  tx
    .selectFrom('batch')
    .selectAll()
    .where('next_on', '<=', sql<Date>`now()`)
    .orderBy('next_on')
    .limit(1)
    .forUpdate()
    .skipLocked()
    .executeTakeFirst();

const NEVER = sql<Date>`'infinity'::timestamptz`;

const hasItem = async (tx: Kysely<Tables>, batchId: string, state: 'ordering') =>
  (await tx
    .selectFrom('batch_item')
    .select('id')
    .where('batch_id', '=', batchId)
    .where('state', '=', state)
    .limit(1)
    .executeTakeFirst()) !== undefined;

/** The next number of a batch, marked as being ordered; without one the batch waits, or is done. Undefined: none is due. */
async function take(tx: Kysely<Tables>): Promise<{ batch: Batch; item: Item | undefined } | undefined> {
  const batch = await due(tx);
  if (!batch) return undefined;
  const put = async (state: Batch['state'], next_on: RawBuilder<Date>) => {
    await tx.updateTable('batch').set({ state, next_on, modified_on: new Date() }).where('id', '=', batch.id).execute();
    return { batch, item: undefined };
  };
  const later = sql<Date>`now() + ${LATER_MS} * interval '1 ms'`;
  const repeated = await claim(tx, batch, 'ordering');
  if (repeated) return { batch, item: repeated };
  // What was being ordered when it was cancelled is settled all the same.
  if (batch.state === 'cancelled') return put('cancelled', (await hasItem(tx, batch.id, 'ordering')) ? later : NEVER);
  if (!(await hasRoom(tx, batch.account_id))) return put('running', later);
  const item = await claim(tx, batch, 'waiting');
  if (!item) {
    await tryAgain(tx, batch.id);
    return (await isOver(tx, batch.id)) ? put('done', NEVER) : put('running', later);
  }
  const interval = 1000 / Number(batch.pace);
  const next_on = sql<Date>`greatest(next_on, now() - ${BURST_MS} * interval '1 ms') + ${interval} * interval '1 ms'`;
  await tx.updateTable('batch').set({ state: 'running', next_on }).where('id', '=', batch.id).execute();
  return { batch, item };
}

/** The first number that waits, or whose order nobody answered for. */
async function claim(tx: Kysely<Tables>, batch: Batch, state: 'waiting' | 'ordering'): Promise<Item | undefined> {
  const row = await tx
    .selectFrom('batch_item')
    .select(['id', 'phone', 'tries', 'ordered_on'])
    .where('batch_id', '=', batch.id)
    .where('state', '=', state)
    .$if(state === 'ordering', (q) => q.where('tried_on', '<', sql<Date>`now() - ${AGAIN_MS} * interval '1 ms'`))
    .orderBy('position')
    .limit(1)
    .executeTakeFirst();
  if (!row) return undefined;
  const orderedOn = row.ordered_on ?? new Date();
  const call_id = callIdOfOrder(batch.account_id, keyOf(row));
  await tx
    .updateTable('batch_item')
    .set({ state: 'ordering', call_id, ordered_on: orderedOn, tried_on: sql`now()`, modified_on: new Date() })
    .where('id', '=', row.id)
    .execute();
  return { id: row.id, phone: row.phone, tries: row.tries, orderedOn, isRepeated: state === 'ordering' };
}

/** Neither the account's calls at once nor its new calls a minute are used up by so much, whatever batches it has. */
async function hasRoom(tx: Kysely<Tables>, accountId: string): Promise<boolean> {
  const { live, calls_max, lately, dials_per_minute_max } = await tx
    .selectFrom('account')
    .where('id', '=', accountId)
    .select(['calls_max', 'dials_per_minute_max'])
    .select((q) =>
      q
        .selectFrom('call_log')
        .where('account_id', '=', accountId)
        .where('state', 'in', ['init', 'ringing', 'live'])
        .select((w) => w.fn.countAll<string>().as('live'))
        .as('live'),
    )
    .select((q) =>
      q
        .selectFrom('batch_item')
        .innerJoin('batch', 'batch.id', 'batch_item.batch_id')
        .where('batch.account_id', '=', accountId)
        // An edge's minute may begin anywhere in this one.
        .where('batch_item.ordered_on', '>', sql<Date>`now() - interval '61 seconds'`)
        .select((w) => w.fn.countAll<string>().as('lately'))
        .as('lately'),
    )
    .executeTakeFirstOrThrow();
  return Number(live) < calls_max * SHARE && Number(lately) < dials_per_minute_max * SHARE;
}

/** Its end is told, with its reason; leg 0 alone may have ended a moment before. */
const isEnded = sql<boolean>`(call_log.state in ('hangup', 'destroyed') and call_log.owner <> '')`;

/** Every number was ordered or refused, and every call has ended. */
async function isOver(tx: Kysely<Tables>, batchId: string): Promise<boolean> {
  const open = await tx
    .selectFrom('batch_item')
    .leftJoin('call_log', 'call_log.id', 'batch_item.call_id')
    .select('batch_item.id')
    .where('batch_id', '=', batchId)
    .where((w) =>
      w.or([
        w('batch_item.state', 'in', ['waiting', 'ordering']),
        w.and([w('batch_item.state', '=', 'ordered'), w.or([w('call_log.state', 'is', null), w.not(isEnded)])]),
      ]),
    )
    .limit(1)
    .executeTakeFirst();
  return open === undefined;
}

const TRIES_MAX = 5;

/** Numbers whose call was not let out, because the account's limits were used up otherwise, wait once more. */
async function tryAgain(tx: Kysely<Tables>, batchId: string): Promise<void> {
  await tx
    .updateTable('batch_item')
    .from('call_log')
    .whereRef('call_log.id', '=', 'batch_item.call_id')
    .where('batch_item.batch_id', '=', batchId)
    .where('batch_item.state', '=', 'ordered')
    .where('batch_item.tries', '<', TRIES_MAX)
    .where(isEnded)
    .where('call_log.reason', 'in', ['dial-limit', 'call-limit', 'channel-limit'])
    .set({ state: 'waiting', call_id: null, ordered_on: null, tries: sql`tries + 1`, modified_on: new Date() })
    .execute();
}

/** One call. What can't be known stays `ordering` and is tried again; what is refused for good says why. */
async function place(db: Database, engine: Engine, batch: Batch, item: Item): Promise<void> {
  const settle = (state: 'ordered' | 'refused' | 'waiting', reason = '') =>
    db
      .updateTable('batch_item')
      .set({ state, reason, modified_on: new Date(), ...(state === 'waiting' && { call_id: null, ordered_on: null }) })
      .where('id', '=', item.id)
      .where('state', '=', 'ordering')
      .execute();
  try {
    await placeCall(db, engine, placementOf(batch, item));
    await settle('ordered');
  } catch (error) {
    if (!isRefused(error)) throw error;
    const isFull = error instanceof Limited && error.reason === 'channel-limit';
    await settle(isFull ? 'waiting' : 'refused', isFull ? '' : error.message.slice(0, 255));
    if (!isFull) return;
    await cancelWithBatch(db, batch.id);
    await db
      .updateTable('batch')
      .set({ next_on: sql<Date>`greatest(next_on, now() + ${LATER_MS} * interval '1 ms')` })
      .where('id', '=', batch.id)
      .execute();
  }
}

const placementOf = (batch: Batch, item: Item): Placement => ({
  accountId: batch.account_id,
  named: {
    profileId: batch.profile_id ?? undefined,
    leaseId: batch.lease_id ?? undefined,
    appId: batch.app_id ?? undefined,
  },
  key: keyOf(item),
  wasTried: item.isRepeated,
  remember: async () => ({ orderedOn: item.orderedOn, wasTried: item.isRepeated }),
  to: item.phone,
  xml: batch.xml,
  callFlowUrl: batch.call_flow_url,
  callFlowMethod: batch.call_flow_method,
  ringTimeoutMs: 0,
  batchItem: item.id,
});

/** A number that came back to wait after its batch was cancelled is cancelled as well. */
async function cancelWithBatch(db: Database, batchId: string): Promise<void> {
  await db
    .updateTable('batch_item')
    .from('batch')
    .whereRef('batch.id', '=', 'batch_item.batch_id')
    .where('batch.id', '=', batchId)
    .where('batch.state', '=', 'cancelled')
    .where('batch_item.state', '=', 'waiting')
    .set({ state: 'cancelled', modified_on: new Date() })
    .execute();
}
