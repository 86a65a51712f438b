// What the edge needs from the outside: an engine to tell facts and hear asks, and a Directory. Ports only; the
// adapters stand in ../adapters, fakes of them in the tests.

import type { CallEvent, DirectoryV1, Observed } from '@opentact/proto';

/** The way to the engines (services/shared/link behind it). Facts are kept, in order per call, until acknowledged. */
export interface EngineLink {
  /** Resolves when the fact is durable; rejects only where the owner no longer knows the call. */
  report(callId: string, fact: Observed): Promise<void>;
  /** The call is over here: its counters may be forgotten. Nothing may be reported for it afterwards. */
  forget(callId: string): void;
  /** Facts not yet acknowledged. */
  pending(): number;
  /** No new calls: the store of facts is full. */
  full(): boolean;
  ready(): boolean;
}

/** What the engines say to the edge. */
export interface EngineListener {
  ask(event: CallEvent): void;
  /** The owner knows no such call, or it is over: release what is held. */
  gone(callId: string): void;
  /** The call's story began at another edge (or another boot of this one); `first` is its CallArrived. */
  known(callId: string, first: CallEvent | undefined): void;
  held(): string[];
}

export type Route = DirectoryV1.RouteResponse;
export type Trunk = DirectoryV1.TrunkResponse;

export type RouteQuestion = { user: string; host: string; fromUser: string; sourceAddress: string; callId: string };

/** Who owns a number. Answers may be cached and stale; both reject with DirectoryAway where there is none at all. */
export interface Directory {
  /** Undefined: nobody's (404). */
  route(question: RouteQuestion): Promise<Route | undefined>;
  trunk(trunk: string): Promise<Trunk | undefined>;
}

/** The Directory can't be asked and nothing is remembered: answer 503 and let the caller try again. */
export class DirectoryAway extends Error {
  override name = 'DirectoryAway';
}

/** Fields, not sentences. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
