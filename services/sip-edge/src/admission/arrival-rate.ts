// How fast new calls may begin: of one source, and all strangers together to one account. Every call that is told to the
// story is written with its whole INVITE, a refused or cancelled one too, so it counts as it begins and nothing gives it
// back. A trunk, a connection and what we dial to ourselves bring the calls of many and have a rate of their own.
// And how fast numbers may be tried that are nobody's: each costs a question to the Directory, and its answer can't be kept
// for the next. A scan beyond it hits only addresses that no call reached yet. It refuses by answering false; it never queues.

import { type Budget, createBoundedMap, createBudget, sourceOf } from '@opentact/runtime';

/** Calls a second, and at once. */
const STRANGER = { aSecond: 20, atOnce: 100 };
const ACCOUNT = { aSecond: 200, atOnce: 400 };
const KNOWN = { aSecond: 1_000, atOnce: 2_000 };
/** Of one source, of a trunk or connection, and of all others together. */
const SCAN = { aSecond: 20, atOnce: 200 };
const PEER_SCAN = { aSecond: 200, atOnce: 1_000 };
const SCANS = { aSecond: 200, atOnce: 1_000 };
const SOURCES_MAX = 20_000;
const SOURCES_BYTES_MAX = 16 * 1024 * 1024;

export type ArrivalRate = {
  /** Counts a call that begins. @param isKnown is the source a trunk's, a connection's or our own? */
  begin(accountId: string, address: string, isKnown: boolean, nowMs: number): boolean;
  /** Would `begin` answer true now? Counts nothing. */
  mayBegin(accountId: string, address: string, isKnown: boolean, nowMs: number): boolean;
  /** A trunk or connection calls from there. */
  isPeer(address: string): void;
  /** A call from there was answered and acknowledged: what strangers together do is not held against it. */
  trust(address: string): void;
  /** Counts a call to an address that is not known to be anybody's, before anybody is asked. @param isOwn our own address */
  tries(address: string, isOwn: boolean, nowMs: number): boolean;
  /** The address was somebody's after all: it counts no more. */
  found(address: string, isOwn: boolean): void;
};

export function createArrivalRate(): ArrivalRate {
  const strangers = budgets(STRANGER);
  const known = budgets(KNOWN);
  const accounts = budgets(ACCOUNT);
  const scans = budgets(SCAN);
  const peerScans = budgets(PEER_SCAN);
  const peers = createBoundedMap<true>(SOURCES_MAX, SOURCES_BYTES_MAX);
  const trusted = createBoundedMap<true>(SOURCES_MAX, SOURCES_BYTES_MAX);
  const allScans = createBudget(SCANS.aSecond, SCANS.atOnce);
  /** Is what strangers together do not held against it? */
  const isExempt = (source: string, isOwn: boolean) => isOwn || trusted.get(source) === true;
  const hasRoom = (budget: Budget, nowMs: number) => budget.waitMs(nowMs, 1) === 0;
  return {
    begin(accountId, address, isKnown, nowMs) {
      const source = sourceOf(address);
      if (isKnown) return known(source).take(nowMs);
      // A source beyond its own rate takes nothing of the account's.
      return strangers(source).take(nowMs) && accounts(accountId).take(nowMs);
    },
    mayBegin(accountId, address, isKnown, nowMs) {
      const source = sourceOf(address);
      if (isKnown) return hasRoom(known(source), nowMs);
      return hasRoom(strangers(source), nowMs) && hasRoom(accounts(accountId), nowMs);
    },
    isPeer: (address) => peers.set(sourceOf(address), true),
    trust: (address) => trusted.set(sourceOf(address), true),
    tries(address, isOwn, nowMs) {
      const source = sourceOf(address);
      if (peers.get(source)) return peerScans(source).take(nowMs);
      // What is beyond a source's own rate takes nothing of the others'.
      return scans(source).take(nowMs) && (isExempt(source, isOwn) || allScans.take(nowMs));
    },
    found(address, isOwn) {
      const source = sourceOf(address);
      if (peers.get(source)) return peerScans(source).give();
      scans(source).give();
      if (!isExempt(source, isOwn)) allScans.give();
    },
  };
}

/** One for each key; whoever came longest ago is forgotten first. */
function budgets({ aSecond, atOnce }: { aSecond: number; atOnce: number }): (key: string) => Budget {
  const found = createBoundedMap<Budget>(SOURCES_MAX, SOURCES_BYTES_MAX);
  return (key) => {
    const known = found.get(key);
    if (known) {
      found.touch(key);
      return known;
    }
    const budget = createBudget(aSecond, atOnce);
    found.set(key, budget);
    return budget;
  };
}
