/**
 * One partition of `events.public`: follows the same partition of the journal and appends what customers are told, and
 * with it, in the same append, how far it read and what it remembers of live calls. So each event is told once, whoever
 * is killed when; the fence keeps a second writer out.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog, LogRecord, NewRecord, Writer } from '@opentact/event-log';
import { LogError, refusalOf } from '@opentact/event-log';
import { type CallEvent, type FactType, isUnreadable, readRecord, versionOf } from '@opentact/proto';
import { type PublicCall, UNSEEN } from '@opentact/proto/call-view';
import type { Logger } from '@opentact/runtime';
import { project } from '../domain/project.ts';
import { recordOf } from './envelope.ts';

export const JOURNAL = 'calls.journal';
export const PUBLIC = 'events.public';

/** Key of the entry that says how far the journal was read. Calls' keys are uuids. */
const CURSOR = 'journal';
const FOLD_VERSION = 1;

/** What waits for an append: past any of these nothing more is read until it is over. */
const RECORDS_MAX = 100;
const BYTES_MAX = 512 * 1024;
const CHANGED_MAX = 50;
/** Events that told nothing: after so many their being read is written, too, so that no start reads much again. */
const SILENT_MAX = 2000;
/** Live calls remembered; past it the oldest is forgotten, and nothing more is told of it. */
const CALLS_MAX = 20_000;
/** From one append to the next: a call's events come in bursts, and each append carries what is remembered of it. */
const PAUSE_MS = 20;

export type ProjectorOptions = {
  log: EventLog;
  partition: number;
  signal: AbortSignal;
  logger: Logger;
  /** Between appends; tests want many. */
  pauseMs?: number;
};

/** What is read and not yet written. `read`: events since the last append, told or not. */
type Pending = { records: NewRecord[]; bytes: number; changed: Set<string>; read: number };

const nothing = (): Pending => ({ records: [], bytes: 0, changed: new Set(), read: 0 });
const isFull = ({ records, bytes, changed, read }: Pending) =>
  records.length >= RECORDS_MAX || bytes >= BYTES_MAX || changed.size >= CHANGED_MAX || read >= SILENT_MAX;

const jsonOf = (value: unknown) => Buffer.from(JSON.stringify(value));
const parsed = (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString());

/**
 * Writes the partition until `signal` aborts; what it read before is then written.
 * @throws LogError `fenced` (another writes it) or `unavailable` (begin again), UnknownEvent (a newer version wrote the
 * journal: this reader must not go on)
 */
export async function runProjector(options: ProjectorOptions): Promise<void> {
  const { log, partition } = options;
  // First the fence: what is read after it can't change under us.
  const writer = await log.take(PUBLIC, partition);
  try {
    await follow(options, writer, await restore(options));
  } finally {
    await writer.release();
  }
}

type Memory = { position: number; calls: Map<string, PublicCall> };

/** What is remembered of a call; undefined where it is nothing that can be gone on with. */
function callOf(key: string, bytes: Uint8Array): PublicCall | undefined {
  try {
    const { v, call } = parsed(bytes);
    return v === FOLD_VERSION && call?.callId === key && Array.isArray(call.legs) ? call : undefined;
  } catch {
    return undefined;
  }
}

async function restore({ log, partition, logger }: ProjectorOptions): Promise<Memory> {
  const memory: Memory = { position: 0, calls: new Map() };
  for await (const { key, bytes } of log.snapshots(PUBLIC, partition)) {
    if (!bytes) continue;
    if (key === CURSOR) memory.position = parsed(bytes).position;
    else {
      const call = callOf(key, bytes);
      if (call) memory.calls.set(key, call);
      else logger.error({ callId: key }, 'what was remembered of a call can’t be read: nothing more is told of it');
    }
  }
  return memory;
}

