/**
 * Recordings that were asked for and of whose end nobody has told yet, and what lets one cease to wait for it. They are
 * what a call that is over is remembered for: a hang-up ends a recording after the call.
 */
import type { CallEvent, To } from '@opentact/proto/events';

/**
 * By the request's `seq`. `at`: the node that records, '' while there is none, and then nothing is waited for.
 * `release`: the request that gives its session back; once it is answered nothing more comes.
 */
export type UnderWay = Record<number, { leg: number; at: string; release?: number }>;
type One = UnderWay[number];

/** More than a call has legs and verbs that record; past it the oldest is not waited for. */
const UNDER_WAY_MAX = 64;

const nameOf = (to: To | undefined) => (to ? `${to.node}/${to.boot}` : '');

/** Said by the node that records, or by the engine; another, that was lost and woke, knows nothing of how it ends. */
const isFrom = ({ from }: CallEvent, { at }: One) => !from || `${from.source}/${from.boot}` === at;

/** Is one of them still to be told of? */
export const isAwaited = (underWay: UnderWay) => Object.values(underWay).some(({ at }) => at !== '');

/** After one more event; the same object where nothing changed. */
export function follow(known: UnderWay, event: CallEvent): UnderWay {
  switch (event.type) {
    case 'RecordRequested':
      return added(known, event.seq, { leg: event.leg, at: nameOf(event.to) });
    case 'BridgeRequested':
      return event.recordingId ? added(known, event.seq, { leg: event.legA, at: nameOf(event.to) }) : known;
    case 'RecordFinished':
    case 'RecordFailed':
    case 'BridgeEnded':
      return changed(known, (one, seq) => (seq === event.requestId && isFrom(event, one) ? undefined : one));
    case 'SessionFailed':
      return changed(known, (one) => (one.leg === event.leg && isFrom(event, one) ? undefined : one));
    case 'SessionRequested': // of another node, where the recording's was lost
      return changed(known, (one) => (isFree(one, event.leg) ? { leg: one.leg, at: nameOf(event.to) } : one));
    case 'NodeLost': {
      const lost = nameOf(event);
      return changed(known, (one) => (one.at === lost ? { leg: one.leg, at: '' } : one));
    }
    case 'ReleaseRequested': {
      const at = nameOf(event.to);
      const isMeant = (one: One) => isFree(one, event.leg) && (at === '' || at === one.at);
      return changed(known, (one) => (isMeant(one) ? { leg: one.leg, at, ...(at && { release: event.seq }) } : one));
    }
    case 'SessionReleased':
    case 'RequestFailed':
      return changed(known, (one, seq) =>
        [seq, one.release].includes(event.requestId) && isFrom(event, one) ? undefined : one,
      );
    default:
      return known;
  }
}

const isFree = (one: One, leg: number) => one.leg === leg && one.release === undefined;

const added = (known: UnderWay, seq: number, one: One): UnderWay =>
  Object.fromEntries([...Object.entries(known), [seq, one] as const].slice(-UNDER_WAY_MAX));

function changed(known: UnderWay, change: (one: One, seq: number) => One | undefined): UnderWay {
  const entries = Object.entries(known);
  const next = entries.map(([seq, one]) => [seq, change(one, Number(seq))] as const);
  if (next.every(([, one], n) => one === entries[n]![1])) return known;
  return Object.fromEntries(next.filter((entry): entry is readonly [string, One] => entry[1] !== undefined));
}
