/**
 * The story store: what the journal has of each call, kept beside it by call, so that no story is looked for in a
 * partition (ADR 31). Each partition is read on every few seconds; a call that lives has a piece for each such time in which
 * something happened, one that is over has one piece. What was read and how far lie in one transaction; several processes may do it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog, LogRecord } from '@opentact/event-log';
import type { DirectoryV1 } from '@opentact/proto';
import type { Logger } from '@opentact/runtime';
import { type Kysely, sql } from 'kysely';
import type { Database, Tables } from '../database/database.ts';
import { isUuid } from '../kernel/uuid.ts';
import { allRows } from './cursors.ts';
import { inOrder, PIECE_BYTES, piecesOf, recordsOf, type StoryRecord, seqOf } from './story-pieces.ts';

const JOURNAL = 'calls.journal';
const EVERY_MS = 5_000;
/** Where more waits than one batch of each partition. */
const AGAIN_MS = 50;
const BATCH_RECORDS = 2_000;
const BATCH_BYTES = 4 * 1024 * 1024;
/** Of pieces that a batch puts together anew. */
const MERGED_BYTES = 32 * 1024 * 1024;
/** Pieces looked at for one answer. */
const PAGE_PIECES = 16;
const NOBODY_KNOWS_MS = 2 ** 32 - 1;
const DROPPED_AT_ONCE = 1_000;

/** Another process read this partition on meanwhile. */
class Overtaken extends Error {
  override name = 'Overtaken';
}

/** Reads on until `signal` aborts. Never rejects. */
export async function keepStories(db: Database, log: EventLog, signal: AbortSignal, logger: Logger): Promise<void> {
  while (!signal.aborted) {
    const isBehind = await readOn(db, log, (partition, err) => {
      if (!signal.aborted) logger.warn({ partition, err }, 'the story store stands still and is tried again');
    });
    await sleep(isBehind ? AGAIN_MS : EVERY_MS, undefined, { signal }).catch(() => {});
  }
}

/**
 * One batch of every partition. Never rejects. @param marks false: `complete_at` stays, which says when the log was last kept
 * up with, and so how long what is on it can have lived. @returns whether any has more, or may have: another process read it on
 */
export async function readOn(
  db: Database,
  log: EventLog,
  failed: (partition: number | undefined, error: unknown) => void,
  marks = true,
): Promise<boolean> {
  const partitions = Array.from({ length: log.partitions }, (_, partition) => partition);
  const began = await cursorsOf(db, log).catch((error) => void failed(undefined, error));
  if (!began) return false;
  const completeAt = marks ? began.at : undefined;
  let isBehind = false;
  const still: number[] = [];
  for (const partition of partitions)
    try {
      const found = await readPartition(db, log, partition, began.positions.get(partition) ?? 0, completeAt);
      isBehind ||= found === 'more';
      if (found === 'nothing') still.push(partition);
    } catch (error) {
      if (error instanceof Overtaken) isBehind = true;
      else failed(partition, error);
    }
  if (completeAt) await markComplete(db, log.id, still, completeAt).catch((error) => failed(undefined, error));
  return isBehind;
}

/** `at`: the database's moment before anything of the journal is read; no clock of ours, no wait for a connection is in it. */
async function cursorsOf(db: Database, log: EventLog): Promise<{ positions: Map<number, number>; at: Date }> {
  const read = () =>
    db
      .selectFrom('story_cursor')
      .select(['partition', 'position', sql<Date>`now()`.as('at')])
      .where('log', '=', log.id)
      .execute();
  const rows = await allRows(db, log, 'story_cursor', read);
  const positions = new Map(rows.map(({ partition, position }) => [partition, Number(position)]));
  return { positions, at: rows[0]!.at };
}

async function readPartition(
  db: Database,
  log: EventLog,
  partition: number,
  from: number,
  completeAt: Date | undefined,
): Promise<'nothing' | 'all' | 'more'> {
  const records: LogRecord[] = [];
  let bytes = 0;
  let isFull = false;
  for await (const record of log.replay(JOURNAL, partition, from)) {
    records.push(record);
    bytes += record.bytes.length;
    isFull = records.length >= BATCH_RECORDS || bytes >= BATCH_BYTES;
    if (isFull) break;
  }
  const last = records.at(-1);
  if (!last) return 'nothing';
  await db.transaction().execute(async (tx) => {
    const moved = await tx
      .updateTable('story_cursor')
      .set({ position: String(last.position) })
      .$if(!isFull && completeAt !== undefined, (q) => q.set({ complete_at: completeAt! }))
      .where('log', '=', log.id)
      .where('partition', '=', partition)
      .where('position', '=', String(from))
      .executeTakeFirst();
    if (moved.numUpdatedRows === 0n) throw new Overtaken(`partition ${partition}`);
    await keepRecords(tx, records);
  });
  return isFull ? 'more' : 'all';
}

async function markComplete(db: Database, log: string, partitions: number[], at: Date): Promise<void> {
  if (partitions.length === 0) return;
  await db
    .updateTable('story_cursor')
    .set({ complete_at: at })
    .where('log', '=', log)
    .where('partition', 'in', partitions)
    .where('complete_at', '<', at)
    .execute();
}

