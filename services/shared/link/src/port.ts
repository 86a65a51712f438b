/**
 * The link between a node (edge, media, notifier) and the engines: facts up, asks down, bytes by key. It knows no call.
 * The node's half keeps facts until they are durable and finds the owner; the engine's half routes by (node, boot).
 */

import type { Holder } from './questions.ts';

/**
 * A request that arrived at this node for this boot, taken on once per (key, seq). `account`: whose share of this node it
 * takes; the key where no account is known.
 */
export type Asked = { key: string; seq: number; payload: Uint8Array; account: string };

/** What the service behind the node's half must be able to do. None of these may throw or block. */
export type NodeHandlers = {
  /** A new ask. It is answered by reporting facts, never by a return value. */
  ask(asked: Asked): void;
  /** The owner knows no such key, or it no longer lives: release whatever is held for it. */
  gone(key: string): void;
  /** The key's story began at another node: forward or adopt. `payload` tells a retransmission from a merged request. */
  known(key: string, node: string, boot: string, payload: Uint8Array): void;
  /** Something that may soon be asked for; `account` as in `Asked`. */
  hint(key: string, payload: Uint8Array, account: string): void;
  /** Keys this node still holds something for; asked every 30 s for the audit. */
  held(): string[];
};

/** The node's half. */
export interface NodeLink {
  readonly name: string;
  readonly boot: string;
  /**
   * Hands a fact over, in order per key, and keeps it until acknowledged.
   * @returns a promise that resolves when it is durable (rejects only where the key is `gone` before that).
   * Callers that don't wait may ignore it: a rejection is never unhandled.
   */
  report(key: string, payload: Uint8Array): Promise<void>;
  /** Forgets the counters and settled asks of a key; called when it is over here. */
  forget(key: string): void;
  /**
   * Who holds a part of a key, by the word of its owner; undefined: nobody, or no such key. Whoever asks the same at the
   * same time waits for the same answer. Rejects with AwayError where no owner answers within 2 s.
   */
  where(key: string, part: number): Promise<Holder | undefined>;
  /** Facts not yet acknowledged, and whether the store is full (then refuse new work; facts of live keys still fit). */
  pending(): number;
  full(): boolean;
  /** True while an open stream leads to the owner of the key's partition. */
  ready(key?: string): boolean;
  close(): Promise<void>;
}

/** A fact as the engine's half hands it up. */
export type FactIn = {
  key: string;
  partition: number;
  source: string;
  boot: string;
  n: number;
  observedAt: number;
  payload: Uint8Array;
};

/** What the engine behind its half must be able to do. */
export type EngineHandlers = {
  fact(fact: FactIn, from: NodeRef): void;
  /** The node will answer the ask by a fact. */
  takenOn(key: string, seq: number, from: NodeRef): void;
  /** The node will not answer it: another boot (`lost`), a lower epoch (`stale`), no room (`full`). */
  refused(key: string, seq: number, reason: string, from: NodeRef): void;
  /** Every fact the node held for the partition was sent. */
  caughtUp(partition: number, epoch: number, from: NodeRef): void;
  audit(keys: string[], from: NodeRef): void;
  /** Who holds this part of a key of an open partition? Answered by `there`, or not at all: it is asked again. */
  where?(key: string, part: number, from: NodeRef): void;
  connected(node: NodeRef): void;
  disconnected(node: NodeRef): void;
};

/** A connected node. `isNear`: it is of the engine's own process. */
export type NodeRef = { name: string; boot: string; kind: string; loadPercent: number; isNear: boolean };

/** The engine's half. Sends are gathered per turn of the event loop; to a node without a stream they are dropped (the
 * request is still outstanding and is asked again). */
export interface EngineLinkServer {
  nodes(): NodeRef[];
  /** Facts of the partition are handed up from now on; every node is told, also those that connect later. */
  open(partition: number, epoch: number): void;
  /** The partition is no longer ours: its facts are answered `NotOwner` here, and every node is told at once. */
  shut(partition: number, owner?: string): void;
  ask(
    to: { node: string; boot: string },
    ask: { key: string; seq: number; epoch: number; payload: Uint8Array; account?: string },
  ): boolean;
  ack(to: NodeRef, key: string, n: number, epoch: number): void;
  gap(to: NodeRef, key: string, expected: number, epoch: number): void;
  notOwner(to: NodeRef, partition: number, owner: string): void;
  unknown(to: NodeRef, key: string, epoch: number): void;
  known(to: NodeRef, key: string, first: { node: string; boot: string; payload: Uint8Array }): void;
  settled(to: { node: string; boot: string }, key: string, epoch: number): void;
  auditAnswer(to: NodeRef, partition: number, epoch: number, gone: string[]): void;
  /** `holder` undefined: nobody, or no such key. */
  there(to: NodeRef, key: string, part: number, holder: Holder | undefined, epoch: number): void;
  hint(to: { node: string; boot: string }, key: string, payload: Uint8Array, account?: string): void;
}
