/**
 * What the outbound voice profile of a call wants recorded (`record_calls`): the number travels with the app's settings in the
 * call's first event, so that what is recorded follows from the story alone. No RecordStop of a document ends it.
 */
import type { CallEvent, Decided } from '@opentact/proto/events';
import type { Call } from './call.ts';
import { BLOCK_MAX_MS, recordingIdOf } from './verbs/record.ts';

/** Every call that goes out by the profile: what is ordered by API, and each number that a document dials. */
const ALL = 1;
/** What is ordered by API alone: of what a document dials its own `record` decides. */
const ORDERED = 2;

/** A call that was ordered is recorded from its answer to its end, both sides. */
export function recordOrdered(call: Call, event: CallEvent): Decided[] {
  const { recordCalls } = call.app;
  const isWanted = recordCalls === ALL || recordCalls === ORDERED;
  if (event.type !== 'LegAnswered' || event.leg !== 0 || !call.outbound || call.ending || !isWanted) return [];
  const recordingId = recordingIdOf(call.id, event.seq);
  const wish = { maxMs: BLOCK_MAX_MS, silenceMs: 0, stopKeys: '', both: true, byProfile: true };
  return [{ type: 'RecordRequested', leg: 0, recordingId, tag: '', ...wish }];
}

/** Is whom a document connects the caller to recorded? Of a call that was ordered all is recorded already. */
export const recordsDialled = ({ app, outbound }: Call, target: string): boolean =>
  app.recordCalls === ALL && !outbound && target.startsWith('tel:');
