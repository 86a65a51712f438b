/**
 * How many requests may be under way: in all, of one account, and to one customer's server. Accounts take turns. It refuses
 * a queue without end.
 */
import { TurnQueue } from '@opentact/runtime';
import { DoorError } from './refusals.ts';

export type GateLimits = {
  total: number;
  perAccount: number;
  perServer: number;
  waitingPerAccount: number;
  waitingPerServer: number;
};

/** Of documents. Prompts have a gate of their own, so that no document waits for them. */
export const GATE_LIMITS: GateLimits = {
  total: 400,
  perAccount: 100,
  perServer: 32,
  waitingPerAccount: 400,
  waitingPerServer: 200,
};
export const PROMPT_GATE_LIMITS: GateLimits = { ...GATE_LIMITS, total: 200, perAccount: 40 };

/** Whose request, and to which of his servers. */
export type GateKey = { account: string; server: string };

export type Gate = {
  /**
   * Resolves when it is one's turn, with what must be called afterwards.
   * @throws DoorError `connect` where too many wait, `timeout` where one's turn did not come within `waitMs`; the signal's
   * reason where that gives up.
   */
  enter(key: GateKey, waitMs: number, signal?: AbortSignal): Promise<() => void>;
  /** Requests under way. */
  busy(): number;
};

type Waiter = GateKey & { begin(): void };

const add = (counts: Map<string, number>, key: string, by: 1 | -1) => {
  const now = (counts.get(key) ?? 0) + by;
  if (now > 0) counts.set(key, now);
  else counts.delete(key);
};
const serverOf = ({ account, server }: GateKey) => `${account} ${server}`;

/** What is under way, and whether one more may be. */
function createOccupancy(limits: GateLimits) {
  const busyOf = { account: new Map<string, number>(), server: new Map<string, number>() };
  let busy = 0;
  return {
    busy: () => busy,
    isFree: (key: GateKey) =>
      busy < limits.total &&
      (busyOf.account.get(key.account) ?? 0) < limits.perAccount &&
      (busyOf.server.get(serverOf(key)) ?? 0) < limits.perServer,
    count(key: GateKey, by: 1 | -1): void {
      busy += by;
      add(busyOf.account, key.account, by);
      add(busyOf.server, serverOf(key), by);
    },
  };
}

export function createGate(limits: GateLimits = GATE_LIMITS): Gate {
  const { busy, isFree, count } = createOccupancy(limits);
  const waitingFor = new Map<string, number>();
  const queue = new TurnQueue<Waiter>();

  function begin(key: GateKey): () => void {
    count(key, 1);
    let isLeft = false;
    return () => {
      if (isLeft) return;
      isLeft = true;
      count(key, -1);
      queue.take(isFree)?.begin();
    };
  }
  function wait(key: GateKey, waitMs: number, signal?: AbortSignal): Promise<() => void> {
    return new Promise((done, failed) => {
      const over = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', leave);
        add(waitingFor, serverOf(key), -1);
      };
      const giveUp = (reason: unknown) => {
        if (!queue.remove(key.account, waiter)) return;
        over();
        failed(reason);
      };
      const leave = () => giveUp(signal?.reason);
      const timer = setTimeout(() => giveUp(new DoorError('timeout', `no turn within ${waitMs} ms`)), waitMs);
      const waiter: Waiter = {
        ...key,
        begin() {
          over();
          done(begin(key));
        },
      };
      signal?.addEventListener('abort', leave, { once: true });
      add(waitingFor, serverOf(key), 1);
      queue.push(key.account, waiter);
    });
  }
  return {
    async enter(key, waitMs, signal) {
      signal?.throwIfAborted();
      if (isFree(key)) return begin(key);
      const waiting = waitingFor.get(serverOf(key)) ?? 0;
      if (waiting >= limits.waitingPerServer)
        throw new DoorError('connect', `${waiting} requests wait for this server already`);
      if (queue.sizeOf(key.account) >= limits.waitingPerAccount)
        throw new DoorError('connect', `${limits.waitingPerAccount} requests of this account wait already`);
      return wait(key, waitMs, signal);
    },
    busy,
  };
}
