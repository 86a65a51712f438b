// How many keys of one leg are told: a person presses few a second, and each is an event of the call for ever.
// It refuses what comes faster, and says so once.

import { createBudget } from '@opentact/runtime';

/** Keys a second, and at once: a device that dials a whole number needs 80 ms for each. */
export const KEYS_A_SECOND = 20;
const BURST = 20;

export class KeyBudget {
  private readonly budget = createBudget(KEYS_A_SECOND, BURST);
  private isTold = false;

  /** @param nowMs of any monotonic clock */
  take(nowMs: number): 'taken' | 'refused' | 'first-refused' {
    if (this.budget.take(nowMs)) return 'taken';
    const isFirst = !this.isTold;
    this.isTold = true;
    return isFirst ? 'first-refused' : 'refused';
  }
}
