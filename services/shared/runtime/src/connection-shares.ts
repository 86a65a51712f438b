/**
 * Connections of a listener: so many in all and of one source. Where all are in use, the one that has been idle longest makes
 * room for a new one, so that whoever holds many without using them keeps nobody out.
 */
import type { Socket } from 'node:net';
import { sourceOf } from './source-address.ts';

export type ConnectionLimits = {
  /** In all. */
  max: number;
  /** Of one source: an IPv4 address, the /64 of an IPv6 one. */
  perSource: number;
  /** Whose share is everybody's: a trusted proxy. @param address as the socket says it */
  isExempt?(address: string): boolean;
};

export type ConnectionShares = {
  /** Counts a new connection; false: there was no place, and it is closed. It is idle until it is busy. */
  admit(socket: Socket): boolean;
  /** It is used, and not closed for others until `idle` was said as often. */
  busy(socket: Socket): void;
  idle(socket: Socket): void;
  readonly total: number;
};

type Held = { readonly source: string; uses: number };

export function createConnectionShares({ max, perSource, isExempt }: ConnectionLimits): ConnectionShares {
  const held = new Map<Socket, Held>();
  const bySource = new Map<string, number>();
  /** Those that do nothing, the longest idle first. */
  const idle = new Set<Socket>();
  const add = (source: string, amount: number) => {
    const count = (bySource.get(source) ?? 0) + amount;
    if (count > 0) bySource.set(source, count);
    else bySource.delete(source);
  };
  function forget(socket: Socket): void {
    const found = held.get(socket);
    if (!found) return;
    held.delete(socket);
    idle.delete(socket);
    add(found.source, -1);
  }
  function makeRoom(): boolean {
    const [longest] = idle;
    if (!longest) return false;
    forget(longest);
    longest.destroy();
    return true;
  }
  /** Undefined: it has no place. */
  function sourceWithPlace({ remoteAddress }: Socket): string | undefined {
    if (remoteAddress === undefined) return undefined;
    const source = sourceOf(remoteAddress);
    if ((bySource.get(source) ?? 0) >= perSource && !isExempt?.(remoteAddress)) return undefined;
    return held.size < max || makeRoom() ? source : undefined;
  }
  const use = (socket: Socket, amount: 1 | -1) => {
    const found = held.get(socket);
    if (!found) return;
    found.uses += amount;
    if (found.uses > 0) idle.delete(socket);
    else idle.add(socket);
  };
  return {
    admit(socket) {
      const source = sourceWithPlace(socket);
      if (source === undefined) {
        socket.destroy();
        return false;
      }
      add(source, 1);
      held.set(socket, { source, uses: 0 });
      idle.add(socket);
      socket.once('close', () => forget(socket));
      return true;
    },
    busy: (socket) => use(socket, 1),
    idle: (socket) => use(socket, -1),
    get total() {
      return held.size;
    },
  };
}