async function follow(options: ProjectorOptions, writer: Writer, memory: Memory): Promise<void> {
  const { log, partition, signal, pauseMs = PAUSE_MS } = options;
  let pending = nothing();
  let failed: unknown;
  let writing: Promise<void> | undefined;
  const stop = new AbortController();
  const until = AbortSignal.any([signal, stop.signal]);

  /** Everything that waits, in one append; while it is under way the next gathers. */
  async function write(): Promise<void> {
    while (pending.records.length > 0 || isFull(pending)) {
      const batch = pending;
      pending = nothing();
      await append(writer, batch, memory, options.logger);
      if (!isFull(pending)) await sleep(pauseMs, undefined, { signal: until }).catch(() => {});
    }
  }
  function begin(): void {
    writing ??= write().then(
      () => {
        writing = undefined;
      },
      (error) => {
        failed = error;
        stop.abort();
      },
    );
  }
  try {
    for await (const record of log.follow(JOURNAL, partition, memory.position, until)) {
      while (writing && isFull(pending) && !failed) await writing;
      if (failed) break;
      absorb(record, memory, pending, options.logger);
      if (pending.records.length > 0 || isFull(pending)) begin();
    }
  } finally {
    await writing;
  }
  if (failed) throw failed;
}

/** What the log refuses for its data is left out: nothing more is told of those calls, and of the others everything. */
async function append(writer: Writer, batch: Pending, memory: Memory, logger: Logger): Promise<void> {
  const { records } = batch;
  const snapshots = snapshotsOf(batch, memory);
  try {
    await writer.append({ records, snapshots });
  } catch (error) {
    if (!(error instanceof LogError) || error.code !== 'refused' || error.keys.includes(CURSOR)) throw error;
    logger.error({ callIds: error.keys, err: error }, 'the log refuses what would be told of calls');
    const isKept = ({ key }: { key: string }) => !error.keys.includes(key);
    for (const key of error.keys) memory.calls.delete(key);
    await writer.append({ records: records.filter(isKept), snapshots: snapshots.filter(isKept) });
  }
}

/** Called with no `await` between it and the taking of the batch: the memory is then as of the last event read. */
function snapshotsOf({ changed }: Pending, { position, calls }: Memory) {
  const folds = [...changed].map((key) => {
    const call = calls.get(key);
    return { key, bytes: call ? jsonOf({ v: FOLD_VERSION, call }) : null };
  });
  return [...folds, { key: CURSOR, bytes: jsonOf({ position }) }];
}

/**
 * What there may be to tell of; PartitionTaken is no event of a call. What customers aren't told of is not decoded:
 * documents and descriptions are most of a journal. @throws UnknownEvent
 */
function eventOf(record: LogRecord): CallEvent | undefined {
  const { type = '', schema = '1' } = record.headers;
  const isKnown = record.key === '' || (UNSEEN.has(type as FactType) && Number(schema) <= versionOf(type as FactType));
  return isKnown ? undefined : readRecord(record);
}

/** @throws UnknownEvent */
function absorb(record: LogRecord, memory: Memory, pending: Pending, logger: Logger): void {
  const event = eventOf(record);
  memory.position = record.position;
  pending.read++;
  if (!event) return;
  // Its place in the journal stays, and nothing is told of it; the call goes on to its end.
  if (isUnreadable(event)) logger.error({ callId: event.callId, seq: event.seq }, 'a record can’t be read');
  const before = memory.calls.get(event.callId);
  const { call, told } = learned(before, event, logger);
  if (call !== before) {
    remember(memory, event.callId, call, pending);
    pending.changed.add(event.callId);
  }
  for (const one of told) {
    const made = recordOf(one);
    const refusal = refusalOf(made);
    if (refusal) logger.error({ callId: event.callId, seq: event.seq, refusal }, 'an event that can’t be told');
    else {
      pending.records.push(made);
      pending.bytes += made.bytes.byteLength;
    }
  }
}

/** A call that breaks a promise of ours is no longer told of; the others of its partition are. */
function learned(...[before, event, logger]: [...Parameters<typeof project>, Logger]): ReturnType<typeof project> {
  try {
    return project(before, event);
  } catch (err) {
    logger.error({ callId: event.callId, seq: event.seq, err }, 'a call can’t be told of any more');
    return { call: undefined, told: [] };
  }
}

function remember({ calls }: Memory, callId: string, call: PublicCall | undefined, { changed }: Pending): void {
  if (call) calls.set(callId, call);
  else calls.delete(callId);
  if (calls.size <= CALLS_MAX) return;
  const oldest = calls.keys().next().value!;
  calls.delete(oldest);
  changed.add(oldest);
}
