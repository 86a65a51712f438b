/**
 * From the journal to what customers are told: one event in, what is remembered of its call and the envelopes that it
 * makes out. No clock: every time is the journal's. Events that customers aren't told of make none.
 */
import {
  type Change,
  callObject,
  directionOf,
  foldCall,
  isDestroyed,
  type PublicCall,
  type PublicLeg,
  secondsOf,
  toOf,
} from '@opentact/proto/call-view';
import type { CallEvent } from '@opentact/proto/events';
import type { Draft, PublicEvent } from './public-event.ts';
import { recordTold, transcriptTold } from './recordings.ts';

/** `call` undefined: nothing is remembered of it (any more). */
export type Projected = { call: PublicCall | undefined; told: PublicEvent[] };

/**
 * Events of so many verbs carry the call with its lists. Of a call that runs more of them, later ones carry it without: a
 * verb is some hundred bytes in the journal, the lists are up to 50 kB, and what a call may write is bounded.
 */
const VERBS_TOLD_WHOLE = 200;

/** Learns one event of a call; of a call whose beginning was not read it learns nothing. */
export function project(before: PublicCall | undefined, event: CallEvent): Projected {
  const { call, changes } = foldCall(before, event);
  const told = changes.map((change, index) => eventOf(change, event, index));
  return { call: call && isDestroyed(call) ? undefined : call, told };
}

function eventOf(change: Change, { callId, seq, at }: CallEvent, index: number): PublicEvent {
  const { call, leg } = change;
  const isWhole = change.of !== 'verb' || (call.verbs ?? 0) <= VERBS_TOLD_WHOLE;
  const object = callObject(isWhole ? call : withoutLists(call), leg, at);
  return { ...draftOf(change, at), callId, account: call.account, seq, at, index, call: object };
}

const withoutLists = (call: PublicCall): PublicCall => ({
  ...call,
  legs: call.legs.slice(0, 1),
  records: [],
  logs: [],
});

function draftOf(change: Change, at: number): Draft {
  const { call, leg } = change;
  switch (change.of) {
    case 'record':
      return recordTold(call, change.recording, change.event);
    case 'transcript':
      return transcriptTold(call, change.recording, change.event);
    case 'verb':
      return verbTold(change.verb);
    case 'answer':
      return verbTold({ ...ANSWERED, document: change.document, startedAt: leg.answerOn!, at: leg.answerOn! });
    case 'bridge':
      return stateTold(leg, 'bridged', at, { bridged_with: change.with });
    case 'state':
      return stateTold(leg, change.state, at, endOf(leg));
  }
}

/** As its Answer verb would be told, but for its place. */
const ANSWERED = { name: 'Answer', path: '', success: true, reason: 'answered', tag: '' };

const stateTold = (leg: PublicLeg, state: string, at: number, more: Record<string, unknown>): Draft => ({
  type: 'call_state',
  message: `CallSCA ${directionOf(leg)} ${leg.from} > ${toOf(leg)} - ${state}`,
  payload: { state, duration: secondsOf(leg, at), ...more },
});

const NORMAL_CLEARING = 16;

/** Why a leg ended; `failed` where it was refused or not reached, not where it was given up (reference 5.4). */
function endOf({ state, answerOn, q850, reason }: PublicLeg): Record<string, unknown> {
  if (state !== 'hangup' && state !== 'destroyed') return {};
  const isFailed = answerOn === undefined && q850 !== NORMAL_CLEARING;
  return { reason: reason ?? '', ...(isFailed && { status: 'failed' }) };
}

function verbTold({ element, startedAt, at, ...verb }: VerbChange['verb']): Draft {
  const { name, path, success, reason, tag, document } = verb;
  const command = { name, path, success, reason, tag, document };
  return {
    type: 'call_flow',
    message: `${name} success: ${success}, reason: ${reason}, path: ${path}`,
    payload: { command: name, ...command },
    callFlow: {
      ...command,
      state: success ? 'success' : 'failed',
      command: name,
      element: element === undefined ? null : JSON.parse(element),
      created_on: new Date(startedAt).toISOString(),
      modified_on: new Date(at).toISOString(),
    },
  };
}

type VerbChange = Extract<Change, { of: 'verb' }>;
