/** Ends a quarantine: charges what of the call can be reckoned, gives back what was kept for the rest, takes its records off the list. */
import type { Kysely } from 'kysely';
import type { Database, Tables } from '../database/database.ts';
import { isUuid } from '../kernel/uuid.ts';
import { costOfLeg, costsOfCall, lockPayers, take } from './charge.ts';
import type { Movement } from './move.ts';
import { ratesOf } from './price.ts';

/**
 * @returns what was charged, one movement each; the same call again charges nothing
 * @throws Error where the call isn't quarantined
 */
export const settle = (db: Database, callId: string): Promise<Movement[]> =>
  db.transaction().execute(async (tx) => {
    if (!isUuid(callId)) throw new Error(`${callId} is no call: npm run ops -- quarantine list`);
    const { numUpdatedRows } = await tx
      .updateTable('quarantined_record')
      .set({ settled_on: new Date() })
      .where('call_id', '=', callId)
      .where('settled_on', 'is', null)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) throw new Error(`${callId} isn’t quarantined: npm run ops -- quarantine list`);
    await lockPayers(tx, [callId], []);
    const call = await tx.deleteFrom('billed_call').where('call_id', '=', callId).returningAll().executeTakeFirst();
    const charges = [
      ...(await legsOf(tx, callId)),
      ...(call ? await costsOfCall(ratesOf(tx), call, Number(call.duration_ms ?? 0)) : []),
    ].filter(({ amount }) => amount !== 0);
    await take(tx, charges);
    return charges;
  });

async function legsOf(tx: Kysely<Tables>, callId: string): Promise<Movement[]> {
  // Its end was never read: how long it was isn't known.
  await tx
    .updateTable('outbound_leg')
    .set({ ended_on: new Date() })
    .where('call_id', '=', callId)
    .where('ended_on', 'is', null)
    .execute();
  const legs = await tx.selectFrom('outbound_leg').selectAll().where('call_id', '=', callId).orderBy('leg').execute();
  return legs.map((row) =>
    costOfLeg(row, Number(row.charged), row.answered_on ? row.ended_on!.getTime() - row.answered_on.getTime() : 0),
  );
}
