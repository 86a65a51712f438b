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
  const timers = createTimers(clock, (timer) => feed({ type: 'timer', timer }));

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
        return timers.start(output.timer, output.ms);
      case 'stop':
        return timers.stop(output.timer);
      case 'terminated':
        over = true;
        timers.stopAll();
        rest(output);
        return;
      default:
        rest(output);
    }
  }

  for (const output of first.outputs) perform(output);
  return {
    get state() {
      return state;
    },
    feed,
    abandon() {
      over = true;
      timers.stopAll();
    },
  };
}

/** One timer of each name at most; started again it begins anew. */
function createTimers(clock: Clock, fire: (timer: TimerName) => void) {
  const running = new Map<TimerName, () => void>();
  function stop(timer: TimerName): void {
    running.get(timer)?.();
    running.delete(timer);
  }
  return {
    stop,
    start(timer: TimerName, ms: number): void {
      stop(timer);
      const expired = () => {
        running.delete(timer);
        fire(timer);
      };
      running.set(timer, clock.after(ms, expired));
    },
    stopAll(): void {
      for (const stopOne of running.values()) stopOne();
      running.clear();
    },
  };
}
