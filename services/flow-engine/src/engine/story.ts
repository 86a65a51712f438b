/** How a call lies in the log: an event as a record, a state as a snapshot. Sizes are checked here, before a batch. */

import type { LogRecord, NewRecord } from '@opentact/event-log';
import { type CallEvent, encodeEvent, PartitionTaken, readEvent, versionOf } from '@opentact/proto';
import { type Call, SNAPSHOT_VERSION } from '../domain/call.ts';
import { upcastCall } from '../domain/snapshots.ts';

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

/** The event of a record; undefined for records that belong to no call. @throws UnknownEvent */
export function eventOf(record: LogRecord): CallEvent | undefined {
  return record.headers.type === TAKEN ? undefined : readEvent(record.bytes, record.headers.schema);
}

/** A new owner's first record. */
export function takenRecord(taken: { partition: number; epoch: number; node: string; boot: string }): NewRecord {
  return { key: '', headers: { type: TAKEN, schema: TAKEN_SCHEMA }, bytes: PartitionTaken.encode(taken).finish() };
}

/** A state as bytes. */
export function snapshotOf(call: Call): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ v: SNAPSHOT_VERSION, call }));
}

/** The state of a snapshot; undefined where it can't be read (then the story is folded from its start). */
export function callOf(bytes: Uint8Array): Call | undefined {
  try {
    const { v, call } = JSON.parse(new TextDecoder().decode(bytes)) as { v: number; call: Call };
    return upcastCall(v, call);
  } catch {
    return undefined; // a cache that can't be read is no cache
  }
}
