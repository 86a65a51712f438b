/**
 * Events of the journal, as what they cost: minutes of answered legs through a trunk, minutes that came in from a carrier
 * to a leased number, text that was spoken in either or in a call that the account ordered. A call that came in takes no balance below nothing, whoever called. Each is charged once, when it is over; an event that comes again charges nothing. A call with a
 * record that can't be read is counted and not charged: quarantine.ts.
 */
import { type CallEvent, legUuid } from '@opentact/proto';
import { type Kysely, type Selectable, sql } from 'kysely';
import type { Tables } from '../database/database.ts';
import { isUuid } from '../kernel/uuid.ts';
import { AHEAD_S } from './extend.ts';
import { type Movement, moveAll } from './move.ts';
import { priceOf, priceOfSpeech, type Rates, ratesOf } from './price.ts';
import { quarantinedOf } from './quarantine.ts';
import { type Arrival, whoCalled } from './who-called.ts';

/** Events that may cost; everything else is passed over unread. */
export const COSTS = new Set<string>([
  'CallArrived',
  'CallOrdered',
  'PlayRequested',
  'LegAnswered',
  'LegEnded',
  'DialFailed',
  'CallEnded',
]);

/** Charges what a batch of events, in the order of their partition, brought to its end: a few statements, however many. */
export async function charge(tx: Kysely<Tables>, events: CallEvent[]): Promise<void> {
  const mine = events.filter(({ callId }) => isUuid(callId));
  if (mine.length === 0) return;
  const begun = mine.flatMap((event) => ('accountId' in event && isUuid(event.accountId) ? [event.accountId] : []));
  await lockPayers(tx, [...new Set(mine.map(({ callId }) => callId))], [...new Set(begun)]);
  const quarantined = await quarantinedOf(tx, mine);
  const held = mine.filter(({ callId }) => quarantined.has(callId));
  const charges = await costsOf(
    tx,
    mine.filter(({ callId }) => !quarantined.has(callId)),
  );
  if (held.length > 0) await countOnly(tx, held);
  await take(tx, charges);
}

/**
 * Locks the accounts that may have to pay for calls, and others, in the order of their ids, before any of their legs: whoever
 * reserves a leg or pays one ahead does it in that order, too, and two in opposite orders would wait for each other.
 */
export async function lockPayers(tx: Kysely<Tables>, calls: string[], others: string[]): Promise<void> {
  await sql`
    select id from account where id in (
      select unnest(${others}::uuid[])
      union select account_id from outbound_leg where call_id = any(${calls}::uuid[])
      union select account_id from billed_call where call_id = any(${calls}::uuid[])
    ) order by id for no key update`.execute(tx);
}

/** Moves the money of what was used already. */
export async function take(tx: Kysely<Tables>, charges: Movement[]): Promise<void> {
  // What is taken only as far as there is a balance comes last, or it would take what legs have used.
  charges.sort((a, b) => Number(a.caps ?? false) - Number(b.caps ?? false));
  await moveAll(
    tx,
    charges.map((each) => (each.caps ? each : { ...each, overdraws: true })),
  );
}

/** As far as it is known: what it costs is written and moved when it is settled. */
async function countOnly(tx: Kysely<Tables>, events: CallEvent[]): Promise<void> {
  const ends = events.filter((event) => event.type === 'CallEnded');
  await costsOf(
    tx,
    events.filter((event) => event.type !== 'CallEnded'),
  );
  await endLegs(tx, ends);
  for (const { callId, durationMs } of ends)
    await tx
      .updateTable('billed_call')
      .set({ duration_ms: String(durationMs) })
      .where('call_id', '=', callId)
      .execute();
}

/** What began is counted before what went on, and that before what is over: the order of a call, for all calls at once. */
async function costsOf(tx: Kysely<Tables>, events: CallEvent[]): Promise<Movement[]> {
  await countCalls(tx, events);
  const alive = beforeTheirEnd(events);
  await countSpeech(tx, alive);
  await answerLegs(tx, alive);
  return [...(await endLegs(tx, events)), ...(await endCalls(tx, events))];
}

