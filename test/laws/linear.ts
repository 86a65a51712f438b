/**
 * Judges whether work over outside text grows with its length and no faster. It times a short and a long input and compares the
 * fastest of several runs, so that a busy machine doesn't decide; what takes next to no time is not judged by a ratio. (A
 * thread's processor time won't do: the system counts it too coarsely.)
 */

/** Below this a ratio says nothing: the clock and the collector are part of it. */
const JUDGED_FROM_MS = 6;
/** Linear work takes eight times as long on eight times as much; quadratic work sixty-four times. */
const TIMES = 8;
const RATIO_MAX = 36;
const RUNS = 3;
/** A short text takes next to no time: one slow reading of it would hide what grows. */
const SHORT_RUNS = 12;
const ROUNDS = 8;
/** What takes long enough to be judged is timed so often, whatever it looks like: a slow reading of the short text would hide what grows. */
const ROUNDS_LEAST = 3;

/** A text of about `n` characters, made so that a careless pattern would go back over it again and again. */
export type Shape = { name: string; make: (n: number) => string };

/** The shapes on which `work` grows faster than its input, in words; empty where none does. */
export function growsFaster(shapes: readonly Shape[], chars: number, work: (text: string) => unknown): string[] {
  const found: string[] = [];
  for (const { name, make } of shapes) {
    const [short, long] = [make(chars / TIMES), make(chars)];
    let [small, large] = [fastest(work, short, SHORT_RUNS), fastest(work, long, RUNS)];
    // What looks too slow is timed again: growth stays, a busy moment doesn't.
    const isOpen = (round: number) => isTooFast(small, large) || (round < ROUNDS_LEAST && large > JUDGED_FROM_MS);
    for (let round = 1; round < ROUNDS && isOpen(round); round++)
      [small, large] = [Math.min(small, fastest(work, short, RUNS)), Math.min(large, fastest(work, long, RUNS))];
    if (isTooFast(small, large))
      found.push(
        `${name}: ${small.toFixed(2)} ms for ${short.length} characters, ${large.toFixed(2)} ms for ${long.length}`,
      );
  }
  return found;
}

const isTooFast = (small: number, large: number) =>
  large > JUDGED_FROM_MS && large / Math.max(small, JUDGED_FROM_MS / RATIO_MAX) > RATIO_MAX;

function fastest(work: (text: string) => unknown, text: string, runs: number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runs; run++) {
    const started = performance.now();
    work(text);
    best = Math.min(best, performance.now() - started);
  }
  return best;
}
