/**
 * One event of the journal, as what it costs: minutes of answered legs through a trunk, minutes that came in from a carrier
 * to a leased number, text that was spoken in either or in a call that the account ordered. A call that came in takes no balance below nothing, whoever called. Each is charged once, when it is over; an event that comes again charges nothing. A call with a
 * record that can't be read is counted and not charged: quarantine.ts.
 */
import { type CallEvent, legUuid } from '@opentact/proto';
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../database/database.ts';
import { endpointsAt } from '../directory/endpoints.ts';
import { digitsOf } from '../kernel/digits.ts';
import { isUuid } from '../kernel/uuid.ts';
import { AHEAD_S } from './extend.ts';
import { type Movement, move } from './move.ts';
import { priceOf, priceOfSpeech, rateOf } from './price.ts';
import { quarantinedOf } from './quarantine.ts';

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

/** Charges what a batch of events, in the order of their partition, brought to its end. */
export async function charge(tx: Kysely<Tables>, events: CallEvent[]): Promise<void> {
  const charges: Movement[] = [];
  const quarantined = await quarantinedOf(tx, events);
  for (const event of events)
    if (quarantined.has(event.callId)) await countOnly(tx, event);
    else charges.push(...(await costsOf(tx, event)));
  await take(tx, charges);
}

