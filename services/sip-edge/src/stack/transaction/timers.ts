// The names and lengths of the transaction timers (RFC 3261 17, table 4 in appendix A; RFC 6026 for L and M), in ms.

/** Round-trip estimate, longest retransmission interval, longest life of a message in the network. */
export const T1_MS = 500;
export const T2_MS = 4_000;
export const T4_MS = 5_000;

/** 64·T1, the length of timers B, F and H, and of J, L and M: how long one side goes on trying. */
export const TIMER_B_F_H_MS = 64 * T1_MS;

/** RFC 3261 17.1.1.2: at least 32 s on unreliable transports. */
export const TIMER_D_MS = 32_000;

export type TimerName = 'A' | 'B' | 'D' | 'E' | 'F' | 'G' | 'H' | 'I' | 'J' | 'K' | 'L' | 'M';

/** The next interval of a retransmission that doubles up to T2 (timers E and G; A doubles without that cap). */
export function doubled(intervalMs: number): number {
  return Math.min(intervalMs * 2, T2_MS);
}
