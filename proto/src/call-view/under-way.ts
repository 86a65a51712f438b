/**
 * Recordings that were asked for and of whose end nobody has told yet, then the words of those that are wanted in words;
 * and what lets one cease to be waited for. They are what a call that is over is remembered for: a hang-up ends a
 * recording after the call, and its words come later still.
 */
import type { CallEvent, To } from '../events.ts';

/**
 * By the `seq` of the recording's request. `at`: the node that has it to do, '' while there is none; a recording is then
 * not waited for. `release`: the request that gives its session back; once it is answered nothing more comes.
 * `words`: the recording is closed, and its words are waited for wherever they are made, by its id; `lang` once asked.
 */
export type UnderWay = Record<number, RecordingUnderWay>;
export type RecordingUnderWay = {
  leg: number;
  at: string;
  release?: number;
  tag?: string;
  asr?: true;
  words?: string;
  lang?: string;
};

/** More than a call has legs and verbs that record; past it the oldest is not waited for. */
const UNDER_WAY_MAX = 64;
const TAG_MAX = 200;

const nameOf = (to: To | undefined) => (to ? `${to.node}/${to.boot}` : '');

/** Said by the node that records, or by the engine; another, that was lost and woke, knows nothing of how it ends. */
const isFrom = ({ from }: CallEvent, { at }: RecordingUnderWay) => !from || `${from.source}/${from.boot}` === at;

/** Is one of them still to be told of? */
export const isAwaited = (underWay: UnderWay) => Object.values(underWay).some(({ at, words }) => at !== '' || words);

/** What was waited for and comes with this event: a recording, or its words. */
export function arrivedWith(known: UnderWay, event: CallEvent): RecordingUnderWay | undefined {
  if (event.type === 'TranscriptReady') return Object.values(known).find(({ words }) => words === event.recordingId);
  const one = event.type === 'RecordFinished' ? known[event.requestId] : undefined;
  return one && !one.words && isFrom(event, one) ? one : undefined;
}

/** After one more event; the same object where nothing changed. */
export function follow(known: UnderWay, event: CallEvent): UnderWay {
  switch (event.type) {
    case 'RecordRequested': {
      const { leg, tag, asr } = event;
      return added(known, event.seq, { leg, at: nameOf(event.to), ...labelled(tag), ...(asr && { asr }) });
    }
    case 'BridgeRequested':
      return event.recordingId ? added(known, event.seq, { leg: event.legA, at: nameOf(event.to) }) : known;
    case 'RecordFinished':
      return recording(known, (one, seq) => {
        if (seq !== event.requestId || !isFrom(event, one)) return one;
        const { leg, tag, asr } = one;
        return asr && event.durationMs > 0 ? { leg, at: '', ...labelled(tag), words: event.recordingId } : undefined;
      });
    case 'RecordFailed':
    case 'BridgeEnded':
      return recording(known, (one, seq) => (seq === event.requestId && isFrom(event, one) ? undefined : one));
    case 'SessionFailed':
      return recording(known, (one) => (one.leg === event.leg && isFrom(event, one) ? undefined : one));
    case 'SessionRequested': // of another node, where the recording's was lost
      return recording(known, (one) => (isFree(one, event.leg) ? { ...one, at: nameOf(event.to) } : one));
    case 'ReleaseRequested': {
      const at = nameOf(event.to);
      const isMeant = (one: RecordingUnderWay) => isFree(one, event.leg) && (at === '' || at === one.at);
      return recording(known, (one) => (isMeant(one) ? { ...one, at, ...(at && { release: event.seq }) } : one));
    }
    case 'SessionReleased':
    case 'RequestFailed':
      return recording(known, (one, seq) =>
        [seq, one.release].includes(event.requestId) && isFrom(event, one) ? undefined : one,
      );
    case 'NodeLost': {
      const lost = nameOf(event);
      return changed(known, (one) => {
        if (one.at !== lost) return one;
        const { release: _, ...rest } = one;
        return { ...rest, at: '' };
      });
    }
    case 'TranscriptRequested': {
      const { recordingId, lang } = event;
      return changed(known, (one) => (one.words === recordingId ? { ...one, at: nameOf(event.to), lang } : one));
    }
    case 'TranscriptReady':
    case 'TranscriptFailed':
      return changed(known, (one) => (one.words === event.recordingId ? undefined : one));
    case 'NodeUnavailable': // what no node was asked for is asked of nobody any more
      return event.kind === 'media' ? changed(known, (one) => (one.words && one.at === '' ? undefined : one)) : known;
    default:
      return known;
  }
}

const labelled = (tag = '') => (tag === '' ? {} : { tag: tag.slice(0, TAG_MAX) });

const isFree = (one: RecordingUnderWay, leg: number) => one.leg === leg && one.release === undefined;

const added = (known: UnderWay, seq: number, one: RecordingUnderWay): UnderWay =>
  Object.fromEntries([...Object.entries(known), [seq, one] as const].slice(-UNDER_WAY_MAX));

/** As `changed`, of those that are not closed yet. */
const recording = (known: UnderWay, change: (one: RecordingUnderWay, seq: number) => RecordingUnderWay | undefined) =>
  changed(known, (one, seq) => (one.words ? one : change(one, seq)));

function changed(
  known: UnderWay,
  change: (one: RecordingUnderWay, seq: number) => RecordingUnderWay | undefined,
): UnderWay {
  const entries = Object.entries(known);
  const next = entries.map(([seq, one]) => [seq, change(one, Number(seq))] as const);
  if (next.every(([, one], n) => one === entries[n]![1])) return known;
  return Object.fromEntries(
    next.filter((entry): entry is readonly [string, RecordingUnderWay] => entry[1] !== undefined),
  );
}
