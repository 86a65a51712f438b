/**
 * What an owner remembers of its partition: the calls, and how far each is covered by a snapshot. It decides when to
 * snapshot, what the low-water mark is, and when a call is forgotten.
 */
import type { EventLog, LogRecord } from '@opentact/event-log';
import type { CallEvent } from '@opentact/proto';
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
const ENDED_HOLD_MS = 32_000;
const FORGET_MS = 300_000;

export type Remembered = {
  call: Call;
  /** No event before this position is missing from the snapshot; Infinity: the snapshot covers all. */
  uncoveredFrom: number;
  /** The owner's clock when `uncoveredFrom` was set. */
  uncoveredAt: number;
  events: number;
  bytes: number;
  snapshotted: boolean;
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
  snapshotted: false,
  settledAt: 0,
});

/** Notes that events of this many bytes will be appended after `position`. */
export function note(entry: Remembered, position: number, at: number, events: number, bytes: number): void {
  if (entry.uncoveredFrom === Number.POSITIVE_INFINITY) {
    entry.uncoveredFrom = position + 1;
    entry.uncoveredAt = at;
  }
  entry.events += events;
  entry.bytes += bytes;
}

/** Is it time for a snapshot with the append to come? */
export const wantsSnapshot = (entry: Remembered) =>
  !entry.tooLarge && (entry.events >= SNAPSHOT_EVENTS || entry.bytes >= SNAPSHOT_BYTES);

/** The snapshot of a call, and that it covers everything so far; undefined, and nothing covered, where it is too large. */
export function takeSnapshot(entry: Remembered): { key: string; bytes: Uint8Array } | undefined {
  const bytes = snapshotOf(entry.call);
  if (bytes.length > SNAPSHOT_BYTES_MAX) {
    entry.tooLarge = true;
    return undefined;
  }
  Object.assign(entry, { uncoveredFrom: Number.POSITIVE_INFINITY, events: 0, bytes: 0, snapshotted: true });
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
  for await (const { key, bytes } of log.snapshots(JOURNAL, partition)) {
    const call = bytes && callOf(bytes);
    if (call) calls.set(key, { ...remember(call), snapshotted: true });
    else calls.set(key, await foldWhole(log, key, broken));
  }
  let position = await log.lowWater(JOURNAL, partition);
  for await (const record of log.replay(JOURNAL, partition, position)) {
    position = record.position;
    const event = eventOf(record);
    if (event) learnAgain(calls, broken, event, record);
  }
  const tombstones: string[] = [];
  for (const [id, entry] of calls) {
    if (isSettled(entry.call)) entry.settledAt = entry.call.at;
    if (!isForgettable(entry, now)) continue;
    calls.delete(id);
    if (entry.snapshotted) tombstones.push(id);
  }
  return { calls, position, broken, tombstones };
}

/** A snapshot of another version tells nothing here: the story is read from its start. */
async function foldWhole(log: EventLog, key: string, broken: Map<string, Error>): Promise<Remembered> {
  const calls = new Map<string, Remembered>();
  for await (const record of log.readKey(JOURNAL, key)) {
    const event = eventOf(record);
    if (event) learnAgain(calls, broken, event, record);
  }
  return { ...(calls.get(key) ?? remember(newCall(key))), snapshotted: true };
}

function learnAgain(
  calls: Map<string, Remembered>,
  broken: Map<string, Error>,
  event: CallEvent,
  record: LogRecord,
): void {
  const id = event.callId;
  const entry = calls.get(id) ?? remember(newCall(id));
  if (event.seq <= entry.call.seq) return; // a snapshot covers it
  if (event.seq > entry.call.seq + 1) return; // an older call's end: its beginning lies below the mark, so it is over
  note(entry, record.position - 1, event.at, 1, record.bytes.length);
  calls.set(id, entry);
  try {
    entry.call = evolve(entry.call, event);
  } catch (error) {
    // Its place in the story is taken all the same; the call is faulted, its partition isn't.
    entry.call = { ...entry.call, seq: event.seq, at: event.at };
    broken.set(id, error as Error);
  }
}
