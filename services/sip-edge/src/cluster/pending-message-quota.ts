// How many messages may wait until it is known which edge has their dialog, in legs and bytes. It refuses what doesn't fit; nothing is pushed out.
// What proves nothing has a small quota of its own: whoever sends much of it must not take that of others.

import type { SipMessage } from '../stack/message/message.ts';
import { createShares } from '../stack/transport/shares.ts';

export const BYTES_MAX = 32 * 1024 * 1024;
const LEGS_MAX = 2_000;
const UNPROVEN_BYTES_MAX = 1024 * 1024;
const UNPROVEN_LEGS_MAX = 200;
/** A source may take so much of either quota. */
const SHARE = 1 / 4;

export type PendingMessageQuota = {
  /** False where no further leg may wait. */
  enter(unproven: boolean): boolean;
  leave(unproven: boolean): void;
  /** False where the message doesn't fit. */
  add(message: SipMessage, address: string, unproven: boolean): boolean;
  remove(message: SipMessage, address: string, unproven: boolean): void;
};

export function createPendingMessageQuota(): PendingMessageQuota {
  const sharesOf = (bytesMax: number) => createShares(bytesMax, bytesMax * SHARE);
  const proven = { legs: 0, legsMax: LEGS_MAX - UNPROVEN_LEGS_MAX, bytes: sharesOf(BYTES_MAX) };
  const doubtful = { legs: 0, legsMax: UNPROVEN_LEGS_MAX, bytes: sharesOf(UNPROVEN_BYTES_MAX) };
  const of = (unproven: boolean) => (unproven ? doubtful : proven);
  return {
    enter(unproven) {
      const quota = of(unproven);
      if (quota.legs >= quota.legsMax) return false;
      quota.legs++;
      return true;
    },
    leave: (unproven) => void of(unproven).legs--,
    add: ({ raw }, address, unproven) => of(unproven).bytes.take(address, raw.length),
    remove: ({ raw }, address, unproven) => of(unproven).bytes.give(address, raw.length),
  };
}
