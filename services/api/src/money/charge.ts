/**
 * One event of the journal, as what it costs: minutes of answered legs through a trunk, minutes that came in to a leased
 * number, text that was spoken. Each is charged once, when it is over; an event that comes again charges nothing.
 */
import { type CallEvent, legUuid } from '@opentact/proto';
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../database/database.ts';
import { digitsOf } from '../directory/numbers.ts';
import { isUuid } from '../directory/uuid.ts';
import { type Movement, move } from './move.ts';
import { priceOf, priceOfSpeech, rateOf } from './price.ts';

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
  for (const event of events) charges.push(...(await costsOf(tx, event)));
  // In the same order in every process: two that hold the rows of accounts must not wait for each other.
  charges.sort((a, b) => (a.accountId < b.accountId ? -1 : 1));
  for (const each of charges) await move(tx, { ...each, overdraws: true });
}

async function costsOf(tx: Kysely<Tables>, event: CallEvent): Promise<Movement[]> {
  switch (event.type) {
    case 'CallArrived':
      if (event.seq === 1) await count(tx, event, event.app?.appId ?? '', await leasedThen(tx, event));
      return [];
    case 'CallOrdered':
      // It came in to no number; what goes out is its leg.
      await count(tx, event, event.app?.appId ?? '', '');
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
        .set({ answered_on: new Date(event.at) })
        .where('leg', '=', legUuid(event.callId, event.leg))
        .where('answered_on', 'is', null)
        .execute();
      return [];
    case 'LegEnded':
    case 'DialFailed':
      return ended(tx, event, legUuid(event.callId, event.leg));
    case 'CallEnded':
      return [...(await ended(tx, event)), ...(await over(tx, event))];
    default:
      return [];
  }
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

async function count(tx: Kysely<Tables>, event: CallEvent & { accountId: string }, app_id: string, called: string) {
  if (!isUuid(event.accountId)) return;
  await tx
    .insertInto('billed_call')
    .columns(['call_id', 'account_id', 'app_id', 'called'])
    .expression((from) =>
      from
        .selectFrom('account')
        .where('id', '=', event.accountId)
        .select([
          sql<string>`${event.callId}::uuid`.as('call'),
          'id',
          sql<string>`${app_id}::text`.as('app'),
          sql<string>`${called}::text`.as('called'),
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
    const description = `${row.called}, ${seconds(ms)}`;
    charges.push({ accountId: row.account_id, amount: -amount, reason: 'voice_outgoing', ref: row.leg, description });
  }
  return charges;
}

/** What the call itself cost. */
async function over(tx: Kysely<Tables>, event: Extract<CallEvent, { type: 'CallEnded' }>): Promise<Movement[]> {
  const call = await tx.deleteFrom('billed_call').where('call_id', '=', event.callId).returningAll().executeTakeFirst();
  if (!call) return [];
  const about = { accountId: call.account_id, ref: event.callId };
  const charges: Movement[] = [];
  const rate = call.called !== '' && event.durationMs > 0 ? await rateOf(tx, 'in', call.called) : undefined;
  const amount = rate ? priceOf(rate, event.durationMs) : 0;
  const description = `${call.called}, ${seconds(event.durationMs)}`;
  if (amount > 0) charges.push({ ...about, amount: -amount, reason: 'voice_incoming', description });
  const speech = call.spoken > 0 ? await rateOf(tx, 'tts', '') : undefined;
  const spoken = speech ? priceOfSpeech(speech, call.spoken) : 0;
  if (spoken > 0) charges.push({ ...about, amount: -spoken, reason: 'tts', description: `${call.spoken} characters` });
  return charges;
}

const seconds = (ms: number) => `${Math.ceil(ms / 1000)} s`;
