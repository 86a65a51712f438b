/**
 * Tells followers that a partition grew and to which position. Those of the writer's own process get the records with it.
 * The others are told by a notify, at most once in 20 ms and in a transaction of its own (inside the append it would cap
 * the whole server); they look for themselves as well, because the writer may have died between the two.
 */
import { backoffMs } from '@opentact/runtime';
import type pg from 'pg';
import { connectAlone } from './connections.ts';
import type { NewRecord } from './port.ts';
import { type Follower, feed, followerOf, learnHead, openPlace, type Place } from './postgres-follower.ts';

const CHANNEL = 'opentact_log';
const NOTIFY_EVERY_MS = 20;
/** Only what a writer left untold when it died waits for this. */
const LOOK_EVERY_MS = 200;

export type Tail = {
  /** This process appended records to a partition, the last one at that position. */
  grew(topic: string, partition: number, position: number, records: readonly NewRecord[]): void;
  follow(topic: string, partition: number, signal: AbortSignal): Follower;
  close(): Promise<void>;
};

const nameOf = (topic: string, partition: number) => `${topic}/${partition}`;

/** Gathers what grew and tells it once per 20 ms. */
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
    grew(topic, partition, position, records) {
      for (const place of followed) {
        if (place.topic !== topic || place.partition !== partition) continue;
        feed(place, position, records);
        learnHead(place, position);
      }
      teller.grew(nameOf(topic, partition), position);
    },
    follow(topic, partition, signal) {
      ear.start();
      const place = openPlace(topic, partition);
      followed.add(place);
      return followerOf(place, signal, schedule, () => followed.delete(place));
    },
    async close() {
      teller.stop();
      clearTimeout(timer);
      for (const { wake } of followed) wake?.();
      await ear.stop();
    },
  };
}
