/** How much is really held: what the collector leaves. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes of the heap after a collection. */
export function heapBytes(): number {
  collect();
  return process.memoryUsage().heapUsed;
}
