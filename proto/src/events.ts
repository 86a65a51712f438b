/**
 * The flat, discriminated union over the generated code: `{ type: 'DigitPressed', leg, digit, … }` instead of nested
 * oneofs. The union's only source is `events.proto`. Types only, so that `domain/` folders may import it.
 */
import type {
  App,
  Attribution,
  Dialog,
  MediaPeer,
  To,
  Warning,
  PlayItem as WireItem,
  CallEvent as WireMessage,
} from '../gen/opentact/call/v1/events.ts';

/** One thing to be heard. */
export type PlayItem =
  NonNullable<WireItem['source']> extends infer S
    ? S extends { $case: infer C; value: infer V }
      ? { kind: C; value: V }
      : never
    : never;

type Flat<B> = B extends { $case: infer C extends string; value: infer V }
  ? { type: Capitalize<C> } & (C extends 'playRequested' ? Omit<V, 'items'> & { items: PlayItem[] } : V)
  : never;

/** What happened or was chosen, without its place. Fields, units and meanings stand in `events.proto`. */
export type Fact = Flat<NonNullable<WireMessage['body']>>;
export type FactType = Fact['type'];
export type FactOf<T extends FactType> = Extract<Fact, { type: T }>;

/** Who observed a fact; `n` counts 1, 2, 3 … per call and (source, boot). */
export type From = { source: string; boot: string; n: number; observedAt: number };

/** A fact with its place in the story. A request is known ever after by its `seq`. */
export type CallEvent<F extends Fact = Fact> = F & { callId: string; seq: number; at: number; from?: From; to?: To };

/** Names of the facts that the engine chooses; everything else is reported by the world. */
export type DecidedType =
  | Extract<FactType, `${string}Requested`>
  | 'DocumentAccepted'
  | 'DocumentRejected'
  | 'VerbStarted'
  | 'VerbEnded'
  | 'TimerSet'
  | 'TimerCancelled'
  | 'MetaSet'
  | 'CallEnded';
export type ObservedType = Exclude<FactType, DecidedType>;

export type Observed = FactOf<ObservedType>;
/** What was chosen; a request to a node names it in `to`. */
export type Decided = FactOf<DecidedType> & { to?: To };

/** An observed fact as its reporter sent it. `from` is absent on what the engine itself observed (timers, look-ups). */
export type Reported = Observed & { from?: From };

/** Who an ending belongs to. */
export type Owner = 'caller' | 'callee' | 'document' | 'customer-server' | 'carrier' | 'us';

export type { App, Attribution, Dialog, MediaPeer, To, Warning };
