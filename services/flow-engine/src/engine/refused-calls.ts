/**
 * Calls of which the log refused an event for its data. Nothing of its append was written, so its partition is taken again,
 * and that call alone is faulted; where the log refuses its fault as well, nothing more is said of it.
 */
import { createBoundedMap } from '@opentact/runtime';
import type { Loaded } from './memory.ts';

const CALLS_MAX = 1_000;
const BYTES_MAX = 1024 * 1024;

export type RefusedCalls = {
  /** The log refused what these calls would append. */
  learn(callIds: readonly string[], error: Error): void;
  has(callId: string): boolean;
  /** A partition was taken: its refused calls that live are broken; those that could not even be faulted are forgotten. */
  mark(loaded: Pick<Loaded, 'calls' | 'broken'>): void;
};

export function createRefusedCalls(): RefusedCalls {
  const refused = createBoundedMap<{ error: Error; times: number }>(CALLS_MAX, BYTES_MAX);
  return {
    learn(callIds, error) {
      for (const id of callIds) refused.set(id, { error, times: (refused.get(id)?.times ?? 0) + 1 });
    },
    has: (callId) => refused.get(callId) !== undefined,
    mark({ calls, broken }) {
      for (const id of [...calls.keys()]) {
        const found = refused.get(id);
        if (found && found.times > 1) calls.delete(id);
        else if (found) broken.set(id, found.error);
      }
    },
  };
}
