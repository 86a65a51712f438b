/**
 * Tells followers that a partition grew. Writers say so at most once per partition in 5 ms and in a transaction of its
 * own (a notify inside the append would cap the whole server); followers look for themselves as well, because the
 * writer may have died between the two.
 */
import { backoffMs } from '@opentact/runtime';
import type pg from 'pg';
import { connectAlone } from './connections.ts';

const CHANNEL = 'opentact_log';
const NOTIFY_EVERY_MS = 5;
const LOOK_EVERY_MS = 40;

export type Tail = {
  /** A partition of ours grew. */
  grew(topic: string, partition: number): void;
  /** `grown` resolves when the partition may hold more than `position`, when `signal` aborts, and on `cancel`. */
  wait(topic: string, partition: number, position: number, signal: AbortSignal): Waiting;
  close(): Promise<void>;
};

export type Waiting = { grown: Promise<void>; cancel(): void };

type Waiter = { topic: string; partition: number; position: number; wake(): void };

/** Gathers what grew and tells it once per 5 ms. */
function createTeller(pool: pg.Pool): { grew(place: string): void; stop(): void } {
  const dirty = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  function tell(): void {
    timer = undefined;
    const places = [...dirty];
    dirty.clear();
    const text = `select pg_notify('${CHANNEL}', place) from unnest($1::text[]) as place`;
    pool.query({ name: 'notify', text, values: [places] }).catch(() => {}); // Followers also look for themselves.
  }
  return {
    grew(place) {
      dirty.add(place);
      timer ??= setTimeout(tell, NOTIFY_EVERY_MS);
    },
    stop: () => clearTimeout(timer),
  };
}

/** Keeps one listening connection while someone follows. */
function createEar(url: string, heard: (place: string) => void): { start(): void; stop(): Promise<void> } {
  let client: pg.Client | undefined;
  let started = false;
  let stopped = false;
  let tries = 0;
  async function connect(): Promise<void> {
    if (stopped) return;
    try {
      client = await connectAlone(url, 'opentact log follower', 2000, again);
      client.on('notification', (n) => heard(n.payload ?? ''));
      await client.query(`listen ${CHANNEL}`);
      tries = 0;
    } catch {
      // Ending a connection that was made calls `again` by itself.
      if (client) await client.end().catch(() => {});
      else again();
    }
  }
  function again(): void {
    client = undefined;
    if (!stopped) setTimeout(connect, backoffMs(++tries + 1, { firstMs: 50, maxMs: 1000 })).unref();
  }
  return {
    start() {
      if (!started) void connect();
      started = true;
    },
    async stop() {
      stopped = true;
      await client?.end().catch(() => {});
    },
  };
}

export function postgresTail(url: string, pool: pg.Pool): Tail {
  const waiters = new Set<Waiter>();
  const teller = createTeller(pool);
  const ear = createEar(url, (place) => {
    for (const waiter of waiters) if (`${waiter.topic}/${waiter.partition}` === place) waiter.wake();
  });
  let timer: NodeJS.Timeout | undefined;

  async function look(): Promise<void> {
    const asked = [...waiters];
    const text = `select topic, partition, position::float8 as position from log_partition
      where (topic, partition) in (select * from unnest($1::text[], $2::int[]))`;
    const values = [asked.map((w) => w.topic), asked.map((w) => w.partition)];
    const { rows } = await pool.query({ name: 'look', text, values });
    const heads = new Map(rows.map((r) => [`${r.topic}/${r.partition}`, r.position as number]));
    for (const w of asked) if ((heads.get(`${w.topic}/${w.partition}`) ?? 0) > w.position) w.wake();
  }
  function schedule(): void {
    if (timer || waiters.size === 0) return;
    timer = setTimeout(() => {
      look()
        .catch(() => {}) // The log is away; looked at again.
        .finally(() => {
          timer = undefined;
          schedule();
        });
    }, LOOK_EVERY_MS);
  }
  return {
    grew: (topic, partition) => teller.grew(`${topic}/${partition}`),
    wait(topic, partition, position, signal) {
      ear.start();
      const { promise, resolve } = Promise.withResolvers<void>();
      const waiter: Waiter = { topic, partition, position, wake };
      function wake(): void {
        waiters.delete(waiter);
        signal.removeEventListener('abort', wake);
        resolve();
      }
      signal.addEventListener('abort', wake);
      waiters.add(waiter);
      if (signal.aborted) wake();
      schedule();
      return { grown: promise, cancel: wake };
    },
    async close() {
      teller.stop();
      clearTimeout(timer);
      for (const waiter of waiters) waiter.wake();
      await ear.stop();
    },
  };
}
