/** How late the event loop is: the figure that admission of new work depends on. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

export type LoopDelay = { /** 99th percentile over the last one to two windows, ms. */ p99Ms(): number; stop(): void };

// With too few samples one hiccup would be the 99th percentile: 500 in a window, so that it takes several.
const RESOLUTION_MS = 5;
const WINDOW_MS = 2500;
const LATE_SHARE = 0.01;

/** @param windowMs a peak is forgotten after two windows at most. */
export function watchLoopDelay(windowMs = WINDOW_MS): LoopDelay {
  const monitor = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  // A window that just began is judged as if half its samples were there.
  const samplesMin = windowMs / RESOLUTION_MS / 2;
  monitor.enable();
  let previousMs = 0;
  const roll = setInterval(() => {
    previousMs = current();
    monitor.reset();
  }, windowMs).unref();

  // The monitor measures the distance between its own ticks, of which the resolution itself is no delay.
  function current(): number {
    const late = Math.max(monitor.count, samplesMin) * LATE_SHARE;
    if (monitor.count <= late) return 0;
    return Math.max(0, monitor.percentile(100 * (1 - late / monitor.count)) / 1e6 - RESOLUTION_MS);
  }
  return {
    p99Ms: () => Math.max(previousMs, current()),
    stop() {
      clearInterval(roll);
      monitor.disable();
    },
  };
}