/** Puts records to what there is of their calls; a call that is over, now or before, is put together anew. */
async function keepRecords(tx: Kysely<Tables>, records: LogRecord[]): Promise<void> {
  const mine = records.filter((record) => isUuid(record.key) && seqOf(record) !== undefined);
  const calls = Map.groupBy(mine, ({ key }) => key.toLowerCase());
  if (calls.size === 0) return;
  const ending = new Set(
    mine.filter(({ headers }) => headers.type === 'CallEnded').map(({ key }) => key.toLowerCase()),
  );
  const known = await takeOver(tx, [...calls.keys()], ending);
  const rows: Array<Awaited<ReturnType<typeof rowsOf>>[number]> = [];
  for (const [id, added] of calls)
    rows.push(...(await rowsOf(id, ending.has(id) || known.has(id), known.get(id) ?? [], added)));
  const excluded = (column: string) => sql`excluded.${sql.ref(column)}` as never;
  await tx
    .insertInto('call_story')
    .values(rows)
    .onConflict((c) =>
      c
        .columns(['call_id', 'from_seq'])
        .doUpdateSet({ to_seq: excluded('to_seq'), raw_bytes: excluded('raw_bytes'), records: excluded('records') })
        .where('call_story.to_seq', '<', excluded('to_seq')),
    )
    .execute();
}

/**
 * Takes the pieces of those calls that are over away, to be put together with what is new. A call that has more than one
 * piece's worth keeps them as they are, and so do the last of a batch that has many such, and one with a piece that can't be
 * read: a damaged piece holds up nothing but its own call.
 */
async function takeOver(tx: Kysely<Tables>, ids: string[], ending: Set<string>): Promise<Map<string, StoryRecord[]>> {
  const sizes = await tx
    .selectFrom('call_story')
    .select(['call_id', sql<number>`sum(raw_bytes)::float`.as('bytes'), sql<boolean>`bool_or(is_over)`.as('is_over')])
    .where('call_id', 'in', ids)
    .groupBy('call_id')
    .execute();
  let room = MERGED_BYTES;
  const taken: string[] = [];
  for (const { call_id, bytes, is_over } of sizes) {
    if (!(is_over || ending.has(call_id)) || bytes > PIECE_BYTES || bytes > room) continue;
    room -= bytes;
    taken.push(call_id);
  }
  const known = new Map<string, StoryRecord[]>();
  if (taken.length === 0) return known;
  const pieces = await tx
    .selectFrom('call_story')
    .select(['call_id', 'records'])
    .where('call_id', 'in', taken)
    .execute();
  for (const [id, own] of Map.groupBy(pieces, ({ call_id }) => call_id)) {
    const records = await Promise.all(own.map(recordsOf)).catch(() => undefined);
    if (records) known.set(id, records.flat());
  }
  if (known.size > 0)
    await tx
      .deleteFrom('call_story')
      .where('call_id', 'in', [...known.keys()])
      .execute();
  return known;
}

async function rowsOf(id: string, isOver: boolean, before: StoryRecord[], added: LogRecord[]) {
  const now = added.map(({ headers, bytes }) => ({ headers, bytes: Buffer.from(bytes) }));
  return (await piecesOf(inOrder([...before, ...now]))).map((piece) => ({ call_id: id, is_over: isOver, ...piece }));
}

/** Some of a call's records, and how far its partition was read. */
export async function storyOf(
  db: Database,
  { callId, fromSeq, log, partition }: DirectoryV1.StoryRequest,
): Promise<DirectoryV1.StoryResponse> {
  // First how far: what is read meanwhile is more than that, not less.
  const cursor = await db
    .selectFrom('story_cursor')
    .select(['position', sql<number>`extract(epoch from now() - complete_at) * 1000`.as('behind')])
    .where('log', '=', log)
    .where('partition', '=', partition)
    .executeTakeFirst();
  const behindMs = Math.min(
    NOBODY_KNOWS_MS,
    Math.max(0, Math.ceil(Number(cursor?.behind ?? Number.POSITIVE_INFINITY))),
  );
  const read = { position: Number(cursor?.position ?? 0), behindMs };
  const rows = isUuid(callId)
    ? await db
        .selectFrom('call_story')
        .select(['raw_bytes', 'records'])
        .where('call_id', '=', callId)
        .where('to_seq', '>=', fromSeq)
        .orderBy('from_seq')
        .limit(PAGE_PIECES)
        .execute()
    : [];
  const records: StoryRecord[] = [];
  let taken = 0;
  for (let bytes = 0; taken < rows.length && bytes < PIECE_BYTES; taken++) {
    bytes += rows[taken]!.raw_bytes;
    records.push(...(await recordsOf(rows[taken]!)));
  }
  const more = taken < rows.length || rows.length === PAGE_PIECES;
  return { records: inOrder(records).filter((record) => seqOf(record)! >= fromSeq), more, ...read };
}

/** @returns how many pieces went */
export async function dropOldStories(db: Database, before: Date): Promise<number> {
  for (let dropped = 0; ; ) {
    const { numDeletedRows } = await db
      .deleteFrom('call_story')
      .where('call_id', 'in', (q) =>
        q.selectFrom('call_story').select('call_id').where('written_on', '<', before).limit(DROPPED_AT_ONCE),
      )
      .where('written_on', '<', before)
      .executeTakeFirst();
    dropped += Number(numDeletedRows);
    if (numDeletedRows === 0n) return dropped;
  }
}
