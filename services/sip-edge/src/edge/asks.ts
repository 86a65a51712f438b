// What the engine asks of the edge, each to its own function. Asked twice, it is done once.
// A request about a leg that nobody holds here is answered by its end, once, so that it does not wait for ever.

import type { CallEvent, FactOf } from '@opentact/proto';
import { adopt } from '../cluster/adoption.ts';
import { dial } from '../uac/callee.ts';
import { findGroup, locate } from '../uac/look-ups.ts';
import { answer, ring } from '../uas/caller.ts';
import { answerOffer, offer } from '../uas/offers.ts';
import { type EdgeCall, type Leg, newCall } from './call.ts';
import { type CallKeeping, type Context, forgetWhenOver, report } from './context.ts';
import { hangUp } from './hangup.ts';

export function serve(context: Context, event: CallEvent): void {
  switch (event.type) {
    case 'DialRequested':
      return begin(context, event);
    case 'AdoptRequested':
      return take(context, event);
    case 'RingRequested':
    case 'AnswerRequested':
    case 'HangupRequested':
    case 'OfferRequested':
    case 'OfferAnswerRequested':
    case 'LocationRequested':
    case 'GroupRequested': {
      const leg = context.calls.get(event.callId)?.legs.get(event.leg);
      if (!leg) return stranger(context, event.callId, event.leg);
      leg.lastSeq = Math.max(leg.lastSeq, event.seq);
      return serveLeg(context, leg, event);
    }
    default:
      context.log.warn({ callId: event.callId, seq: event.seq, type: event.type }, 'no request of the edge');
  }
}

type LegAsk = Extract<
  CallEvent,
  {
    type:
      | 'RingRequested'
      | 'AnswerRequested'
      | 'HangupRequested'
      | 'OfferRequested'
      | 'OfferAnswerRequested'
      | 'LocationRequested'
      | 'GroupRequested';
  }
>;

function serveLeg(context: Context, leg: Leg, event: LegAsk): void {
  switch (event.type) {
    case 'HangupRequested':
      return hangUp(context, leg, event);
    case 'OfferRequested':
      return offer(context, leg, event);
    case 'OfferAnswerRequested':
      return answerOffer(context, leg, event);
    case 'RingRequested':
      return leg.kind === 'caller' ? ring(context, leg, event) : undefined;
    case 'AnswerRequested':
      return leg.kind === 'caller' ? answer(context, leg, event) : undefined;
    case 'LocationRequested':
      return locate(context, event);
    case 'GroupRequested':
      return findGroup(context, event);
  }
}

function callOf(context: Pick<Context, 'calls'>, callId: string): EdgeCall {
  const known = context.calls.get(callId);
  if (known) return known;
  const call = newCall(callId);
  call.told = true;
  context.calls.set(callId, call);
  return call;
}

function begin(context: Context, event: CallEvent<FactOf<'DialRequested'>>): void {
  const { callId, leg, seq: requestId } = event;
  // What is older than an adoption was asked of the edge that was lost, and so was what comes before one.
  const resumed = !context.calls.has(callId) || requestId < context.calls.get(callId)!.adoptedAt;
  const call = callOf(context, callId);
  // Its end was told before its beginning was asked for: over is over.
  if (call.strangers.has(leg)) return;
  dial(context, call, event, resumed).catch((error: Error) => {
    context.log.error({ callId, leg, error: error.message }, 'a dial failed');
    report(context, callId, { type: 'DialFailed', requestId, leg, status: 0, q850: 41, reason: 'unreachable' });
  });
}

function take(context: Context, event: CallEvent<FactOf<'AdoptRequested'>>): void {
  const { callId, leg } = event;
  adopt(context, callOf(context, callId), event).catch((error: Error) => {
    context.log.error({ callId, leg, error: error.message }, 'an adoption failed');
    report(context, callId, { type: 'LegEnded', leg, by: 'us', status: 0, q850: 41, reason: 'no-dialog' });
  });
}

function stranger(context: CallKeeping, callId: string, leg: number): void {
  const call = callOf(context, callId);
  if (call.strangers.has(leg)) return;
  call.strangers.add(leg);
  report(context, callId, { type: 'LegEnded', leg, by: 'us', status: 0, q850: 41, reason: 'no-dialog' });
  forgetWhenOver(context, call);
}
