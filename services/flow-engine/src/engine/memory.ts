/**
 * What an owner remembers of its partition: the calls, and how far each is covered by a snapshot. It decides when to
 * snapshot, what the low-water mark is, and when a call is forgotten.
 */
import type { EventLog, LogRecord } from '@opentact/event-log';
import { type CallEvent, isUnreadable } from '@opentact/proto';
import { type Budget, createBudget } from '@opentact/runtime';
import { type Call, isSettled, newCall } from '../domain/call.ts';
import { evolve } from '../domain/evolve.ts';
import { callOf, eventOf, JOURNAL, snapshotOf } from './story.ts';

const SNAPSHOT_EVENTS = 100;
const SNAPSHOT_BYTES = 65_536;
/** A larger state is not snapshotted: the log might refuse it, and with it everything else of its append. */
const SNAPSHOT_BYTES_MAX = 1_000_000;
/** A live call that holds the low-water mark back this long is snapshotted. */
const HOLD_MS = 60_000;
/** An ended call holds the mark back as long as its INVITE may be retransmitted (64·T1). */
export const ENDED_HOLD_MS = 32_000;
const FORGET_MS = 300_000;

/**
 * What one call may write: 4 hours of menus, keys and verbs are some 3,000 events. Past it a call is a loop, or an attack
 * on the log of everybody, and is faulted.
 */
export const CALL_EVENTS_MAX = 20_000;
export const CALL_BYTES_MAX = 16 * 1024 * 1024;
/**
 * How fast: what the longest document and the fastest keys need, and 50 a second. A call that wrote much in a hurry waits
 * for its next document, so that others' calls come in between; one that goes on all the same is faulted.
 */
const EVENTS_AT_ONCE = 1_500;
const EVENTS_A_SECOND = 50;
const EVENTS_BEFORE_WAITING = 300;
const BYTES_AT_ONCE = 4 * 1024 * 1024;
const BYTES_A_SECOND = 32 * 1024;

export type Remembered = {
  call: Call;
  /** As the log has it: the call without what is being appended. Absent before its first append. */
  durable?: Call;
  /** No event before this position is missing from the snapshot; Infinity: the snapshot covers all. */
  uncoveredFrom: number;
  /** The owner's clock when `uncoveredFrom` was set. */
  uncoveredAt: number;
  events: number;
  bytes: number;
  /** Bytes of all its events so far. */
  written: number;
  /** The journal has nothing of it up to this position; absent in what a version of before kept. */
  began?: number | undefined;
  /** How fast it may write, by the owner's clock; a new owner begins anew. */
  pace: { events: Budget; bytes: Budget };
  /** It wrote faster than it may. */
  tooFast?: string;
  snapshotted: boolean;
  /** Of its newest snapshot; 0 before. */
  snapshotBytes: number;
  /** Too large for a snapshot; it holds the low-water mark back instead. */
  tooLarge?: true;
  /** The owner's clock when the call was found settled; 0 before. */
  settledAt: number;
};

export const remember = (call: Call): Remembered => ({
  call,
  uncoveredFrom: Number.POSITIVE_INFINITY,
  uncoveredAt: 0,
  events: 0,
  bytes: 0,
  written: 0,
  pace: { events: createBudget(EVENTS_A_SECOND, EVENTS_AT_ONCE), bytes: createBudget(BYTES_A_SECOND, BYTES_AT_ONCE) },
  snapshotted: false,
  snapshotBytes: 0,
  settledAt: 0,
});

/** Notes that events of this many bytes will be appended after `position`. */
export function note(entry: Remembered, position: number, at: number, events: number, bytes: number): void {
  if (entry.uncoveredFrom === Number.POSITIVE_INFINITY) {
    entry.uncoveredFrom = position + 1;
    entry.uncoveredAt = at;
  }
  if (entry.written === 0) entry.began = position;
  entry.events += events;
  entry.bytes += bytes;
  entry.written += bytes;
}

/** Notes that a call writes so much now, of its own owner's doing: what is read again has no pace. */
export function spend(entry: Remembered, now: number, events: number, bytes: number): void {
  if (!entry.pace.events.take(now, events))
    entry.tooFast = `budget: more than ${EVENTS_AT_ONCE} events, and ${EVENTS_A_SECOND} a second`;
  else if (!entry.pace.bytes.take(now, bytes))
    entry.tooFast = `budget: more than ${BYTES_AT_ONCE >> 20} MiB of events, and ${BYTES_A_SECOND >> 10} KiB a second`;
}

/** Is it time for a snapshot with the append to come? Snapshots are never more than the events that they cover. */
export const wantsSnapshot = (entry: Remembered) =>
  !entry.tooLarge &&
  entry.bytes >= entry.snapshotBytes &&
  (entry.events >= SNAPSHOT_EVENTS || entry.bytes >= SNAPSHOT_BYTES);

/** The snapshot of a call, and that it covers everything so far; undefined, and nothing covered, where it is too large. */
export function takeSnapshot(entry: Remembered): { key: string; bytes: Uint8Array } | undefined {
  const bytes = snapshotOf(entry.call, entry.written, entry.began);
  if (bytes.length > SNAPSHOT_BYTES_MAX) {
    entry.tooLarge = true;
    return undefined;
  }
  const covered = { uncoveredFrom: Number.POSITIVE_INFINITY, events: 0, bytes: 0, snapshotted: true };
  Object.assign(entry, covered, { snapshotBytes: bytes.length });
  return { key: entry.call.id, bytes };
}

