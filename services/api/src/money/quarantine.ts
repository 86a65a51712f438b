/**
 * Calls of which a record of the journal can't be read. What they cost is counted as far as it is known and moved only when
 * the operator settles the call; nothing is guessed: a leg whose end can't be read costs nothing.
 */
import type { CallEvent } from '@opentact/proto';
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../database/database.ts';
import { isUuid } from '../kernel/uuid.ts';

const LISTED_MAX = 1_000;

/** Which of the calls of these events wait to be settled. */
export async function quarantinedOf(tx: Kysely<Tables>, events: CallEvent[]): Promise<Set<string>> {
  const calls = [...new Set(events.map(({ callId }) => callId))].filter(isUuid);
  if (calls.length === 0) return new Set();
  const found = await tx
    .selectFrom('quarantined_record')
    .select('call_id')
    .distinct()
    .where('call_id', 'in', calls)
    .where('settled_on', 'is', null)
    .execute();
  return new Set(found.map(({ call_id }) => call_id));
}

/** What can't be read, the newest first, at most a thousand. */
export const listQuarantined = (db: Kysely<Tables>) =>
  db
    .selectFrom('quarantined_record as record')
    .leftJoin('call_log', 'call_log.id', 'record.call_id')
    .select(['record.call_id', 'record.partition', 'record.position', 'record.seq', 'record.type', 'record.noticed_on'])
    .select(sql<string>`coalesce(call_log.account_id, '')`.as('account_id'))
    .where('record.settled_on', 'is', null)
    .orderBy('record.noticed_on', 'desc')
    .orderBy('record.position')
    .limit(LISTED_MAX)
    .execute();
