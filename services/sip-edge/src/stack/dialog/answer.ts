// A 2xx on its way to the caller (RFC 3261 13.3.1.4): repeated until its ACK comes, over every transport,
// and after 64·T1 without one the caller is gone. It refuses to repeat it more often than it may to whoever may be forged.
// Pure; timers are inputs and outputs.

import { doubled, T1_MS, TIMER_B_F_H_MS } from '../transaction/timers.ts';

export type AnswerState =
  | { name: 'unconfirmed'; bytes: Buffer; intervalMs: number; repeats: number }
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

/** The first copy was sent by the server transaction. @param repeats how many more may be sent */
export function answerSent(bytes: Buffer, repeats = Number.POSITIVE_INFINITY): AnswerStep {
  return {
    state: { name: 'unconfirmed', bytes, intervalMs: T1_MS, repeats },
    outputs: [
      { type: 'start', timer: 'repeat', ms: T1_MS },
      { type: 'start', timer: 'give-up', ms: TIMER_B_F_H_MS },
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
  if (state.repeats === 0) return { state, outputs: [] };
  const intervalMs = doubled(state.intervalMs);
  return {
    state: { ...state, intervalMs, repeats: state.repeats - 1 },
    outputs: [
      { type: 'transmit', bytes: state.bytes },
      { type: 'start', timer: 'repeat', ms: intervalMs },
    ],
  };
}

function gone(): AnswerStep {
  return { state: { name: 'no-ack' }, outputs: [{ type: 'stop' }, { type: 'no-ack' }] };
}
