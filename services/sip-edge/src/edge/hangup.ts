// Ends a leg by whatever its state calls for: a refusal, a CANCEL, a BYE, or nothing where it is over already.
// It never lets one leg end twice in the story.

import type { CallEvent, FactOf } from '@opentact/proto';
import { byeBecause, sendBye } from '../uac/bye.ts';
import { cancelDial } from '../uac/callee.ts';
import { sendWithin } from '../uac/in-dialog-request.ts';
import { refuse } from '../uas/caller.ts';
import type { EdgeCall, Leg } from './call.ts';
import { statusOfCause } from './causes.ts';
import { type Context, leaveAccount } from './context.ts';

type Hangup = CallEvent<FactOf<'HangupRequested'>>;

export function hangUp(context: Context, leg: Leg, ask: Hangup): void {
  if (leg.state === 'ended') return;
  if (leg.state === 'arrived') {
    if (leg.kind === 'caller') refuse(context, leg, ask.status || statusOfCause(ask.q850), ask.q850 || 16);
  } else if (leg.state === 'answered') {
    // A callee may not hang up before its 2xx is acknowledged or given up (RFC 3261 15).
    if (leg.unconfirmed) leg.hangup ??= ask;
    else sendBye(context, leg, ask);
  } else {
    leg.hangup ??= ask;
    if (leg.state === 'dialling') cancelDial(context, leg);
  }
}

/** The edge leaves: what still lives is hung up, and the story is told that it was us. */
export function hangUpAll(context: Context, call: EdgeCall): void {
  for (const leg of call.legs.values()) {
    // No request can come any more, so the next number is free.
    const seq = leg.lastSeq + 1;
    const why = { status: 503, q850: 41, reason: 'edge-leaves', owner: 'us' };
    hangUp(context, leg, { type: 'HangupRequested', callId: call.id, seq, at: 0, leg: leg.number, ...why });
  }
}

/** Releases whatever the edge still holds of a call that nobody knows any more. Nothing is reported. */
export function release(context: Context, callId: string): void {
  const call = context.calls.get(callId);
  if (!call) return;
  const ask: Omit<Hangup, 'leg'> = {
    type: 'HangupRequested',
    callId,
    seq: 0,
    at: 0,
    status: 503,
    q850: 41,
    reason: 'gone',
    owner: 'us',
  };
  for (const leg of call.legs.values()) {
    if (leg.state === 'ended') continue;
    if (leg.state === 'answered') {
      sendWithin(context, leg, byeBecause(context, callId, leg.lastSeq, `gone/${leg.number}`));
    } else hangUp(context, leg, { ...ask, leg: leg.number });
    leg.state = 'ended';
    leg.unconfirmed?.over();
  }
  call.forgetting?.();
  leaveAccount(context, call);
  context.calls.delete(callId);
  context.link.forget(callId);
}
