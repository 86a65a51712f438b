// Which edge has the dialog of a leg, by its owner's word of the last minute. Memory may be wrong: a message that comes
// again after it was forwarded by memory was perhaps not served, so then the owner is asked anew.

import { hash } from 'node:crypto';
import type { Context } from '../edge/context.ts';
import type { EdgeInstance } from '../edge/port.ts';
import type { SipMessage } from '../stack/message/message.ts';

const LOCATIONS_MAX = 20_000;
const FRESH_MS = 60_000;
/** A word no older is not doubted. */
const SURE_MS = 400;

type Known = { holder: EdgeInstance; at: number; last: string };

export type DialogLocations = {
  /** Where the message goes; undefined: ask. */
  of(key: string, message: SipMessage): EdgeInstance | undefined;
  remember(key: string, holder: EdgeInstance, message?: SipMessage): void;
  forget(key: string): void;
};

export function createDialogLocations(context: Pick<Context, 'clock' | 'cluster'>): DialogLocations {
  const { clock } = context;
  const locations = new Map<string, Known>();
  const forget = (key: string) => void locations.delete(key);
  return {
    of(key, message) {
      const known = locations.get(key);
      if (!known) return undefined;
      const name = nameOf(message);
      const age = clock.nowMs() - known.at;
      const doubtful = known.last === name && age > SURE_MS;
      known.last = name;
      if (!doubtful && age < FRESH_MS && context.cluster.lives(known.holder)) return known.holder;
      forget(key);
      return undefined;
    },
    remember(key, holder, message) {
      forget(key);
      locations.set(key, { holder, at: clock.nowMs(), last: message ? nameOf(message) : '' });
      if (locations.size > LOCATIONS_MAX) locations.delete(locations.keys().next().value!);
    },
    forget,
  };
}

/** The same for a message repeated, and short whatever was sent. */
function nameOf({ via, cseq, ...message }: SipMessage): string {
  const what = message.kind === 'response' ? message.status : '';
  return hash('sha1', `${what} ${cseq.method} ${cseq.number} ${via.branch}`, 'base64');
}
