// Whether one more call may begin (architecture section 6, "Overload"). Judged before anything is written or kept.
// BYE, CANCEL, ACK and everything else within a call always pass; they are not asked here.

export const LOOP_DELAY_MS_MAX = 20;
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
};

/** Why a new call is refused with 503, or undefined. */
export function refusedForLoad(load: Load): string | undefined {
  if (load.draining) return 'draining';
  if (load.transactionsFull) return 'transactions';
  if (load.storeFull || load.pendingFacts >= PENDING_FACTS_MAX) return 'facts';
  if (load.loopDelayP99Ms > LOOP_DELAY_MS_MAX) return 'loop-delay';
  return undefined;
}
