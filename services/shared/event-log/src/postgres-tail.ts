/**
 * Tells followers that a partition grew and to which position, so that what a follower has read already makes it read no
 * more. Writers say so at most once per partition in 5 ms and in a transaction of its own (a notify inside the append
 * would cap the whole server); followers look for themselves as well, because the writer may have died between the two.
 */
import { backoffMs } from '@opentact/runtime';
import type pg from 'pg';
import { connectAlone } from './connections.ts';

const CHANNEL = 'opentact_log';
const NOTIFY_EVERY_MS = 5;
/** Only what a writer left untold when it died waits for this. */
const LOOK_EVERY_MS = 200;

export type Tail = {
  /** A partition of ours grew to that position. */
  grew(topic: string, partition: number, position: number): void;
  follow(topic: string, partition: number, signal: AbortSignal): Follower;
  close(): Promise<void>;
};

export type Follower = {
  /** Resolves when the partition may hold more than `position`, at once where that is known, and when the signal aborts. */
  grown(position: number): Promise<void>;
  /** How far the partition is known to reach; 0 at first. */
  head(): number;
  stop(): void;
};

/** `head`: how far the partition is known to reach; `wake` while its follower waits, having read up to `position`. */
type Place = { topic: string; partition: number; head: number; position: number; wake: (() => void) | undefined };

const nameOf = (topic: string, partition: number) => `${topic}/${partition}`;

/** Gathers what grew and tells it once per 5 ms. */
function createTeller(pool: pg.Pool): { grew(place: string, position: number): void; stop(): void } {
  const dirty = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  function tell(): void {
    timer = undefined;
    const places = [...dirty].map(([place, position]) => `${place} ${position}`);
    dirty.clear();
    const text = `select pg_notify('${CHANNEL}', place) from unnest($1::text[]) as place`;
    pool.query({ name: 'notify', text, values: [places] }).catch(() => {}); // Followers also look for themselves.
  }
  return {
    grew(place, position) {
      dirty.set(place, position);
      timer ??= setTimeout(tell, NOTIFY_EVERY_MS);
    },
    stop: () => clearTimeout(timer),
  };
}

/** Keeps one listening connection while someone follows. */
function createEar(
  url: string,
  heard: (place: string, head: number | undefined) => void,
): { start(): void; stop(): Promise<void> } {
  let client: pg.Client | undefined;
  let started = false;
  let stopped = false;
  let tries = 0;
  async function connect(): Promise<void> {
    if (stopped) return;
    try {
      client = await connectAlone(url, 'opentact log follower', 2000, again);
      client.on('notification', ({ payload = '' }) => {
        const [place = '', head] = payload.split(' ');
        heard(place, head === undefined ? undefined : Number(head));
      });
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

function learnHead(place: Place, head: number): void {
  place.head = Math.max(place.head, head);
  if (place.head > place.position) place.wake?.();
}

async function look(pool: pg.Pool, asked: Place[]): Promise<void> {
  const text = `select topic, partition, position::float8 as position from log_partition
    where (topic, partition) in (select * from unnest($1::text[], $2::int[]))`;
  const values = [asked.map(({ topic }) => topic), asked.map(({ partition }) => partition)];
  const { rows } = await pool.query({ name: 'look', text, values });
  const heads = new Map(rows.map((row) => [nameOf(row.topic, row.partition), row.position as number]));
  for (const place of asked) learnHead(place, heads.get(nameOf(place.topic, place.partition)) ?? 0);
}

export function postgresTail(url: string, pool: pg.Pool): Tail {
  const followed = new Set<Place>();
  const teller = createTeller(pool);
  const ear = createEar(url, (name, head) => {
    const places = [...followed].filter(({ topic, partition }) => nameOf(topic, partition) === name);
    // A writer of an earlier version names no position.
    if (head === undefined) void look(pool, places).catch(() => {});
    else for (const place of places) learnHead(place, head);
  });
  const waiting = () => [...followed].filter(({ wake }) => wake);
  let timer: NodeJS.Timeout | undefined;

  function schedule(): void {
    if (timer || waiting().length === 0) return;
    timer = setTimeout(() => {
      look(pool, waiting())
        .catch(() => {}) // The log is away; looked at again.
        .finally(() => {
          timer = undefined;
          schedule();
        });
    }, LOOK_EVERY_MS);
  }
  return {
    grew: (topic, partition, position) => teller.grew(nameOf(topic, partition), position),
    follow(topic, partition, signal) {
      ear.start();
      const place: Place = { topic, partition, head: 0, position: 0, wake: undefined };
      followed.add(place);
      return {
        grown(position) {
          place.position = position;
          if (place.head > position || signal.aborted) return Promise.resolve();
          const { promise, resolve } = Promise.withResolvers<void>();
          const wake = () => {
            place.wake = undefined;
            signal.removeEventListener('abort', wake);
            resolve();
          };
          place.wake = wake;
          signal.addEventListener('abort', wake);
          schedule();
          return promise;
        },
        head: () => place.head,
        stop() {
          place.wake?.();
          followed.delete(place);
        },
      };
    },
    async close() {
      teller.stop();
      clearTimeout(timer);
      for (const { wake } of followed) wake?.();
      await ear.stop();
    },
  };
}
