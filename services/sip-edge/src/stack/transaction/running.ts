// Runs one transaction's state machine: keeps its state and timers, does its outputs in order.
// All four kinds run here; what they mean stands in their own files.

import type { Peer } from '../transport/peer.ts';
import type { Clock } from './clock.ts';
import type { Output, Step } from './output.ts';
import type { TimerName } from './timers.ts';

type TimerInput = { type: 'timer'; timer: TimerName } | { type: 'transport-failed' };

/** What is left for the owner of a transaction once transmitting and timing are done here. */
export type Rest = Exclude<Output, { type: 'transmit' | 'start' | 'stop' }>;

export type Running<S, I> = {
  readonly state: S;
  feed(input: I): void;
  /** Ends without a word: timers are off, nothing more is told. */
  abandon(): void;
};

export function run<S, I>(
  first: Step<S>,
  transition: (state: S, input: I | TimerInput) => Step<S>,
  peer: Peer,
  clock: Clock,
  rest: (output: Rest) => void,
): Running<S, I> {
  let state = first.state;
  let over = false;
  const timers = new Map<TimerName, () => void>();

  function feed(input: I | TimerInput): void {
    if (over) return;
    const step = transition(state, input);
    state = step.state;
    for (const output of step.outputs) perform(output);
  }

  function perform(output: Output): void {
    // A send that failed at once may have ended this transaction while its other outputs still wait.
    if (over) return;
    switch (output.type) {
      case 'transmit':
        peer.send(output.bytes, () => feed({ type: 'transport-failed' }));
        return;
      case 'start':
        timers.get(output.timer)?.();
        timers.set(
          output.timer,
          clock.after(output.ms, () => fire(output.timer)),
        );
        return;
      case 'stop':
        timers.get(output.timer)?.();
        timers.delete(output.timer);
        return;
      case 'terminated':
        over = true;
        stopAll();
        rest(output);
        return;
      default:
        rest(output);
    }
  }

  function stopAll(): void {
    for (const stop of timers.values()) stop();
    timers.clear();
  }

  function fire(timer: TimerName): void {
    timers.delete(timer);
    feed({ type: 'timer', timer });
  }

  for (const output of first.outputs) perform(output);
  return {
    get state() {
      return state;
    },
    feed,
    abandon() {
      over = true;
      stopAll();
    },
  };
}
