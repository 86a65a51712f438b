/**
 * How long this test process itself did not run. A phone in a stalled process sees a pause in RTP that nobody made;
 * what is asserted of a pause is what remains of it.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 5;
const monitor = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
monitor.enable();

/** Forgets earlier stalls. */
export const forgetStalls = () => monitor.reset();

/** The longest pause that the platform can have made, ms: what a phone saw, less this process's own longest stall. */
export function pauseOf(heard: { longestGapMs: number }): number {
  const stalledMs = Math.max(0, monitor.max / 1e6 - RESOLUTION_MS);
  return Math.max(0, heard.longestGapMs - stalledMs);
}
