/** The store of stories in api's database, for tests that wait for it. */
import type { Database } from '../../services/api/src/database/database.ts';

const WAIT_MS = 30_000;
const LOOK_MS = 100;

/** Until the store has the whole of a call that is over, in one row. @param records how many the journal has */
export async function stored(db: Database, callId: string, records: number): Promise<void> {
  for (const until = Date.now() + WAIT_MS; ; await new Promise((again) => setTimeout(again, LOOK_MS))) {
    const rows = await db
      .selectFrom('call_story')
      .select(['to_seq', 'is_over'])
      .where('call_id', '=', callId)
      .execute();
    if (rows.length === 1 && rows[0]!.is_over && rows[0]!.to_seq === records) return;
    if (Date.now() > until) throw new Error(`not stored: ${JSON.stringify(rows)} of ${records} records`);
  }
}