/** Without what is told of a leg, or of a call, that these events ended before. */
function beforeTheirEnd(events: CallEvent[]): CallEvent[] {
  const over = new Set<string>();
  return events.filter((event) => {
    const leg = 'leg' in event ? legUuid(event.callId, event.leg) : '';
    const isAlive = !over.has(event.callId) && !over.has(leg);
    if (event.type === 'CallEnded') over.add(event.callId);
    if (event.type === 'LegEnded' || event.type === 'DialFailed') over.add(leg);
    return isAlive;
  });
}

async function countSpeech(tx: Kysely<Tables>, events: CallEvent[]): Promise<void> {
  const spoken = new Map<string, number>();
  for (const event of events) {
    if (event.type !== 'PlayRequested') continue;
    const sum = event.items.reduce((all, item) => all + (item.kind === 'say' ? item.value.text.length : 0), 0);
    if (sum > 0) spoken.set(event.callId, (spoken.get(event.callId) ?? 0) + sum);
  }
  if (spoken.size === 0) return;
  await sql`
    update billed_call set spoken = billed_call.spoken + added.spoken
    from unnest(${[...spoken.keys()]}::uuid[], ${[...spoken.values()]}::int[]) as added (call_id, spoken)
    where billed_call.call_id = added.call_id`.execute(tx);
}

async function answerLegs(tx: Kysely<Tables>, events: CallEvent[]): Promise<void> {
  const answered = new Map<string, Date>();
  for (const event of events) {
    if (event.type !== 'LegAnswered') continue;
    const leg = legUuid(event.callId, event.leg);
    if (!answered.has(leg)) answered.set(leg, new Date(event.at));
  }
  if (answered.size === 0) return;
  await sql`
    update outbound_leg set answered_on = told.at, next_on = told.at + (hold_s - ${AHEAD_S}::int) * interval '1 s'
    from unnest(${[...answered.keys()]}::uuid[], ${[...answered.values()]}::timestamptz[]) as told (leg, at)
    where outbound_leg.leg = told.leg and answered_on is null`.execute(tx);
}

async function countCalls(tx: Kysely<Tables>, events: CallEvent[]): Promise<void> {
  const begun = events.filter(
    (event) =>
      ((event.type === 'CallArrived' && event.seq === 1) || event.type === 'CallOrdered') && isUuid(event.accountId),
  ) as Array<Arrival | Extract<CallEvent, { type: 'CallOrdered' }>>;
  if (begun.length === 0) return;
  const who = await whoCalled(
    tx,
    begun.filter((event) => event.type === 'CallArrived'),
  );
  // What was ordered came in to no number; what goes out is its leg.
  const counted = begun.map((event) => ({
    ...(who.get(event.callId) ?? { called: '', is_peer: false }),
    event,
    appId: event.app?.appId ?? '',
  }));
  const of = <T>(value: (call: (typeof counted)[number]) => T) => counted.map(value);
  await sql`
    insert into billed_call (call_id, account_id, app_id, called, is_peer, came_in)
    select began.call_id, account.id, began.app_id, began.called, began.is_peer, began.came_in
    from unnest(
      ${of(({ event }) => event.callId)}::uuid[], ${of(({ event }) => event.accountId)}::uuid[],
      ${of(({ appId }) => appId)}::text[], ${of(({ called }) => called)}::text[],
      ${of(({ is_peer }) => is_peer)}::boolean[], ${of(({ event }) => event.type === 'CallArrived')}::boolean[]
    ) as began (call_id, account_id, app_id, called, is_peer, came_in)
    join account on account.id = began.account_id
    on conflict do nothing`.execute(tx);
}

