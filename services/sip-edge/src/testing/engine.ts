// A flow-engine that stands behind the port in tests: it numbers facts and requests as a journal would and does
// what the test says. It can be away, and it can refuse to know a call.

import type { CallEvent, Decided, Observed } from '@opentact/proto';
import type { EdgeInstance, EngineLink, EngineListener } from '../edge/port.ts';

export type FakeEngine = {
  connect(listener: EngineListener): EngineLink;
  /** Everything in order, facts and requests. */
  readonly story: (Observed | Decided)[];
  facts(callId?: string): Observed[];
  types(): string[];
  /** Asks the edge, under the next number of that call; returns that number. */
  ask(callId: string, request: Decided): number;
  /** Asks under a number that was used before. */
  askAgain(callId: string, request: Decided, seq: number): void;
  /** What to ask for when a fact comes. */
  react: (fact: Observed, callId: string, ask: (request: Decided) => number) => void;
  /** While true facts wait unacknowledged. */
  away: boolean;
  pending: number;
  forgotten: string[];
  /** Who the owner says holds a leg. */
  where: (callId: string, leg: number) => Promise<EdgeInstance | undefined>;
  /** Tells the edge that nobody knows this call. */
  gone(callId: string): void;
  /** Resolves with the first fact of that type, past or future. */
  fact<T extends Observed['type']>(type: T, nth?: number): Promise<Extract<Observed, { type: T }> & { callId: string }>;
};

export function fakeEngine(): FakeEngine {
  let listener: EngineListener | undefined;
  const seqs = new Map<string, number>();
  const heard: { callId: string; fact: Observed }[] = [];
  let waiting: (() => void)[] = [];
  const next = (callId: string) => {
    const seq = (seqs.get(callId) ?? 0) + 1;
    seqs.set(callId, seq);
    return seq;
  };
  const engine: FakeEngine = {
    story: [],
    forgotten: [],
    away: false,
    pending: 0,
    react() {},
    where: async () => undefined,
    gone: (callId) => listener!.gone(callId),
    facts: (callId) => heard.filter((one) => callId === undefined || one.callId === callId).map(({ fact }) => fact),
    types: () => heard.map(({ fact }) => fact.type),
    ask(callId, request) {
      const seq = next(callId);
      engine.story.push(request);
      listener!.ask({ ...request, callId, seq, at: 0 } as CallEvent);
      return seq;
    },
    askAgain: (callId, request, seq) => listener!.ask({ ...request, callId, seq, at: 0 } as CallEvent),
    async fact(type, nth = 1) {
      for (;;) {
        const found = heard.filter(({ fact }) => fact.type === type)[nth - 1];
        if (found) return { ...found.fact, callId: found.callId } as never;
        await new Promise<void>((done) => waiting.push(done));
      }
    },
    connect(to) {
      listener = to;
      return {
        report(callId, fact) {
          if (engine.away) return new Promise(() => {});
          next(callId);
          heard.push({ callId, fact });
          engine.story.push(fact);
          const woken = waiting;
          waiting = [];
          for (const wake of woken) wake();
          return Promise.resolve().then(() => engine.react(fact, callId, (request) => engine.ask(callId, request)));
        },
        where: (callId, leg) => engine.where(callId, leg),
        forget: (callId) => engine.forgotten.push(callId),
        pending: () => engine.pending,
        full: () => false,
        ready: () => !engine.away,
      };
    },
  };
  return engine;
}
