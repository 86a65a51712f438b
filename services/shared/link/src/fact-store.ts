/**
 * Keeps facts, in order per key, until they are durable; counts them 1, 2, 3 … per key; remembers which asks of a key
 * were taken on. It never drops a fact of a key that lives: where it is full, new work must be refused instead.
 */
import { partitionOf } from '@opentact/runtime';

/** A fact that is not yet durable. `begins`: it was the key's first, whatever its number is now. */
export type HeldFact = {
  n: number;
  begins: boolean;
  observedAt: number;
  payload: Uint8Array;
  settle: PromiseWithResolvers<void>;
};

/** What is known of one key. */
export type KeyState = {
  readonly key: string;
  readonly partition: number;
  /** The highest `n` given out. */
  last: number;
  held: HeldFact[];
  /** `seq` of every ask taken on. */
  asked: Set<number>;
  /** The owner called the key over; it goes with its last fact. */
  settled: boolean;
  /** When it was last asked or reported about; ms since the epoch. */
  touchedAt: number;
  /** Audits in a row that called it gone. */
  noes: number;
  /** The last gap that was filled, so that one gap is filled once. */
  gap: { expected: number; at: number } | undefined;
};

export type StoreLimits = { factsMax: number; bytesMax: number; factsPerKeyMax: number };

export const STORE_LIMITS: StoreLimits = { factsMax: 5000, bytesMax: 32 * 1024 * 1024, factsPerKeyMax: 2000 };

/** Keys that are over stay remembered, so that a late ask is still known and a late fact still counts on. */
const RETIRED_MAX = 20_000;
const RETIRED_MS = 10 * 60_000;

export class GoneError extends Error {
  override name = 'GoneError';
}

type Retired = { last: number; asked: Set<number>; at: number };

export type FactStore = ReturnType<typeof createFactStore>;

/** @param now ms since the epoch. */
export function createFactStore(partitions: number, limits: StoreLimits, now: () => number) {
  const byPartition = Array.from({ length: partitions }, () => new Map<string, KeyState>());
  const retired = new Map<string, Retired>();
  let facts = 0;
  let bytes = 0;

  const find = (key: string) => byPartition[partitionOf(key, partitions)]!.get(key);

  function stateOf(key: string): KeyState {
    const partition = partitionOf(key, partitions);
    const known = byPartition[partition]!.get(key);
    if (known) {
      known.touchedAt = now();
      return known;
    }
    const before = retired.get(key);
    retired.delete(key);
    const state: KeyState = {
      key,
      partition,
      last: before?.last ?? 0,
      held: [],
      asked: before?.asked ?? new Set(),
      settled: false,
      touchedAt: now(),
      noes: 0,
      gap: undefined,
    };
    byPartition[partition]!.set(key, state);
    return state;
  }
  function add(key: string, payload: Uint8Array): { state: KeyState; fact: HeldFact } {
    const state = stateOf(key);
    const settle = Promise.withResolvers<void>();
    settle.promise.catch(() => {}); // Whoever doesn't wait for it need not handle it.
    const fact: HeldFact = { n: state.last + 1, begins: state.last === 0, observedAt: now(), payload, settle };
    if (state.held.length >= limits.factsPerKeyMax) {
      settle.reject(new Error(`key ${key}: ${state.held.length} facts wait already`));
      return { state, fact };
    }
    state.last = fact.n;
    state.held.push(fact);
    facts++;
    bytes += payload.byteLength;
    return { state, fact };
  }
  function remove(state: KeyState, count: number): HeldFact[] {
    const removed = state.held.splice(0, count);
    facts -= removed.length;
    for (const fact of removed) bytes -= fact.payload.byteLength;
    return removed;
  }
  function retire(state: KeyState): void {
    byPartition[state.partition]!.delete(state.key);
    retired.set(state.key, { last: state.last, asked: state.asked, at: now() });
    for (const [key, { at }] of retired) {
      if (retired.size <= RETIRED_MAX && now() - at < RETIRED_MS) break;
      retired.delete(key);
    }
  }
  /** Every fact up to and with `n` is durable. */
  function ack(key: string, n: number): void {
    const state = find(key);
    if (!state) return;
    const count = state.held.filter((fact) => fact.n <= n).length;
    for (const fact of remove(state, count)) fact.settle.resolve();
    if (state.settled && state.held.length === 0) retire(state);
  }
  /** The key is gone at its owner: nothing of it will ever be durable, and it begins anew if it comes back. */
  function drop(key: string): void {
    const state = find(key);
    if (!state) return;
    for (const fact of remove(state, state.held.length)) fact.settle.reject(new GoneError(`key ${key} is gone`));
    byPartition[state.partition]!.delete(key);
  }
  /** It is over: forgotten once nothing is held for it. */
  function forget(key: string): void {
    const state = find(key);
    if (!state) return;
    state.settled = true;
    if (state.held.length === 0) retire(state);
  }
  /** It is over here. The same request asked again is new work: another node had it meanwhile, and it comes back. */
  function letGo(key: string): void {
    find(key)?.asked.clear();
    forget(key);
  }
  /** Forgets keys that nobody spoke of for long, but for those still held by the service. */
  function sweep(held: ReadonlySet<string>): void {
    for (const states of byPartition)
      for (const state of states.values())
        if (state.held.length === 0 && !held.has(state.key) && now() - state.touchedAt > RETIRED_MS) retire(state);
  }
  /** The owner counts this source anew: the facts held become `first`, `first` + 1 … */
  function renumber(state: KeyState, first: number): void {
    state.held.forEach((fact, i) => {
      fact.n = first + i;
    });
    state.last = first + state.held.length - 1;
  }
  /** The first fact held was answered in another way than by its acknowledgement. */
  function answerFirst(state: KeyState): void {
    for (const fact of remove(state, 1)) fact.settle.resolve();
  }
  return {
    find,
    stateOf,
    add,
    ack,
    drop,
    forget,
    letGo,
    sweep,
    renumber,
    answerFirst,
    keysOf: (partition: number): Iterable<KeyState> => byPartition[partition]?.values() ?? [],
    pending: () => facts,
    full: () => facts >= limits.factsMax || bytes >= limits.bytesMax,
  };
}
