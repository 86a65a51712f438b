/**
 * What follows from one event. Each concern looks at the event by itself and adds what it chooses; the order of
 * concerns is the order of asking. An ended call chooses only releases.
 */
import type { CallEvent, Decided } from '@opentact/proto/events';
import { helperOf } from '@opentact/proto/requests';
import { address } from './address.ts';
import type { Call } from './call.ts';
import { documents } from './documents.ts';
import { ending, releases } from './ending.ts';
import { advance, quiet, react } from './flow.ts';
import { helpers, lookFor } from './helpers.ts';
import { isOtherWay } from './keys.ts';
import type { Parse } from './language/parse.ts';
import { acceptAnswer } from './media.ts';
import { outbound } from './outbound.ts';
import { peers } from './peers.ts';
import { hangup } from './performer.ts';
import { recordOrdered } from './record-calls.ts';
import { adoption, moving } from './recovery.ts';
import { renegotiation } from './renegotiation.ts';
import { isStale } from './requests.ts';
import { transcripts } from './transcripts.ts';

/** The choices that follow from the event; `call` has already learned it. */
export function decide(call: Call, event: CallEvent, parse: Parse): Decided[] {
  return withHelpers(call, choices(call, event, parse)).map((decided) => address(call, decided));
}

/** What is wanted of a helper that the call hasn't needs one first; `NodeAssigned` then asks for it. */
function withHelpers(call: Call, decided: Decided[]): Decided[] {
  const wanted = new Set(decided.map((d) => helperOf(d.type)).filter((kind) => kind && !call[kind]));
  const looked = [...wanted].flatMap((kind) => lookFor(call, kind!));
  return looked.length > 0 ? [...looked, ...decided] : decided;
}

/** What the flow does next, once everything chosen so far is learned; empty while something is awaited. */
export function goOn(call: Call): Decided[] {
  return advance(call).map((decided) => address(call, decided));
}

function choices(call: Call, event: CallEvent, parse: Parse): Decided[] {
  if (call.state === 'new' || (event.type === 'CallArrived' && event.seq > 1)) return [];
  if (isOtherWay(call, event)) return [];
  if (event.type === 'CallFaulted') return call.ended ? [] : ending(call, event);
  if (isStale(call, event)) return releases(call, event);
  if (call.state !== 'live') return [...releases(call, event), ...adoption(call, event), ...transcripts(call, event)];
  const over = ending(call, event);
  if (over.length > 0) return over;
  return [
    ...setUp(call, event),
    ...outbound(call, event),
    ...recordOrdered(call, event),
    ...documents(call, event, parse),
    ...helpers(call, event),
    ...peers(call, event),
    ...adoption(call, event),
    ...moving(call, event),
    ...renegotiation(call, event),
    ...releases(call, event),
    ...transcripts(call, event),
    ...react(call, event),
  ];
}

const MAX_LENGTH_DEFAULT_MS = 4 * 3_600_000;

/** Media, notifier and the longest time, side by side. */
function setUp(call: Call, event: CallEvent): Decided[] {
  switch (event.type) {
    case 'CallArrived':
      return event.refusal === undefined ? begin(call, event.at) : [hangup('us', event.refusal, 21, 403)];
    case 'CallOrdered':
      return begin(call, event.at);
    case 'NodeAssigned':
      if (event.kind !== 'media' || call.legs[0]?.session || call.legs[0]?.moving || call.ending) return [];
      return [{ type: 'SessionRequested', leg: 0, offer: call.offer, sdpId: call.arrivedAt, sdpVersion: 1 }];
    case 'NodeUnavailable':
      if (event.kind !== 'media' || call.ending || call.legs[0]?.session) return [];
      return [call.legs[0]?.moving ? hangup('us', 'media-lost', 41, 500) : hangup('us', 'no-media', 34, 503)];
    case 'SessionFailed':
      if (event.leg !== 0) return [];
      if (event.reason === 'full') return [hangup('us', 'media-full', 34, 503)];
      return [event.reason === 'lost' ? hangup('us', 'media-lost', 41, 500) : hangup('caller', event.reason, 88, 488)];
    case 'VerbEnded': // the document's Error leaves every block: what a block recorded ends with it
      return event.branch === '/Error[0]' ? quiet(call) : [];
    case 'LegConfirmed': // a delayed offer is answered in the ACK
      return event.sdp ? acceptAnswer(call, event.leg, event.sdp) : [];
    default:
      return [];
  }
}

function begin(call: Call, at: number): Decided[] {
  const dueAt = at + (call.app.maxCallLengthMs || MAX_LENGTH_DEFAULT_MS);
  return [
    // The notifier first: the flow begins once media is assigned, and its first verb may ask for a document.
    { type: 'NodeRequested', kind: 'notifier', except: [] },
    { type: 'NodeRequested', kind: 'media', except: [] },
    { type: 'TimerSet', purpose: 'max-length', dueAt },
  ];
}
