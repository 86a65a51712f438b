/**
 * When the journal moves to another log, PostgreSQL to Kafka, say: what the one before had is read to its end, where it can
 * still be had, and what lived there is over. Nobody takes such calls over, so none may stay live in the call log, or be paid for.
 */
import type { EventLog } from '@opentact/event-log';
import type { CallEvent, FactOf } from '@opentact/proto';
import { legOf } from '@opentact/proto/call-view';
import type { Logger } from '@opentact/runtime';
import { type Kysely, sql } from 'kysely';
import type { Database, Tables } from '../database/database.ts';
import { charge } from '../money/charge.ts';
import { adoptCursors, CURSORS, followedBefore, makeRows } from './cursors.ts';
import { READERS } from './readers.ts';
import { viewOfRow } from './row.ts';
import { readOn } from './stories.ts';
import { endNow } from './unreadable.ts';
import { readToEnd } from './write-journal.ts';

const CALLS_AT_ONCE = 200;
const NO_CALL = '00000000-0000-0000-0000-000000000000';
const REASON = 'journal-changed';

/**
 * Ends nothing where this log is the one followed last. @param openBefore the log of before, where it can be had; it is closed here
 */
export async function changeLog(
  db: Database,
  log: EventLog,
  openBefore: () => Promise<EventLog | undefined>,
  logger: Logger,
): Promise<void> {
  await adoptCursors(db, log);
  const { isAnother } = await followedBefore(db, log);
  if (isAnother)
    await readBefore(db, await openBefore()).catch((err) =>
      logger.error({ err }, 'the log of before can’t be read to its end; what it had last is missing in the call log'),
    );
  const ended = await db.transaction().execute(async (tx) => {
    // Of several processes the one that writes which log it is ends the calls.
    const { numInsertedOrUpdatedRows: changed } = await tx
      .insertInto('followed_log')
      .values({ log: log.id })
      .onConflict((c) => c.column('one').doUpdateSet({ log: log.id }).where('followed_log.log', '!=', log.id))
      .executeTakeFirstOrThrow();
    for (const cursor of CURSORS) await makeRows(tx, log, cursor);
    return isAnother && changed ? endLiveCalls(tx, log.id) : 0;
  });
  if (isAnother)
    logger.warn(
      { log: log.id, ended },
      'the journal is on another log now; calls that lived on the one before are over',
    );
}

async function readBefore(db: Database, before: EventLog | undefined): Promise<void> {
  if (!before) return;
  try {
    await adoptCursors(db, before);
    const { isKnown } = await followedBefore(db, before);
    if (!isKnown) return;
    for (const reader of READERS) await readToEnd(db, before, reader);
    const failed = (_: unknown, error: unknown) => {
      throw error;
    };
    while (await readOn(db, before, failed, false));
  } finally {
    await before.close();
  }
}

/**
 * As of the moment when an api that ran on the log of before had last read it to its end: they ended with the platform that
 * had it. Where none did, as of what is known of them last: nobody pays for the time until now.
 */
async function endLiveCalls(tx: Kysely<Tables>, log: string): Promise<number> {
  const { at } = await tx
    .selectFrom('story_cursor')
    .select(sql<Date | null>`max(complete_at) filter (where complete_at > '-infinity')`.as('at'))
    .where('log', '!=', log)
    .executeTakeFirstOrThrow();
  for (let ended = 0, last = NO_CALL; ; ) {
    const rows = await tx
      .selectFrom('call_log')
      .selectAll()
      .where('state', 'in', ['init', 'ringing', 'live', 'hangup'])
      .where('id', '>', last)
      .orderBy('id')
      .limit(CALLS_AT_ONCE)
      .execute();
    if (rows.length === 0) return ended;
    const events: CallEvent[] = [];
    for (const row of rows) {
      const view = viewOfRow(row);
      const { answerOn, hangupOn } = legOf(view, 0) ?? {};
      const endedAt = Math.max(view.modifiedOn, at?.getTime() ?? 0);
      const durationMs = answerOn === undefined ? 0 : Math.max(0, (hangupOn ?? endedAt) - answerOn);
      const fact: FactOf<'CallEnded'> = { type: 'CallEnded', owner: 'us', reason: REASON, q850: 41, durationMs };
      const event = { ...fact, callId: row.id, seq: view.seq + 1, at: endedAt };
      await endNow(tx, row, event);
      events.push(event);
    }
    await charge(tx, events);
    ended += rows.length;
    last = rows.at(-1)!.id;
  }
}
