/** The caller's process: one order in, its outcome out, and it ends. */
import { makeCalls } from './caller.ts';
import type { Order } from './order.ts';

process.once('message', async (order: Order) => {
  const outcome = await makeCalls(order);
  process.send!(outcome, () => process.exit(0));
});
// Nobody waits for the outcome any more.
process.once('disconnect', () => process.exit(1));
