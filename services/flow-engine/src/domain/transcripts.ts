/** The words of recordings: asked for as soon as a recording is closed, of whichever media node the call has. */
import type { CallEvent, Decided } from '@opentact/proto/events';
import { type Call, outstandingOf } from './call.ts';

const LANGUAGE = 'en-US';

/** What follows from an event for the transcripts of a call, ended or not. */
export function transcripts(call: Call, event: CallEvent): Decided[] {
  if (event.type === 'RecordFinished') {
    const recorded = call.answered.find((request) => request.type === 'RecordRequested');
    if (recorded?.type !== 'RecordRequested' || !recorded.asr || event.durationMs === 0) return [];
    const { tag, recordingId } = recorded;
    return [{ type: 'TranscriptRequested', recordingId, tag, lang: LANGUAGE }, ...nodeFor(call, true)];
  }
  return event.type === 'NodeLost' && event.recover && event.kind === 'media' ? nodeFor(call, unserved(call)) : [];
}

const unserved = (call: Call) => outstandingOf(call, 'TranscriptRequested', (e) => !e.to).length > 0;

/** A node is looked for where one is wanted, the call has none, and nobody else looks for one. */
function nodeFor(call: Call, wanted: boolean): Decided[] {
  const moving = call.state === 'live' && call.legs.some((leg) => leg.moving);
  const asked = outstandingOf(call, 'NodeRequested', (e) => e.kind === 'media').length > 0;
  return wanted && !call.media && !moving && !asked ? [{ type: 'NodeRequested', kind: 'media', except: [] }] : [];
}
