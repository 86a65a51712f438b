// What the edge needs from the outside: an engine to tell facts and hear asks, and a Directory. Ports only; the
// adapters stand in ../adapters, fakes of them in the tests.

import type { CallEvent, DirectoryV1, Observed } from '@opentact/proto';
import type { Peer, TransportName } from '../stack/transport/peer.ts';
import type { Source } from '../stack/transport/udp.ts';

/** The way to the engines (services/shared/link behind it). Facts are kept, in order per call, until acknowledged. */
export interface EngineLink {
  /** Resolves when the fact is durable; rejects only where the owner no longer knows the call. */
  report(callId: string, fact: Observed): Promise<void>;
  /** Which edge holds a leg, by the word of its call's owner; undefined: none. Rejects where no owner answers in 2 s. */
  where(callId: string, leg: number): Promise<EdgeInstance | undefined>;
  /** The call is over here: its counters may be forgotten. Nothing may be reported for it afterwards. */
  forget(callId: string): void;
  /** Facts not yet acknowledged. */
  pending(): number;
  /** No new calls: the store of facts is full. */
  full(): boolean;
  /** An engine can be reached; with a call: its owner. */
  ready(callId?: string): boolean;
}

/** What the engines say to the edge. */
export interface EngineListener {
  ask(event: CallEvent): void;
  /** The owner knows no such call, or it is over: release what is held. */
  gone(callId: string): void;
  /** The call's story began at another edge (or in an earlier process of this one), with that INVITE. */
  known(callId: string, holder: EdgeInstance, first: Origin | undefined): void;
  held(): string[];
}

/** An edge's process: started again it has another id. */
export type EdgeInstance = { readonly node: string; readonly instanceId: string };

/** What tells a repeated INVITE from a merged request (RFC 3261 8.2.2.2). */
export type Origin = { readonly topBranch: string; readonly requestUri: string };

/** A message whole, as it reached an edge that doesn't hold its leg. */
export type Forwarded = { readonly bytes: Buffer; readonly transport: TransportName; readonly source: Source };

/** The edges that share this one's address. */
export interface Cluster {
  lives(holder: EdgeInstance): boolean;
  /** Is there any other that lives? */
  others(): boolean;
  /**
   * Who will go on when this one leaves: one that stays, or else one that leaves at once but comes first by name. It may
   * have gone silent without having said so yet.
   */
  heirs(): 'staying' | 'leaving' | undefined;
  /** Hands a message to the edge that holds its leg; `undelivered` is called, later, where it surely didn't get there. */
  forward(to: EdgeInstance, message: Forwarded, undelivered: () => void): void;
}

/** What the other edges say to this one. */
export interface ClusterListener {
  /** `back` leads over the connection it came by, at the edge that has it; absent over UDP, whose port is shared. */
  forwarded(message: Forwarded, back: Peer | undefined): void;
  /** Bytes for a connection of ours; false where it is no more. */
  reply(to: Source, bytes: Buffer): boolean;
}

export type Route = DirectoryV1.RouteResponse;
export type MediaSources = DirectoryV1.MediaSources;
export type Account = DirectoryV1.AccountResponse;
export type Trunk = DirectoryV1.TrunkResponse;

export type RouteQuestion = {
  user: string;
  host: string;
  fromUser: string;
  callerWithheld: boolean;
  sourceAddress: string;
  callId: string;
};

/** Who the leg is to be from, and who called us where it goes on from a call that came in. */
export type CallerNamed = { caller: string; originalCaller: string | undefined };
/** `appId` empty: not known here. `called`: digits. */
export type Reservation = { leg: string; accountId: string; appId: string; called: string } & CallerNamed;
/** Why the leg must not go out, or the From user that it has; undefined: as it was named. */
export type Permission = { readonly refusal?: string; readonly shown?: string };
/** `address`: `IP:port` or `[IP]:port`; empty: the platform itself. */
export type Reaching = { accountId: string; address: string } & CallerNamed;
/** `trunk`: the leg goes by it, and is reserved. */
export type Reached = Permission & { readonly trunk?: string };

export type Location = DirectoryV1.LocateResponse;

/** Who owns a number. Answers may be cached and stale; all reject with DirectoryAway where there is none at all. */
export interface Directory {
  /** Undefined: nobody's (404). */
  route(question: RouteQuestion): Promise<Route | undefined>;
  /** What was last heard about that address, whoever called it; nobody is asked. Undefined: it is not known to be anybody's. */
  known(question: RouteQuestion): Route | undefined;
  trunk(trunk: string): Promise<Trunk | undefined>;
  /** An account by its uuid; undefined: there is none. */
  account(accountId: string): Promise<Account | undefined>;
  /** Where a number (digits) is at home; undefined: it is none. */
  locate(number: string): Promise<Location | undefined>;
  /** Whom a group of that account rings; undefined: it has no such group. */
  group(group: string, accountId: string): Promise<readonly string[] | undefined>;
  /** Whether a leg may go out through a trunk. Never cached, the same leg may be asked again. */
  reserve(of: Reservation): Promise<Permission>;
  /** Whether a leg may go to an address without a reservation. */
  reach(of: Reaching): Promise<Reached>;
}

/** The Directory can't be asked and nothing is remembered: a new call is told to try again. */
export class DirectoryAway extends Error {
  override name = 'DirectoryAway';
}

/** Fields, not sentences. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
