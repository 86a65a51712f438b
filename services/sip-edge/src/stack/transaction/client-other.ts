// Client transaction of every method but INVITE and ACK (RFC 3261 17.1.2), without sockets or clocks.
// It gives up after 64·T1 whatever provisional answers came, so it can't hang on a 1xx.

import type { SipResponse } from '../message/message.ts';
import type { Output, Step } from './output.ts';
import { doubled, T1_MS, T2_MS, T4_MS, TIMER_B_F_H_MS, type TimerName } from './timers.ts';

type Kept = { reliable: boolean; request: Buffer };

export type ClientOtherState = Kept &
  ({ name: 'trying'; intervalMs: number } | { name: 'proceeding' } | { name: 'completed' } | { name: 'terminated' });

export type ClientOtherInput =
  | { type: 'response'; response: SipResponse }
  | { type: 'timer'; timer: TimerName }
  | { type: 'transport-failed' };

/** RFC 3261 17.1.2.2: the request goes out; E repeats it on unreliable transports, F gives up. */
export function clientOther(kept: Kept): Step<ClientOtherState> {
  const outputs: Output[] = [
    { type: 'transmit', bytes: kept.request },
    { type: 'start', timer: 'F', ms: TIMER_B_F_H_MS },
  ];
  if (!kept.reliable) outputs.push({ type: 'start', timer: 'E', ms: T1_MS });
  return { state: { ...kept, name: 'trying', intervalMs: T1_MS }, outputs };
}

export function clientOtherTransition(state: ClientOtherState, input: ClientOtherInput): Step<ClientOtherState> {
  switch (state.name) {
    case 'trying':
      return trying(state, input);
    case 'proceeding':
      return proceeding(state, input);
    case 'completed':
      return completed(state, input);
    case 'terminated':
      return { state, outputs: [] };
  }
}

// RFC 3261 17.1.2.2, "Trying": repeated at T1, 2·T1 … up to every T2.
function trying(state: Extract<ClientOtherState, { name: 'trying' }>, input: ClientOtherInput): Step<ClientOtherState> {
  if (input.type === 'timer' && input.timer === 'E') {
    const intervalMs = doubled(state.intervalMs);
    return { state: { ...state, intervalMs }, outputs: repeat(state, intervalMs) };
  }
  return waiting(state, input);
}

// RFC 3261 17.1.2.2, "Proceeding": still repeated, every T2.
function proceeding(state: ClientOtherState, input: ClientOtherInput): Step<ClientOtherState> {
  if (input.type === 'timer' && input.timer === 'E') return { state, outputs: repeat(state, T2_MS) };
  return waiting(state, input);
}

function repeat(state: ClientOtherState, ms: number): Output[] {
  return [
    { type: 'transmit', bytes: state.request },
    { type: 'start', timer: 'E', ms },
  ];
}

function waiting(state: ClientOtherState, input: ClientOtherInput): Step<ClientOtherState> {
  const { reliable, request } = state;
  if (input.type === 'transport-failed') return end(state, [{ type: 'transport-failed' }]);
  if (input.type === 'timer') return input.timer === 'F' ? end(state, [{ type: 'timeout' }]) : { state, outputs: [] };
  const told: Output = { type: 'response', response: input.response };
  if (input.response.status < 200) return { state: { reliable, request, name: 'proceeding' }, outputs: [told] };
  const outputs: Output[] = [{ type: 'stop', timer: 'E' }, { type: 'stop', timer: 'F' }, told];
  if (reliable) return end(state, outputs);
  return {
    state: { reliable, request, name: 'completed' },
    outputs: [...outputs, { type: 'start', timer: 'K', ms: T4_MS }],
  };
}

// RFC 3261 17.1.2.2, "Completed": repeated answers are absorbed until timer K fires.
function completed(state: ClientOtherState, input: ClientOtherInput): Step<ClientOtherState> {
  return input.type === 'timer' && input.timer === 'K' ? end(state, []) : { state, outputs: [] };
}

function end(state: ClientOtherState, outputs: Output[]): Step<ClientOtherState> {
  const { reliable, request } = state;
  return { state: { reliable, request, name: 'terminated' }, outputs: [...outputs, { type: 'terminated' }] };
}
