// A 2xx on its way to the caller (RFC 3261 13.3.1.4): repeated until its ACK comes, over every transport,
// and after 64·T1 without one the caller is gone. Pure; timers are inputs and outputs.

import { doubled, GIVE_UP_MS, T1_MS } from '../transaction/timers.ts';

export type AnswerState =
  | { name: 'unconfirmed'; bytes: Buffer; intervalMs: number }
  | { name: 'confirmed' }
  | { name: 'no-ack' };

export type AnswerInput = { type: 'ack' } | { type: 'timer'; timer: 'repeat' | 'give-up' } | { type: 'over' };

export type AnswerOutput =
  | { type: 'transmit'; bytes: Buffer }
  | { type: 'start'; timer: 'repeat' | 'give-up'; ms: number }
  | { type: 'stop' }
  | { type: 'confirmed' }
  | { type: 'no-ack' };

export type AnswerStep = { state: AnswerState; outputs: AnswerOutput[] };

/** The first copy was sent by the server transaction. */
export function answerSent(bytes: Buffer): AnswerStep {
  return {
    state: { name: 'unconfirmed', bytes, intervalMs: T1_MS },
    outputs: [
      { type: 'start', timer: 'repeat', ms: T1_MS },
      { type: 'start', timer: 'give-up', ms: GIVE_UP_MS },
    ],
  };
}

export function answerTransition(state: AnswerState, input: AnswerInput): AnswerStep {
  if (state.name !== 'unconfirmed') return { state, outputs: [] };
  switch (input.type) {
    case 'ack':
      return { state: { name: 'confirmed' }, outputs: [{ type: 'stop' }, { type: 'confirmed' }] };
    case 'over':
      return { state: { name: 'no-ack' }, outputs: [{ type: 'stop' }] };
    case 'timer':
      return input.timer === 'repeat' ? repeat(state) : gone();
  }
}

// RFC 3261 13.3.1.4: at T1, then twice as long each time up to T2, whatever the transport.
function repeat(state: Extract<AnswerState, { name: 'unconfirmed' }>): AnswerStep {
  const intervalMs = doubled(state.intervalMs);
  return {
    state: { ...state, intervalMs },
    outputs: [
      { type: 'transmit', bytes: state.bytes },
      { type: 'start', timer: 'repeat', ms: intervalMs },
    ],
  };
}

function gone(): AnswerStep {
  return { state: { name: 'no-ack' }, outputs: [{ type: 'stop' }, { type: 'no-ack' }] };
}
