/**
 * Tells followers of any number of partitions what is committed, over one connection and one waiting fetch per broker.
 * A follower that is behind reads its own pages until it has caught up.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ResponseError } from '@platformatic/kafka';
import { fetchFrom, type Page, type Place, pageOf } from './kafka-read.ts';
import type { Wire, WireAddress } from './kafka-wire.ts';

/** How long a broker holds a fetch that finds nothing: also how long a new follower may wait to be part of one. */
const WAIT_MS = 30;
const AWAY_MS = 100;
const KEPT_MS = 1000;

type Waiter = { offset: number; tell(page: Page | undefined): void };
type Followed = Place & { waiters: Set<Waiter>; usedAt: number; busy: boolean };

export type Tail = {
  /**
   * Resolves when the partition holds something at or after `offset`, when `signal` aborts, or on close.
   * @returns the page at `offset`; undefined where the caller must read it.
   */
  wait(place: Place, signal: AbortSignal): Promise<Page | undefined>;
  close(): void;
};

export function createTail(wire: Wire): Tail {
  const followed = new Map<string, Followed>();
  const polling = new Set<string>();
  let closed = false;

  function learned(of: Followed, page: Page): void {
    const from = of.offset;
    if (page.next === from) return;
    of.offset = page.next;
    for (const waiter of of.waiters)
      if (waiter.offset < page.next) waiter.tell(waiter.offset === from ? page : undefined);
  }
  async function poll(address: WireAddress, asked: Followed[]): Promise<void> {
    const connection = await wire.connectionTo(address, 'tail');
    const found = await fetchFrom(connection, asked, WAIT_MS, true).catch((error) => {
      if (error instanceof ResponseError) return error.response as Awaited<ReturnType<typeof fetchFrom>>;
      throw error;
    });
    const byPlace = new Map(asked.map((of) => [`${of.topic}/${of.partition}`, of]));
    for (const topic of found.responses)
      for (const partition of topic.partitions) {
        const of = byPlace.get(`${topic.topicId}/${partition.partitionIndex}`)!;
        if (partition.errorCode === 0) learned(of, pageOf(partition, of.offset));
        else faulted(of);
      }
  }
  /** Its leader moved, or its offset is gone: followers read for themselves and find out. */
  function faulted(of: Followed): void {
    wire.forgetLeaders(of.topic);
    const key = `${of.topic}/${of.partition}`;
    if (followed.get(key) === of) followed.delete(key); // another may stand there since
    for (const waiter of of.waiters) setTimeout(() => waiter.tell(undefined), AWAY_MS);
  }
  async function turn(): Promise<void> {
    const groups = new Map<string, { address: WireAddress; places: Followed[] }>();
    for (const [key, of] of followed) {
      if (of.busy) continue;
      if (of.waiters.size === 0 && performance.now() - of.usedAt > KEPT_MS) {
        followed.delete(key);
        continue;
      }
      const address = await wire.leaderOf(of.topic, of.partition).catch(() => undefined);
      if (!address) {
        faulted(of);
        continue;
      }
      const at = `${address.host}:${address.port}`;
      if (!groups.has(at)) groups.set(at, { address, places: [] });
      groups.get(at)!.places.push(of);
    }
    for (const [at, { address, places }] of groups) if (!polling.has(at)) start(at, address, places);
  }
  function start(at: string, address: WireAddress, places: Followed[]): void {
    polling.add(at);
    for (const of of places) of.busy = true;
    void poll(address, places)
      .catch(async () => {
        for (const of of places) faulted(of);
        await sleep(AWAY_MS);
      })
      .finally(() => {
        polling.delete(at);
        for (const of of places) of.busy = false;
        if (!closed) void turn();
      });
  }
  return {
    async wait({ topic, partition, offset }, signal) {
      if (closed || signal.aborted) return undefined;
      const key = `${topic}/${partition}`;
      const of = followed.get(key) ?? { topic, partition, offset, waiters: new Set(), usedAt: 0, busy: false };
      followed.set(key, of);
      of.usedAt = performance.now();
      if (of.offset > offset) return undefined;
      const { promise, resolve } = Promise.withResolvers<Page | undefined>();
      const waiter: Waiter = { offset, tell };
      function tell(page: Page | undefined): void {
        of.waiters.delete(waiter);
        of.usedAt = performance.now();
        signal.removeEventListener('abort', abort);
        resolve(page);
      }
      const abort = () => tell(undefined);
      signal.addEventListener('abort', abort);
      of.waiters.add(waiter);
      void turn();
      return promise;
    },
    close() {
      closed = true;
      for (const of of followed.values()) for (const waiter of of.waiters) waiter.tell(undefined);
      followed.clear();
    },
  };
}