/**
 * Where a new owner must begin to read (exclusive), and the calls that hold it back too long or whose snapshot tells
 * less than their story: they must be snapshotted with the append that moves the mark, or the story's end lies below it.
 */
export function lowWater(
  calls: Iterable<Remembered>,
  position: number,
  now: number,
): { mark: number; overdue: Remembered[] } {
  let mark = position;
  const overdue: Remembered[] = [];
  for (const entry of calls) {
    if (entry.uncoveredFrom === Number.POSITIVE_INFINITY) continue;
    const over = entry.settledAt > 0 && now - entry.settledAt > ENDED_HOLD_MS;
    if (over && !entry.snapshotted) continue;
    if (!entry.tooLarge && (over || (entry.settledAt === 0 && now - entry.uncoveredAt > HOLD_MS))) overdue.push(entry);
    else mark = Math.min(mark, entry.uncoveredFrom - 1);
  }
  return { mark, overdue };
}

const STATE_TOO_LARGE = `budget: a state of more than ${SNAPSHOT_BYTES_MAX} bytes`;

/** Which budget a live call has used up, in words; undefined: none. */
export function overBudget({ call, written, tooFast, tooLarge }: Remembered): string | undefined {
  if (call.state !== 'live' || call.ending) return undefined;
  if (tooLarge) return STATE_TOO_LARGE; // or the low-water mark would stand still for it as long as it lives
  if (call.seq > CALL_EVENTS_MAX) return `budget: more than ${CALL_EVENTS_MAX} events`;
  return written > CALL_BYTES_MAX ? `budget: more than ${CALL_BYTES_MAX >> 20} MiB of events` : tooFast;
}

/** How long a document of the call has to wait, ms, for what the call wrote before. */
export const documentWaitMs = ({ pace }: Remembered, now: number) =>
  pace.events.waitMs(now, EVENTS_AT_ONCE - EVENTS_BEFORE_WAITING);

/** May this call be forgotten now? */
export const isForgettable = (entry: Remembered, now: number) =>
  entry.settledAt > 0 && now - entry.settledAt > FORGET_MS;

/** What a new owner knows of its partition. */
export type Loaded = {
  calls: Map<string, Remembered>;
  position: number;
  /** Calls whose story can't be folded; they are faulted once the partition is open. */
  broken: Map<string, Error>;
  /** Calls that may be forgotten and still have a snapshot. */
  tombstones: string[];
};

/**
 * Folds everything a partition still needs: snapshots, then the journal from the low-water mark to its end.
 * @throws UnknownEvent where a newer version wrote: this one must not open the partition.
 */
export async function load(log: EventLog, partition: number, now: number): Promise<Loaded> {
  const calls = new Map<string, Remembered>();
  const broken = new Map<string, Error>();
  const tombstones: string[] = [];
  for await (const { key, bytes } of log.snapshots(JOURNAL, partition)) {
    const found = bytes && callOf(key, bytes);
    const entry = found
      ? { ...remember(found.call), written: found.written, began: found.began }
      : await foldWhole(log, key, broken);
    if (entry) calls.set(key, { ...entry, snapshotted: true });
    else tombstones.push(key);
  }
  let position = await log.lowWater(JOURNAL, partition);
  for await (const record of log.replay(JOURNAL, partition, position)) {
    position = record.position;
    const event = eventOf(record);
    if (event) learnAgain(calls, broken, event, record);
  }
  for (const [id, entry] of calls) {
    entry.durable = entry.call;
    if (isSettled(entry.call)) entry.settledAt = entry.call.at;
    if (!isForgettable(entry, now)) continue;
    calls.delete(id);
    if (entry.snapshotted) tombstones.push(id);
  }
  return { calls, position, broken, tombstones };
}

/** A snapshot that is none tells nothing: the story is read from its start. Undefined where there is no story. */
async function foldWhole(log: EventLog, key: string, broken: Map<string, Error>): Promise<Remembered | undefined> {
  const calls = new Map<string, Remembered>();
  for await (const record of log.readKey(JOURNAL, key)) {
    const event = eventOf(record);
    if (event) learnAgain(calls, broken, event, record);
  }
  return calls.get(key);
}

function learnAgain(
  calls: Map<string, Remembered>,
  broken: Map<string, Error>,
  event: CallEvent,
  record: LogRecord,
): void {
  const id = event.callId;
  const entry = calls.get(id) ?? remember(newCall(id));
  if (isUnreadable(event)) broken.set(id, new Error(`event ${event.seq} can't be read`));
  if (event.seq <= entry.call.seq) return; // a snapshot covers it
  // An older call's end: its beginning lies below the mark, so it is over.
  if (event.seq > entry.call.seq + 1 && !broken.has(id)) return;
  note(entry, record.position - 1, event.at, 1, record.bytes.length);
  calls.set(id, entry);
  try {
    entry.call = evolve(entry.call, event);
  } catch (error) {
    // Its place in the story is taken all the same; the call is faulted, its partition isn't.
    entry.call = { ...entry.call, seq: event.seq, at: Math.max(entry.call.at, event.at) };
    broken.set(id, error as Error);
  }
}