/** A leg, or every leg of a call, is over: what it cost takes the place of what was kept back. */
async function endLegs(tx: Kysely<Tables>, events: CallEvent[]): Promise<Movement[]> {
  const ends = events.filter(({ type }) => type === 'LegEnded' || type === 'DialFailed' || type === 'CallEnded');
  if (ends.length === 0) return [];
  // By the leg, or by the call where all of its legs are meant; the first that is told of one counts.
  const over = new Map<string, number>();
  for (const [nth, event] of ends.entries()) {
    const of = 'leg' in event ? legUuid(event.callId, event.leg) : event.callId.toLowerCase();
    if (!over.has(of)) over.set(of, nth);
  }
  const open = await tx
    .selectFrom('outbound_leg')
    .selectAll()
    .where('call_id', 'in', [...new Set(ends.map(({ callId }) => callId))])
    .where('ended_on', 'is', null)
    .orderBy('leg')
    .forUpdate()
    .execute();
  const ended = open.flatMap((row) => {
    const nth = Math.min(over.get(row.leg) ?? ends.length, over.get(row.call_id) ?? ends.length);
    const at = ends[nth]?.at;
    if (at === undefined) return [];
    const ms = row.answered_on ? Math.max(0, at - row.answered_on.getTime()) : 0;
    return [{ row, at, ms, amount: priceOf({ price: Number(row.rate), incrementS: row.increment_s }, ms) }];
  });
  if (ended.length > 0)
    await sql`
      update outbound_leg set ended_on = told.at, charged = told.charged
      from unnest(
        ${ended.map(({ row }) => row.leg)}::uuid[], ${ended.map(({ at }) => new Date(at))}::timestamptz[],
        ${ended.map(({ amount }) => String(amount))}::numeric[]
      ) as told (leg, at, charged)
      where outbound_leg.leg = told.leg`.execute(tx);
  return ended.map(({ row, amount, ms }) => costOfLeg(row, amount, ms));
}

export const costOfLeg = (
  of: { account_id: string; leg: string; called: string },
  amount: number,
  ms: number,
): Movement => ({
  ...{ accountId: of.account_id, amount: -amount, reason: 'voice_outgoing', ref: of.leg },
  description: `${of.called}, ${seconds(ms)}`,
});

/** What calls cost that these events end, and that they are counted no longer. */
async function endCalls(tx: Kysely<Tables>, events: CallEvent[]): Promise<Movement[]> {
  const over = new Map<string, number>();
  for (const event of events) if (event.type === 'CallEnded') over.set(event.callId.toLowerCase(), event.durationMs);
  if (over.size === 0) return [];
  const calls = await tx
    .deleteFrom('billed_call')
    .where('call_id', 'in', [...over.keys()])
    .returningAll()
    .execute();
  const charges: Movement[] = [];
  const rates = ratesOf(tx);
  for (const call of calls) charges.push(...(await costsOfCall(rates, call, over.get(call.call_id)!)));
  return charges;
}

/** What a call itself cost, of which this is what was counted. */
export async function costsOfCall(
  rates: Rates,
  call: Selectable<Tables['billed_call']>,
  durationMs: number,
): Promise<Movement[]> {
  const about = { accountId: call.account_id, ref: call.call_id, caps: call.came_in };
  const charges: Movement[] = [];
  const rate = call.called !== '' && durationMs > 0 ? await rates('in', call.called) : undefined;
  const amount = rate ? priceOf(rate, durationMs) : 0;
  const description = `${call.called}, ${seconds(durationMs)}`;
  if (amount > 0) charges.push({ ...about, amount: -amount, reason: 'voice_incoming', description });
  const paysSpeech = call.is_peer || !call.came_in;
  const speech = paysSpeech && call.spoken > 0 ? await rates('tts', '') : undefined;
  const spoken = speech ? priceOfSpeech(speech, call.spoken) : 0;
  if (spoken > 0) charges.push({ ...about, amount: -spoken, reason: 'tts', description: `${call.spoken} characters` });
  return charges;
}

const seconds = (ms: number) => `${Math.ceil(ms / 1000)} s`;
