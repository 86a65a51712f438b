/** How a call lies in the log: an event as a record, a state as a snapshot. Sizes are checked here, before a batch. */

import type { LogRecord, NewRecord } from '@opentact/event-log';
import { type CallEvent, encodeEvent, PartitionTaken, readRecord, versionOf } from '@opentact/proto';
import { type Call, SNAPSHOT_VERSION } from '../domain/call.ts';
import { isCall, upcastCall } from '../domain/snapshots.ts';

export const JOURNAL = 'calls.journal';
/** The log's own limits are above this; a larger event is a defect and faults its call. */
export const EVENT_BYTES_MAX = 512 * 1024;
const TAKEN = 'PartitionTaken';
const TAKEN_SCHEMA = '1';

/** An event as a record. @throws RangeError where it is larger than the log takes. */
export function recordOf(event: CallEvent): NewRecord {
  const bytes = encodeEvent(event);
  if (bytes.length > EVENT_BYTES_MAX)
    throw new RangeError(`call ${event.callId}: ${event.type} has ${bytes.length} bytes`);
  return { key: event.callId, headers: headersOf(event), bytes };
}

/** The call is a trace and each of its events a span of it (W3C Trace Context), whoever reads them. */
function headersOf({ type, callId, seq }: CallEvent): Record<string, string> {
  const traceparent = `00-${callId.replaceAll('-', '')}-${seq.toString(16).padStart(16, '0')}-01`;
  return { type, seq: String(seq), schema: String(versionOf(type)), traceparent };
}

/** The event of a record (a stub: see `readRecord`); undefined for records that belong to no call. @throws UnknownEvent */
export function eventOf(record: LogRecord): CallEvent | undefined {
  return record.headers.type === TAKEN ? undefined : readRecord(record);
}

/** A new owner's first record. */
export function takenRecord(taken: { partition: number; epoch: number; node: string; boot: string }): NewRecord {
  return { key: '', headers: { type: TAKEN, schema: TAKEN_SCHEMA }, bytes: PartitionTaken.encode(taken).finish() };
}

/** A state as bytes. `written`: bytes of its events so far, which the budget of the call is counted by; `began`: see `Remembered`. */
export function snapshotOf(call: Call, written: number, began?: number): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ v: SNAPSHOT_VERSION, call, written, began }));
}

type Kept = { call: Call; written: number; began?: number | undefined };

/** The state of a snapshot of that key; undefined where it is none (then the story is folded from its start). */
export function callOf(key: string, bytes: Uint8Array): Kept | undefined {
  try {
    const { v, call, written = 0, began } = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
    const today = upcastCall(Number(v), call);
    if (today?.id !== key || !isCall(today) || !Number.isSafeInteger(written)) return undefined;
    return {
      call: today,
      written: written as number,
      began: Number.isSafeInteger(began) ? (began as number) : undefined,
    };
  } catch {
    return undefined; // a cache that can't be read is no cache
  }
}
