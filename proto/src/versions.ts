/**
 * Versions of what events mean. The wire only ever gains fields; what `evolve` makes of an event changes only under a
 * new version of it, written into the record's header `schema`. Here an older event becomes what it means today.
 */
import type { CallEvent, FactOf, FactType } from './events.ts';
import { decodeEvent, UnknownEvent } from './wire.ts';

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
