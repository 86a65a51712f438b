/** Names one run of a process. */
import { randomBytes } from 'node:crypto';

/** New at every start; sorts by start time, so that logs and tables read well. */
export function bootId(now: number = Date.now()): string {
  return `${now.toString(36)}-${randomBytes(4).toString('hex')}`;
}
