/** The calls that live, of every account: for whoever runs the installation. */
import type { Database } from '../database/database.ts';

/** @param most so many of the newest */
export async function liveCalls(db: Database, most: number) {
  const rows = await db
    .selectFrom('call_log')
    .selectAll()
    .where('state', 'in', ['init', 'ringing', 'live'])
    .orderBy('created_on', 'desc')
    .limit(most)
    .execute();
  return rows.map((row) => ({
    uuid: row.id,
    direction: row.direction,
    from: row.caller,
    to: row.called,
    state: row.state,
    since: row.created_on,
  }));
}
