// INVITE client transaction (RFC 3261 17.1.1 with the Accepted state of RFC 6026 7.2), without sockets or clocks.
// It acknowledges refusals itself; the ACK of a 2xx belongs to the dialog and is never sent here.

import type { SipResponse } from '../message/message.ts';
import type { Output, Step } from './output.ts';
import { T1_MS, TIMER_B_F_H_MS, TIMER_D_MS, type TimerName } from './timers.ts';

/** `request` is what is repeated; `ack` composes the ACK of a refusal (RFC 3261 17.1.1.3). */
type Kept = { reliable: boolean; request: Buffer; ack: (response: SipResponse) => Buffer };

export type ClientInviteState = Kept &
  (
    | { name: 'calling'; intervalMs: number }
    | { name: 'proceeding' }
    | { name: 'completed'; lastAck: Buffer }
    | { name: 'accepted' }
    | { name: 'terminated' }
  );

export type ClientInviteInput =
  | { type: 'response'; response: SipResponse }
  | { type: 'timer'; timer: TimerName }
  | { type: 'transport-failed' };

/** RFC 3261 17.1.1.2: the request goes out; A repeats it on unreliable transports, B gives up. */
export function clientInvite(kept: Kept): Step<ClientInviteState> {
  const outputs: Output[] = [
    { type: 'transmit', bytes: kept.request },
    { type: 'start', timer: 'B', ms: TIMER_B_F_H_MS },
  ];
  if (!kept.reliable) outputs.push({ type: 'start', timer: 'A', ms: T1_MS });
  return { state: { ...kept, name: 'calling', intervalMs: T1_MS }, outputs };
}

/** An INVITE that another edge sent: it was answered 1xx there, so nothing is repeated here. */
export function clientInviteRinging(kept: Kept): Step<ClientInviteState> {
  return { state: { ...kept, name: 'proceeding' }, outputs: [] };
}

export function clientInviteTransition(state: ClientInviteState, input: ClientInviteInput): Step<ClientInviteState> {
  switch (state.name) {
    case 'calling':
      return calling(state, input);
    case 'proceeding':
      return proceeding(state, input);
    case 'completed':
      return completed(state, input);
    case 'accepted':
      return accepted(state, input);
    case 'terminated':
      return { state, outputs: [] };
  }
}

type Of<N extends ClientInviteState['name']> = Extract<ClientInviteState, { name: N }>;

// RFC 3261 17.1.1.2, "Calling": nothing was heard yet; timer A doubles without a cap.
function calling(state: Of<'calling'>, input: ClientInviteInput): Step<ClientInviteState> {
  if (input.type === 'response') return answered(state, input.response);
  if (input.type === 'transport-failed') return end(state, [{ type: 'transport-failed' }]);
  if (input.timer === 'B') return end(state, [{ type: 'timeout' }]);
  if (input.timer !== 'A') return { state, outputs: [] };
  const intervalMs = state.intervalMs * 2;
  return {
    state: { ...state, intervalMs },
    outputs: [
      { type: 'transmit', bytes: state.request },
      { type: 'start', timer: 'A', ms: intervalMs },
    ],
  };
}

// RFC 3261 17.1.1.2, "Proceeding": it rings, so nothing is repeated and nobody gives up here.
function proceeding(state: Of<'proceeding'>, input: ClientInviteInput): Step<ClientInviteState> {
  if (input.type === 'response') return answered(state, input.response);
  if (input.type === 'transport-failed') return end(state, [{ type: 'transport-failed' }]);
  return { state, outputs: [] };
}

function answered(state: ClientInviteState, response: SipResponse): Step<ClientInviteState> {
  const { reliable, request, ack } = state;
  const quiet: Output[] = [
    { type: 'stop', timer: 'A' },
    { type: 'stop', timer: 'B' },
  ];
  const told: Output = { type: 'response', response };
  if (response.status < 200) {
    return { state: { reliable, request, ack, name: 'proceeding' }, outputs: [...quiet, told] };
  }
  if (response.status < 300) {
    const outputs: Output[] = [...quiet, told, { type: 'start', timer: 'M', ms: TIMER_B_F_H_MS }];
    return { state: { reliable, request, ack, name: 'accepted' }, outputs };
  }
  const lastAck = ack(response);
  const outputs: Output[] = [...quiet, { type: 'transmit', bytes: lastAck }, told];
  const next: ClientInviteState = { reliable, request, ack, name: 'completed', lastAck };
  if (reliable) return end(next, outputs);
  return { state: next, outputs: [...outputs, { type: 'start', timer: 'D', ms: TIMER_D_MS }] };
}

// RFC 3261 17.1.1.2, "Completed": each repeated refusal is acknowledged again, the user is not told twice.
function completed(state: Of<'completed'>, input: ClientInviteInput): Step<ClientInviteState> {
  if (input.type === 'response') {
    return { state, outputs: input.response.status >= 300 ? [{ type: 'transmit', bytes: state.lastAck }] : [] };
  }
  if (input.type === 'transport-failed') return end(state, [{ type: 'transport-failed' }]);
  return input.timer === 'D' ? end(state, []) : { state, outputs: [] };
}

// RFC 6026 7.2, "Accepted": every 2xx, repeated or of another fork, goes up until timer M fires.
function accepted(state: Of<'accepted'>, input: ClientInviteInput): Step<ClientInviteState> {
  if (input.type === 'response') {
    const { response } = input;
    return { state, outputs: response.status >= 200 && response.status < 300 ? [{ type: 'response', response }] : [] };
  }
  return input.type === 'timer' && input.timer === 'M' ? end(state, []) : { state, outputs: [] };
}

function end(state: ClientInviteState, outputs: Output[]): Step<ClientInviteState> {
  const { reliable, request, ack } = state;
  return { state: { reliable, request, ack, name: 'terminated' }, outputs: [...outputs, { type: 'terminated' }] };
}
