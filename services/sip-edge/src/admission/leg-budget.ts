// How much of one leg becomes events: each is in the journal for ever, and a peer may send as fast as its line carries.
// It refuses what comes faster; whoever asks answers 500 with Retry-After.

import { type Budget, createBudget } from '@opentact/runtime';

/** New offers: hold and its end a few times in a row, a session refreshed each minute. */
export const offerBudget = (): Budget => createBudget(1, 6);
/** Keys by INFO, as many as media takes by RTP. */
export const keyBudget = (): Budget => createBudget(20, 20);
