// Who holds a leg, by its owner's word of the last minute. Memory may be wrong: a message that comes again after it was
// forwarded by memory was perhaps not served, so then the owner is asked anew.

import { hash } from 'node:crypto';
import type { SipMessage } from '../stack/message/message.ts';
import type { Context } from './context.ts';
import type { Holder } from './port.ts';

const HOLDERS_MAX = 20_000;
const FRESH_MS = 60_000;
/** A word no older is not doubted. */
const SURE_MS = 400;

type Known = { holder: Holder; at: number; last: string };

export type Holders = {
  /** Where the message goes; undefined: ask. */
  of(key: string, message: SipMessage): Holder | undefined;
  remember(key: string, holder: Holder, message?: SipMessage): void;
  forget(key: string): void;
};

export function createHolders({ clock, peers }: Pick<Context, 'clock'> & { peers(): Context['peers'] }): Holders {
  const holders = new Map<string, Known>();
  const forget = (key: string) => void holders.delete(key);
  return {
    of(key, message) {
      const known = holders.get(key);
      if (!known) return undefined;
      const name = nameOf(message);
      const age = clock.nowMs() - known.at;
      const doubtful = known.last === name && age > SURE_MS;
      known.last = name;
      if (!doubtful && age < FRESH_MS && peers().lives(known.holder)) return known.holder;
      forget(key);
      return undefined;
    },
    remember(key, holder, message) {
      forget(key);
      holders.set(key, { holder, at: clock.nowMs(), last: message ? nameOf(message) : '' });
      if (holders.size > HOLDERS_MAX) holders.delete(holders.keys().next().value!);
    },
    forget,
  };
}

/** The same for a message repeated, and short whatever was sent. */
function nameOf({ via, cseq, ...message }: SipMessage): string {
  const what = message.kind === 'response' ? message.status : '';
  return hash('sha1', `${what} ${cseq.method} ${cseq.number} ${via.branch}`, 'base64');
}
