/** The caller's process: an order in, its outcome out, and the next; it ends when nobody is connected any more. */
import { makeCalls } from './caller.ts';
import type { Order } from './order.ts';

process.on('message', async (order: Order) => {
  const outcome = await makeCalls(order);
  process.send?.(outcome);
});
process.once('disconnect', () => process.exit(0));
