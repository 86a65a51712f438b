/** What customers are told of a recording and of its words (reference 3.6, where both are proposed). */

import {
  directionOf,
  iso,
  legOf,
  legUuid,
  type PublicCall,
  type RecordingUnderWay,
  toOf,
} from '@opentact/proto/call-view';
import type { FactOf } from '@opentact/proto/events';
import type { Draft } from './public-event.ts';

const LANGUAGE = 'en-US';

function about(call: PublicCall, { leg }: RecordingUnderWay, what: string): string {
  const whose = legOf(call, leg) ?? legOf(call, 0)!;
  return `CallSCA ${directionOf(whose)} ${whose.from} > ${toOf(whose)} - ${what} available`;
}

/** `url` is below the platform's HTTP address; `asr`: its words were asked for. */
export function recordTold(
  call: PublicCall,
  one: RecordingUnderWay,
  { recordingId, durationMs, at }: FactOf<'RecordFinished'> & { at: number },
): Draft {
  return {
    type: 'call_record',
    message: about(call, one, 'record'),
    payload: {
      uuid: recordingId,
      call: legUuid(call.callId, one.leg),
      tag: one.tag ?? '',
      url: `/recordings/${recordingId}.wav`,
      format: 'wav',
      duration: Math.round(durationMs / 1000),
      created_on: iso(at),
      asr: one.asr ?? false,
    },
  };
}

/** Its uuid is the envelope's to make. */
export function transcriptTold(
  call: PublicCall,
  one: RecordingUnderWay,
  { recordingId, text }: FactOf<'TranscriptReady'>,
): Draft {
  return {
    type: 'call_transcript',
    message: about(call, one, 'transcript'),
    payload: {
      record: recordingId,
      call: legUuid(call.callId, one.leg),
      tag: one.tag ?? '',
      lang: one.lang ?? LANGUAGE,
      text,
    },
  };
}
