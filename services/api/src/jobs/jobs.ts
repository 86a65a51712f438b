/**
 * What api does by itself from time to time, and when an Admin of the installation asks: each job under its name
 * (reference A.1, EScheduleQueueActions). Of several processes one runs a job at a time; run twice it does no more than once.
 */
import { type Kysely, sql } from 'kysely';
import type { Database, Tables } from '../database/database.ts';
import { releaseLeases, renewLeases } from '../numbers/lease-months.ts';

/**
 * @param tx holds the job for this process; what belongs together in small takes transactions of its own from `db`
 * @returns how many things it changed
 */
export type Job = (tx: Kysely<Tables>, db: Database) => Promise<number>;

/** What is over: API keys, resets of passwords, carts, reservations of calls that never came to be. */
async function expiredTokens(tx: Kysely<Tables>): Promise<number> {
  const now = sql<Date>`now()`;
  const gone = [
    await tx.deleteFrom('api_key').where('expires_on', '<', now).executeTakeFirst(),
    await tx.deleteFrom('password_reset').where('expires_on', '<', now).executeTakeFirst(),
    await tx.deleteFrom('cart_entry').where('expires_on', '<', now).executeTakeFirst(),
    await tx
      .deleteFrom('outbound_leg')
      .where('ended_on', 'is', null)
      .where('answered_on', 'is', null)
      .where('reserved_on', '<', sql<Date>`now() - interval '1 day'`)
      .executeTakeFirst(),
  ];
  return gone.reduce((sum, { numDeletedRows }) => sum + Number(numDeletedRows), 0);
}

export const JOBS: Readonly<Record<string, Job>> = {
  expired_tokens: expiredTokens,
  tn_leases_autorenew: (_, db) => renewLeases(db),
  tn_autorelease: (_, db) => releaseLeases(db),
};

/** @returns how many things it changed; undefined where another process runs it now, or there is no such job. */
export const runJob = (db: Database, name: string): Promise<number | undefined> =>
  db.transaction().execute(async (tx) => {
    const job = Object.hasOwn(JOBS, name) ? JOBS[name] : undefined;
    if (!job) return undefined;
    const { rows } = await sql<{ mine: boolean }>`
      select pg_try_advisory_xact_lock(hashtextextended(${`job ${name}`}, 0)) as mine`.execute(tx);
    return rows[0]?.mine ? job(tx, db) : undefined;
  });
