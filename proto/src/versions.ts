/**
 * Versions of what events mean. The wire only ever gains fields; what `evolve` makes of an event changes only under a
 * new version of it, written into the record's header `schema`. Here an older event becomes what it means today.
 */
import type { CallEvent, FactOf, FactType } from './events.ts';
import { decodeEvent, isKnownType, UnknownEvent } from './wire.ts';

/** The version in which each event is written today; 1 where it is not listed. */
export const EVENT_VERSIONS: Partial<Record<FactType, number>> = { NodeLost: 2 };

type Upcast = (event: CallEvent) => CallEvent;

/** By event, the steps from version 1 to 2, from 2 to 3 … */
const UPCASTS: { [T in FactType]?: Upcast[] } = {
  // What a lost node did for a call used to be over with it.
  NodeLost: [(event) => ({ ...(event as CallEvent<FactOf<'NodeLost'>>), recover: false })],
};

/** The version that a new record of this event is written in. */
export const versionOf = (type: FactType): number => EVENT_VERSIONS[type] ?? 1;

/**
 * The event of a journal record: its bytes, and its header `schema` (absent: 1).
 * @throws UnknownEvent where a newer version wrote it: readers are deployed before writers.
 */
export function readEvent(bytes: Uint8Array, schema: string | undefined): CallEvent {
  return upcast(decodeEvent(bytes), Number(schema ?? 1));
}

/** An event written in an older version, as it is understood today. @throws UnknownEvent where it is newer. */
export function upcast(event: CallEvent, version: number): CallEvent {
  const known = versionOf(event.type);
  if (!(version >= 1 && version <= known))
    throw new UnknownEvent(
      `call ${event.callId}: event ${event.seq} is ${event.type} of version ${version}, known is ${known}`,
    );
  return (UPCASTS[event.type] ?? []).slice(version - 1).reduce((older, step) => step(older), event);
}

/** A record of the journal, as its log gives it: the callId is its key. */
export type JournalRecord = { key: string; headers: Record<string, string>; bytes: Uint8Array };

const UNREADABLE = 'unreadable record';

/**
 * The event of a journal record. Where its bytes can't be the event that its headers name, a stub stands in its place, so
 * that the story keeps its sequence and every other call of the partition is read: see `isUnreadable`. Its time is 0.
 * @throws UnknownEvent where a newer version wrote it: such a reader must stop.
 */
export function readRecord({ key, headers: { type, seq, schema = '1' }, bytes }: JournalRecord): CallEvent {
  if (isNewer(type, schema))
    throw new UnknownEvent(`call ${key}: event ${seq} is ${type} of version ${schema}, which is not known here`);
  try {
    const event = readEvent(bytes, schema);
    const isNamed = event.type === (type ?? event.type) && event.seq === Number(seq ?? event.seq);
    if (event.callId === key && isNamed) return event;
  } catch {
    // Whatever the codec makes of them, these bytes are not what their writer meant.
  }
  return { type: 'CallFaulted', reason: UNREADABLE, callId: key, seq: Number(seq) || 0, at: 0 };
}

/** Headers as a newer version would write them; others are not what any writer meant. */
function isNewer(type: string | undefined, schema: string): boolean {
  if (type === undefined || !/^[A-Z][A-Za-z0-9]{0,63}$/.test(type)) return false;
  if (!isKnownType(type)) return true;
  return /^\d{1,9}$/.test(schema) && Number(schema) > versionOf(type as FactType);
}

/** Is it a stub for a record that couldn't be read? Its call is quarantined: faulted, and not charged by a machine. */
export const isUnreadable = (event: CallEvent): boolean => event.type === 'CallFaulted' && event.reason === UNREADABLE;
