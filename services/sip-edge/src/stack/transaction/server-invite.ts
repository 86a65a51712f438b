// INVITE server transaction (RFC 3261 17.2.1 with the Accepted state of RFC 6026 7.1), without sockets or clocks.
// It judges the race of CANCEL against 200: whichever arrives first in Proceeding wins, the other is too late.

import type { SipRequest } from '../message/message.ts';
import type { Output, Step } from './output.ts';
import { doubled, T1_MS, T4_MS, TIMER_B_F_H_MS, type TimerName } from './timers.ts';

export type ServerInviteState =
  | { name: 'proceeding'; reliable: boolean; repeats: number; last?: Buffer }
  | { name: 'completed'; reliable: boolean; repeats: number; last: Buffer; intervalMs: number }
  | { name: 'accepted'; reliable: boolean }
  | { name: 'confirmed'; reliable: boolean }
  | { name: 'terminated'; reliable: boolean };

export type ServerInviteInput =
  | { type: 'invite' }
  | { type: 'ack'; request: SipRequest }
  /** `refusal` is the 487 to send if the CANCEL is in time. */
  | { type: 'cancel'; request: SipRequest; refusal: Buffer }
  | { type: 'send'; status: number; bytes: Buffer }
  | { type: 'timer'; timer: TimerName }
  | { type: 'transport-failed' };

/**
 * A new transaction; the INVITE was already given to the user, who sends 100 at once (RFC 3261 17.2.1). `repeats`: how
 * often timer G may repeat a refusal.
 */
export function serverInvite(reliable: boolean, repeats = Number.POSITIVE_INFINITY): ServerInviteState {
  return { name: 'proceeding', reliable, repeats };
}

export function serverInviteTransition(state: ServerInviteState, input: ServerInviteInput): Step<ServerInviteState> {
  switch (state.name) {
    case 'proceeding':
      return proceeding(state, input);
    case 'completed':
      return completed(state, input);
    case 'accepted':
      return accepted(state, input);
    case 'confirmed':
      return confirmed(state, input);
    case 'terminated':
      return stay(state, input.type === 'send' ? [{ type: 'too-late' }] : []);
  }
}

type Of<N extends ServerInviteState['name']> = Extract<ServerInviteState, { name: N }>;

// RFC 3261 17.2.1, "Proceeding": a repeated INVITE gets the last provisional answer again.
function proceeding(state: Of<'proceeding'>, input: ServerInviteInput): Step<ServerInviteState> {
  switch (input.type) {
    case 'invite':
      return stay(state, state.last ? [{ type: 'transmit', bytes: state.last }] : []);
    case 'cancel':
      return refuse(state, input.refusal, [{ type: 'cancelled', request: input.request }]);
    case 'send':
      if (input.status < 200) {
        return stay({ ...state, last: input.bytes }, [{ type: 'transmit', bytes: input.bytes }]);
      }
      return input.status < 300 ? accept(state.reliable, input.bytes) : refuse(state, input.bytes, []);
    case 'transport-failed':
      return end(state, [{ type: 'transport-failed' }]);
    default:
      return stay(state, []);
  }
}

function refuse({ reliable, repeats }: Of<'proceeding'>, bytes: Buffer, outputs: Output[]): Step<ServerInviteState> {
  outputs.push({ type: 'transmit', bytes }, { type: 'start', timer: 'H', ms: TIMER_B_F_H_MS });
  if (!reliable) outputs.push({ type: 'start', timer: 'G', ms: T1_MS });
  return { state: { name: 'completed', reliable, repeats, last: bytes, intervalMs: T1_MS }, outputs };
}

// RFC 6026 7.1: a 2xx no longer ends the transaction, so that late INVITEs are absorbed.
function accept(reliable: boolean, bytes: Buffer): Step<ServerInviteState> {
  return {
    state: { name: 'accepted', reliable },
    outputs: [
      { type: 'transmit', bytes },
      { type: 'start', timer: 'L', ms: TIMER_B_F_H_MS },
    ],
  };
}

// RFC 3261 17.2.1, "Completed": the refusal is repeated until its ACK comes or timer H fires.
function completed(state: Of<'completed'>, input: ServerInviteInput): Step<ServerInviteState> {
  switch (input.type) {
    case 'invite':
      return stay(state, [{ type: 'transmit', bytes: state.last }]);
    case 'timer': {
      if (input.timer === 'H') return end(state, [{ type: 'timeout' }]);
      if (input.timer !== 'G' || state.repeats <= 0) return stay(state, []);
      const intervalMs = doubled(state.intervalMs);
      return stay({ ...state, intervalMs, repeats: state.repeats - 1 }, [
        { type: 'transmit', bytes: state.last },
        { type: 'start', timer: 'G', ms: intervalMs },
      ]);
    }
    case 'ack':
      return acknowledged(state.reliable);
    case 'send':
      return stay(state, [{ type: 'too-late' }]);
    case 'transport-failed':
      return end(state, [{ type: 'transport-failed' }]);
    default:
      return stay(state, []);
  }
}

function acknowledged(reliable: boolean): Step<ServerInviteState> {
  const outputs: Output[] = [{ type: 'stop', timer: 'G' }, { type: 'stop', timer: 'H' }, { type: 'confirmed' }];
  if (reliable) return end({ name: 'confirmed', reliable }, outputs);
  outputs.push({ type: 'start', timer: 'I', ms: T4_MS });
  return { state: { name: 'confirmed', reliable }, outputs };
}

// RFC 6026 7.1, "Accepted": INVITEs are absorbed, ACKs go up, the user repeats its 2xx through here.
function accepted(state: Of<'accepted'>, input: ServerInviteInput): Step<ServerInviteState> {
  switch (input.type) {
    case 'ack':
      return stay(state, [{ type: 'ack', request: input.request }]);
    case 'send':
      if (input.status < 200 || input.status > 299) return stay(state, [{ type: 'too-late' }]);
      return stay(state, [{ type: 'transmit', bytes: input.bytes }]);
    case 'timer':
      return input.timer === 'L' ? end(state, []) : stay(state, []);
    default:
      return stay(state, []);
  }
}

// RFC 3261 17.2.1, "Confirmed": repeated ACKs are absorbed until timer I fires.
function confirmed(state: Of<'confirmed'>, input: ServerInviteInput): Step<ServerInviteState> {
  if (input.type === 'timer' && input.timer === 'I') return end(state, []);
  return stay(state, input.type === 'send' ? [{ type: 'too-late' }] : []);
}

function stay(state: ServerInviteState, outputs: Output[]): Step<ServerInviteState> {
  return { state, outputs };
}

function end(state: ServerInviteState, outputs: Output[]): Step<ServerInviteState> {
  outputs.push({ type: 'terminated' });
  return { state: { name: 'terminated', reliable: state.reliable }, outputs };
}
