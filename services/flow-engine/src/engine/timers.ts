/** The timers of a partition's calls: armed from the log, fired into the log. */
import type { Call } from '../domain/call.ts';

export type Timers = {
  /** Arms what the call waits for and disarms what it no longer does. */
  follow(call: Call): void;
  forget(callId: string): void;
  close(): void;
};

/** Longer waits are split, since the platform's timers hold 31 bits. */
const WAIT_MAX_MS = 2_000_000_000;

/** @param fire called at `dueAt` or later, once per timer. */
export function createTimers(
  now: () => number,
  fire: (callId: string, timerId: number, purpose: string) => void,
): Timers {
  const armed = new Map<string, Map<number, NodeJS.Timeout>>();

  function arm(call: Call, timerId: number): NodeJS.Timeout {
    const { dueAt, purpose } = call.timers[timerId]!;
    const wait = Math.max(0, dueAt - now());
    return setTimeout(
      () => {
        const mine = armed.get(call.id);
        if (wait > WAIT_MAX_MS) mine?.set(timerId, arm(call, timerId));
        // Facts that are already in the socket are heard first.
        else setImmediate(() => armed.get(call.id)?.has(timerId) && fire(call.id, timerId, purpose));
      },
      Math.min(wait, WAIT_MAX_MS),
    );
  }

  return {
    follow(call) {
      const wanted = Object.keys(call.timers);
      const mine = armed.get(call.id) ?? new Map<number, NodeJS.Timeout>();
      for (const [id, timeout] of mine)
        if (!call.timers[id]) {
          clearTimeout(timeout);
          mine.delete(id);
        }
      for (const id of wanted.map(Number)) if (!mine.has(id)) mine.set(id, arm(call, id));
      if (mine.size === 0) armed.delete(call.id);
      else armed.set(call.id, mine);
    },
    forget(callId) {
      for (const timeout of armed.get(callId)?.values() ?? []) clearTimeout(timeout);
      armed.delete(callId);
    },
    close() {
      for (const callId of [...armed.keys()]) this.forget(callId);
    },
  };
}
