import { sql } from 'kysely';
import type { Database } from '../database/database.ts';

/** Forgets everything that was made of the journal but charges; whoever follows it then reads it from its beginning. */
export async function forgetCallLog(db: Database): Promise<void> {
  await db.transaction().execute(async (tx) => {
    // In the order in which whoever follows locks them.
    await sql`select from call_log_cursor order by log, partition for update`.execute(tx);
    await tx.updateTable('call_log_cursor').set({ position: '0' }).execute();
    for (const table of ['recording_log', 'flow_log', 'call_log'] as const) await tx.deleteFrom(table).execute();
  });
}
