// Server transaction of every method but INVITE and ACK (RFC 3261 17.2.2), without sockets or clocks.
// A second final answer is refused as too late.

import type { Output, Step } from './output.ts';
import { TIMER_B_F_H_MS, type TimerName } from './timers.ts';

export type ServerOtherState =
  | { name: 'trying'; reliable: boolean }
  | { name: 'proceeding'; reliable: boolean; last: Buffer }
  | { name: 'completed'; reliable: boolean; last: Buffer }
  | { name: 'terminated'; reliable: boolean };

export type ServerOtherInput =
  | { type: 'request' }
  | { type: 'send'; status: number; bytes: Buffer }
  | { type: 'timer'; timer: TimerName }
  | { type: 'transport-failed' };

export function serverOther(reliable: boolean): ServerOtherState {
  return { name: 'trying', reliable };
}

export function serverOtherTransition(state: ServerOtherState, input: ServerOtherInput): Step<ServerOtherState> {
  switch (state.name) {
    case 'trying':
      return trying(state, input);
    case 'proceeding':
      return proceeding(state, input);
    case 'completed':
      return completed(state, input);
    case 'terminated':
      return { state, outputs: input.type === 'send' ? [{ type: 'too-late' }] : [] };
  }
}

// RFC 3261 17.2.2, "Trying": a repeated request is discarded, nothing was answered yet.
function trying(state: ServerOtherState, input: ServerOtherInput): Step<ServerOtherState> {
  if (input.type === 'send') return send(state.reliable, input.status, input.bytes);
  if (input.type === 'transport-failed') return end(state, [{ type: 'transport-failed' }]);
  return { state, outputs: [] };
}

function send(reliable: boolean, status: number, bytes: Buffer): Step<ServerOtherState> {
  const outputs: Output[] = [{ type: 'transmit', bytes }];
  if (status < 200) return { state: { name: 'proceeding', reliable, last: bytes }, outputs };
  // On a reliable transport timer J is zero: nothing will be repeated.
  if (reliable) return end({ name: 'completed', reliable, last: bytes }, outputs);
  outputs.push({ type: 'start', timer: 'J', ms: TIMER_B_F_H_MS });
  return { state: { name: 'completed', reliable, last: bytes }, outputs };
}

// RFC 3261 17.2.2, "Proceeding": a repeated request gets the last provisional answer.
function proceeding(
  state: Extract<ServerOtherState, { name: 'proceeding' }>,
  input: ServerOtherInput,
): Step<ServerOtherState> {
  if (input.type === 'request') return { state, outputs: [{ type: 'transmit', bytes: state.last }] };
  return trying(state, input);
}

// RFC 3261 17.2.2, "Completed": a repeated request gets the final answer until timer J fires.
function completed(
  state: Extract<ServerOtherState, { name: 'completed' }>,
  input: ServerOtherInput,
): Step<ServerOtherState> {
  switch (input.type) {
    case 'request':
      return { state, outputs: [{ type: 'transmit', bytes: state.last }] };
    case 'send':
      return { state, outputs: [{ type: 'too-late' }] };
    case 'timer':
      return input.timer === 'J' ? end(state, []) : { state, outputs: [] };
    case 'transport-failed':
      return end(state, [{ type: 'transport-failed' }]);
  }
}

function end(state: ServerOtherState, outputs: Output[]): Step<ServerOtherState> {
  outputs.push({ type: 'terminated' });
  return { state: { name: 'terminated', reliable: state.reliable }, outputs };
}
