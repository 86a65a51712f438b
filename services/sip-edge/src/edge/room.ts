// How much may wait for a holder, in legs, messages and bytes. It refuses what doesn't fit; nothing is pushed out.
// What proves nothing has a small room of its own: whoever sends much of it must not take the room of others.

import type { SipMessage } from '../stack/message/message.ts';

export const BYTES_MAX = 32 * 1024 * 1024;
const LEGS_MAX = 2_000;
const UNPROVEN_BYTES_MAX = 1024 * 1024;
const UNPROVEN_LEGS_MAX = 200;

export type Room = {
  /** False where no further leg may wait. */
  enter(unproven: boolean): boolean;
  leave(unproven: boolean): void;
  /** False where the message doesn't fit. */
  add(message: SipMessage, unproven: boolean): boolean;
  remove(message: SipMessage, unproven: boolean): void;
};

export function createRoom(): Room {
  const proven = { legs: 0, legsMax: LEGS_MAX - UNPROVEN_LEGS_MAX, bytes: 0, bytesMax: BYTES_MAX };
  const doubtful = { legs: 0, legsMax: UNPROVEN_LEGS_MAX, bytes: 0, bytesMax: UNPROVEN_BYTES_MAX };
  const of = (unproven: boolean) => (unproven ? doubtful : proven);
  return {
    enter(unproven) {
      const room = of(unproven);
      if (room.legs >= room.legsMax) return false;
      room.legs++;
      return true;
    },
    leave: (unproven) => void of(unproven).legs--,
    add({ raw }, unproven) {
      const room = of(unproven);
      if (room.bytes + raw.length > room.bytesMax) return false;
      room.bytes += raw.length;
      return true;
    },
    remove({ raw }, unproven) {
      of(unproven).bytes -= raw.length;
    },
  };
}