/** Moves the money of what was used already. */
export async function take(tx: Kysely<Tables>, charges: Movement[]): Promise<void> {
  // In the same order in every process: two that hold the rows of accounts must not wait for each other.
  // What is taken only as far as there is a balance comes last, or it would take what legs have used.
  charges.sort((a, b) => compare(a.accountId, b.accountId) || Number(a.caps ?? false) - Number(b.caps ?? false));
  for (const each of charges) await move(tx, each.caps ? each : { ...each, overdraws: true });
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** As far as it is known: what it costs is written and moved when it is settled. */
async function countOnly(tx: Kysely<Tables>, event: CallEvent): Promise<void> {
  if (event.type !== 'CallEnded') return void (await costsOf(tx, event));
  await ended(tx, event);
  await tx
    .updateTable('billed_call')
    .set({ duration_ms: String(event.durationMs) })
    .where('call_id', '=', event.callId)
    .execute();
}

async function costsOf(tx: Kysely<Tables>, event: CallEvent): Promise<Movement[]> {
  switch (event.type) {
    case 'CallArrived':
      if (event.seq === 1) await count(tx, event, event.app?.appId ?? '', await whoCalled(tx, event));
      return [];
    case 'CallOrdered':
      // It came in to no number; what goes out is its leg.
      await count(tx, event, event.app?.appId ?? '', { called: '', is_peer: false });
      return [];
    case 'PlayRequested': {
      const spoken = event.items.reduce((sum, item) => sum + (item.kind === 'say' ? item.value.text.length : 0), 0);
      if (spoken > 0)
        await tx
          .updateTable('billed_call')
          .set({ spoken: sql`spoken + ${spoken}` })
          .where('call_id', '=', event.callId)
          .execute();
      return [];
    }
    case 'LegAnswered':
      await tx
        .updateTable('outbound_leg')
        .set({
          answered_on: new Date(event.at),
          next_on: sql<Date>`${new Date(event.at)}::timestamptz + (hold_s - ${AHEAD_S}) * interval '1 s'`,
        })
        .where('leg', '=', legUuid(event.callId, event.leg))
        .where('answered_on', 'is', null)
        .execute();
      return [];
    case 'LegEnded':
    case 'DialFailed':
      return ended(tx, event, legUuid(event.callId, event.leg));
    case 'CallEnded':
      return [...(await ended(tx, event)), ...(await costsOfCall(tx, event.callId, event.durationMs))];
    default:
      return [];
  }
}

type WhoCalled = { called: string; is_peer: boolean };

/**
 * A carrier, or the account's own equipment: it pays the minutes of its number, and speech; a machine of a domain of its own:
 * speech alone. What a stranger sends costs nobody anything.
 */
async function whoCalled(tx: Kysely<Tables>, event: Extract<CallEvent, { type: 'CallArrived' }>): Promise<WhoCalled> {
  const source = event.sourceAddress.replace(/:\d+$/, '');
  const from = await endpointsAt(tx, source);
  const isEndpoint = from.some(
    ({ kind, account }) => account === event.accountId || (kind === 'trunk' && account === null),
  );
  if (isEndpoint) return { called: await leasedThen(tx, event), is_peer: true };
  return { called: '', is_peer: await isSwitch(tx, event.accountId, source) };
}

async function isSwitch(tx: Kysely<Tables>, accountId: string, source: string): Promise<boolean> {
  if (!isUuid(accountId)) return false;
  const found = await tx
    .selectFrom('sip_switch')
    .innerJoin('sip_domain', 'sip_domain.id', 'sip_switch.domain_id')
    .select('sip_switch.id')
    .where('sip_domain.account_id', '=', accountId)
    .where('sip_switch.remote_ip', '=', source)
    .where('sip_switch.is_active', '=', true)
    .executeTakeFirst();
  return found !== undefined;
}

/** The number that came in to, where the account had it at that moment; else empty: those minutes cost it nothing. */
async function leasedThen(tx: Kysely<Tables>, event: Extract<CallEvent, { type: 'CallArrived' }>): Promise<string> {
  const number = digitsOf(event.toNumber);
  if (!number || !isUuid(event.accountId)) return '';
  const at = new Date(event.at);
  const lease = await tx
    .selectFrom('lease')
    .select('id')
    .where('tn', '=', number)
    .where('account_id', '=', event.accountId)
    .where('created_on', '<=', at)
    .where((w) => w.or([w('released_on', 'is', null), w('released_on', '>', at)]))
    .executeTakeFirst();
  return lease ? number : '';
}

async function count(
  tx: Kysely<Tables>,
  event: CallEvent & { accountId: string },
  app_id: string,
  { called, is_peer }: WhoCalled,
) {
  if (!isUuid(event.accountId)) return;
  await tx
    .insertInto('billed_call')
    .columns(['call_id', 'account_id', 'app_id', 'called', 'is_peer', 'came_in'])
    .expression((from) =>
      from
        .selectFrom('account')
        .where('id', '=', event.accountId)
        .select([
          sql<string>`${event.callId}::uuid`.as('call'),
          'id',
          sql<string>`${app_id}::text`.as('app'),
          sql<string>`${called}::text`.as('called'),
          sql<boolean>`${is_peer}::boolean`.as('is_peer'),
          sql<boolean>`${event.type === 'CallArrived'}::boolean`.as('came_in'),
        ]),
    )
    .onConflict((c) => c.doNothing())
    .execute();
}

/** The leg, or every leg of the call, is over: what it cost takes the place of what was kept back. */
async function ended(tx: Kysely<Tables>, { callId, at }: CallEvent, leg?: string): Promise<Movement[]> {
  const open = await tx
    .selectFrom('outbound_leg')
    .selectAll()
    .where('call_id', '=', callId)
    .where('ended_on', 'is', null)
    .$if(leg !== undefined, (q) => q.where('leg', '=', leg!))
    .orderBy('leg')
    .forUpdate()
    .execute();
  const charges: Movement[] = [];
  for (const row of open) {
    const ms = row.answered_on ? Math.max(0, at - row.answered_on.getTime()) : 0;
    const amount = priceOf({ price: Number(row.rate), incrementS: row.increment_s }, ms);
    await tx
      .updateTable('outbound_leg')
      .set({ ended_on: new Date(at), charged: String(amount) })
      .where('leg', '=', row.leg)
      .execute();
    charges.push(costOfLeg(row, amount, ms));
  }
  return charges;
}

export const costOfLeg = (
  of: { account_id: string; leg: string; called: string },
  amount: number,
  ms: number,
): Movement => ({
  ...{ accountId: of.account_id, amount: -amount, reason: 'voice_outgoing', ref: of.leg },
  description: `${of.called}, ${seconds(ms)}`,
});

/** What the call itself cost, and that it is counted no longer. */
export async function costsOfCall(tx: Kysely<Tables>, callId: string, durationMs: number): Promise<Movement[]> {
  const call = await tx.deleteFrom('billed_call').where('call_id', '=', callId).returningAll().executeTakeFirst();
  if (!call) return [];
  const about = { accountId: call.account_id, ref: callId, caps: call.came_in };
  const charges: Movement[] = [];
  const rate = call.called !== '' && durationMs > 0 ? await rateOf(tx, 'in', call.called) : undefined;
  const amount = rate ? priceOf(rate, durationMs) : 0;
  const description = `${call.called}, ${seconds(durationMs)}`;
  if (amount > 0) charges.push({ ...about, amount: -amount, reason: 'voice_incoming', description });
  const paysSpeech = call.is_peer || !call.came_in;
  const speech = paysSpeech && call.spoken > 0 ? await rateOf(tx, 'tts', '') : undefined;
  const spoken = speech ? priceOfSpeech(speech, call.spoken) : 0;
  if (spoken > 0) charges.push({ ...about, amount: -spoken, reason: 'tts', description: `${call.spoken} characters` });
  return charges;
}

const seconds = (ms: number) => `${Math.ceil(ms / 1000)} s`;
