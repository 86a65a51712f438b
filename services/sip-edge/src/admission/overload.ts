// Whether one more call may begin (architecture section 6, "Overload"). Judged before anything is written or kept.
// BYE, CANCEL, ACK and everything else within a call always pass; they are not asked here.

/**
 * A loop so late is late for every call that lives: from the first on a growing share of new calls is refused, from the
 * second on all of them. Below that a busy edge is none that is full: `setupsFull` says when calls wait.
 */
export const LOOP_DELAY_MS = { some: 100, all: 300 };
export const PENDING_FACTS_MAX = 500;
export const RETRY_AFTER_S = 2;

/** Loads that an edge tells the others, in percent: it takes no new calls; it left its calls to them and is silent. */
export const LEAVING = 100;
export const SILENT = 101;

export type Load = {
  draining: boolean;
  loopDelayP99Ms: number;
  pendingFacts: number;
  storeFull: boolean;
  transactionsFull: boolean;
  /** As many calls are being set up as the platform keeps up with (setup-limit.ts). */
  setupsFull: boolean;
};

/**
 * Why a new call is refused with 503, or undefined. A busy loop sheds as many calls as it is late, so that an instant's
 * lateness costs few of them; refusing all at once would swing between too much and nothing.
 * @param draw 0 to 1, the same for each repetition of the call's INVITE; drawn only where the loop is late
 */
export function refusedForLoad(load: Load, draw: () => number): string | undefined {
  if (load.draining) return 'draining';
  if (load.transactionsFull) return 'transactions';
  if (load.setupsFull) return 'setups';
  if (load.storeFull || load.pendingFacts >= PENDING_FACTS_MAX) return 'facts';
  const { some, all } = LOOP_DELAY_MS;
  const share = (load.loopDelayP99Ms - some) / (all - some);
  if (share > 0 && share > draw()) return 'loop-delay';
  return undefined;
}
