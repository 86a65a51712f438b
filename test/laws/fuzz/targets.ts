/** What the fuzzer can try: documents, and everything that comes over the wire. One input by one seed, and what is wrong. */
import { threadCpuMs } from '@opentact/runtime/testing';
import { randomOf } from '../random-document.ts';
import { type Failure, fuzzOnce } from './fuzz.ts';
import { WIRE } from './wire.ts';

export type Target = {
  name: string;
  /** How many `--all` tries. */
  runs: number;
  once(seed: number): Failure | undefined;
};

/** Longer than this is a hang for whoever shares the thread, ms. */
const LATE_MS = 50;

export const TARGETS: Target[] = [
  { name: 'documents', runs: 100_000, once: fuzzOnce },
  ...WIRE.map(({ name, make, take }) => ({
    name,
    runs: name === 'sip' ? 1_000_000 : 100_000,
    once(seed: number): Failure | undefined {
      const bytes = make(randomOf(seed));
      const judge = () => {
        const started = threadCpuMs();
        take(bytes);
        return threadCpuMs() - started;
      };
      try {
        // A collection of garbage may fall into it: what is late three times is late.
        const tookMs = [judge, judge, judge].reduce(
          (best, run) => (best > LATE_MS ? Math.min(best, run()) : best),
          Number.POSITIVE_INFINITY,
        );
        return tookMs > LATE_MS
          ? { seed, fault: `late: ${tookMs.toFixed(0)} ms`, document: bytes.toString('latin1') }
          : undefined;
      } catch (error) {
        return { seed, fault: (error as Error).stack ?? String(error), document: bytes.toString('latin1') };
      }
    },
  })),
];
