// Two edges (or more) that share one port, and the owner of their calls. The test says which of them hears the next message
// (a kernel would choose by the sender's address) and kills them; the owner says who holds what.

import type { CallEvent, Decided, Observed } from '@opentact/proto';
import { type Edge, openEdge } from '../edge/edge.ts';
import { type NetworkEvents, openNetwork } from '../edge/network.ts';
import {
  type Cluster,
  type ClusterListener,
  DirectoryAway,
  type EdgeInstance,
  type EngineListener,
  type Trunk,
} from '../edge/port.ts';
import { NO_DIRECTORY, ROUTE, SECRET } from './house.ts';
import { openPhone, type Phone } from './phone.ts';

export type Told = { edge: number; callId: string; fact: Observed };
type Link = ReturnType<Parameters<typeof openEdge>[0]['link']>;

type Neighbour = {
  readonly self: EdgeInstance;
  edge: Edge;
  listener: EngineListener;
  peer: ClusterListener;
  network: NetworkEvents;
  alive: boolean;
  /** What its event loop's clock is ahead, after a sleep. */
  suspendedMs: number;
};

export type Street = {
  readonly port: number;
  readonly edges: Neighbour[];
  readonly phone: Phone;
  /** Which edge hears what comes; undefined: whichever the kernel chose. */
  kernel: number | undefined;
  /** What was reported, in order. */
  readonly told: Told[];
  readonly holders: Map<string, EdgeInstance | undefined>;
  /** `callId/leg` of every look-up, and how many messages were forwarded. */
  readonly lookups: string[];
  forwarded: number;
  /** No owner answers look-ups. */
  ownerAway: boolean;
  /** Forwarding finds no way to the other edge. */
  cut: boolean;
  /** What edges hear of those that would go on without them; undefined: whoever lives. */
  heirs: Cluster['heirs'] | undefined;
  /** The Directory has no answer. */
  directoryAway: boolean;
  /** Facts wait unacknowledged. */
  logAway: boolean;
  /** No engine can be reached. */
  ownerSilent: boolean;
  /** Calls at once that the account may have. */
  callsMax: number;
  readonly trunks: Map<string, Trunk>;
  react(fact: Observed, callId: string, edge: number): void;
  /** Asks an edge, under that number or the call's next. */
  ask(edge: number, callId: string, request: Decided, seq?: number): number;
  fact<T extends Observed['type']>(type: T, nth?: number): Promise<Extract<Observed, { type: T }> & { edge: number }>;
  another(address?: string): Promise<Phone>;
  /** Ends an edge as kill -9 does. */
  kill(edge: number): Promise<void>;
  close(): Promise<void>;
};

/** `hurry` divides every timer: 20 makes T1 25 ms. */
export async function openStreet({ hurry = 1, edges = 2 } = {}): Promise<Street> {
  const seqs = new Map<string, number>();
  const phones: Phone[] = [];
  const waiting: (() => void)[] = [];
  const next = (callId: string, seq = (seqs.get(callId) ?? 0) + 1) => {
    seqs.set(callId, Math.max(seq, seqs.get(callId) ?? 0));
    return seq;
  };
  const street = {
    edges: [],
    kernel: undefined,
    told: [],
    holders: new Map(),
    lookups: [],
    forwarded: 0,
    ownerAway: false,
    cut: false,
    heirs: undefined,
    directoryAway: false,
    logAway: false,
    ownerSilent: false,
    callsMax: 100,
    trunks: new Map(),
    react() {},
    ask(edge: number, callId: string, request: Decided, seq?: number) {
      const number = next(callId, seq);
      const { self, listener } = street.edges[edge]!;
      if ('leg' in request) street.holders.set(`${callId}/${request.leg}`, self);
      listener.ask({ ...request, callId, seq: number, at: 0 } as CallEvent);
      return number;
    },
    async fact(type: string, nth = 1) {
      for (;;) {
        const found = street.told.filter(({ fact }) => fact.type === type)[nth - 1];
        if (found) return { ...found.fact, edge: found.edge };
        await new Promise<void>((done) => waiting.push(done));
      }
    },
    async another(address?: string) {
      const phone = await openPhone(street.port, address);
      phones.push(phone);
      return phone;
    },
    async kill(edge: number) {
      street.edges[edge]!.alive = false;
      await street.edges[edge]!.edge.close();
    },
    async close() {
      for (const phone of phones) phone.close();
      for (const { alive, edge } of street.edges) if (alive) await edge.close();
    },
  } as unknown as { -readonly [K in keyof Street]: Street[K] };

  function linkOf(at: number): Link {
    return {
      async report(callId, fact) {
        if (street.logAway) return new Promise(() => {});
        const place = `${callId}/0`;
        const holder = street.holders.get(place);
        const { self, listener } = street.edges[at]!;
        if (fact.type === 'CallArrived' && holder && holder.node !== self.node) {
          const origin = street.told.find((one) => one.callId === callId)?.fact;
          return listener.known(callId, holder, origin?.type === 'CallArrived' ? origin : undefined);
        }
        if (fact.type === 'CallArrived') street.holders.set(place, self);
        next(callId);
        street.told.push({ edge: at, callId, fact });
        for (const wake of waiting.splice(0)) wake();
        await Promise.resolve();
        street.react(fact, callId, at);
      },
      async where(callId, leg) {
        street.lookups.push(`${callId}/${leg}`);
        await new Promise(setImmediate);
        if (!street.ownerAway) return street.holders.get(`${callId}/${leg}`);
        await new Promise((done) => setTimeout(done, 2_000 / hurry));
        throw new Error('away');
      },
      forget() {},
      pending: () => 0,
      full: () => false,
      ready: () => !street.ownerSilent,
    };
  }
  const livingAt = ({ node }: EdgeInstance) => street.edges.find(({ self, alive }) => alive && self.node === node);
  const clusterOf = (at: number): Cluster => ({
    lives: (holder) => livingAt(holder) !== undefined,
    others: () => street.edges.some(({ alive }, other) => alive && other !== at),
    heirs: () =>
      street.heirs
        ? street.heirs()
        : street.edges.some(({ alive }, other) => alive && other !== at)
          ? 'staying'
          : undefined,
    forward(to, message, undelivered) {
      setImmediate(() => {
        const other = livingAt(to);
        if (!other || street.cut) return undelivered();
        street.forwarded++;
        const { address, port } = message.source;
        const back = {
          ...{ transport: 'tcp' as const, address, port },
          get open() {
            return street.edges[at]!.alive;
          },
          send: (bytes: Buffer, failed: (error: Error) => void) =>
            void (
              (street.edges[at]!.alive && street.edges[at]!.peer.reply(message.source, bytes)) ||
              failed(new Error())
            ),
        };
        other.peer.forwarded(message, message.transport === 'tcp' ? back : undefined);
      });
    },
  });
  async function openOne(at: number, port: number): Promise<void> {
    const one = { self: { node: `edge-${at}`, instanceId: 'b1' }, alive: true, suspendedMs: 0 } as Neighbour;
    street.edges.push(one);
    const heardBy = (forwarded?: boolean) => street.edges[forwarded ? at : (street.kernel ?? at)]!.network;
    one.edge = await openEdge({
      ...{ bind: '127.0.0.1', port, advertise: '127.0.0.1', reusePort: true, secret: SECRET, self: one.self },
      link(listener) {
        one.listener = listener;
        return linkOf(at);
      },
      cluster(listener) {
        one.peer = listener;
        return clusterOf(at);
      },
      directory: {
        ...NO_DIRECTORY,
        async route({ user }) {
          if (street.directoryAway) throw new DirectoryAway('away');
          return user === '18005550100' ? { ...ROUTE, callsMax: street.callsMax } : undefined;
        },
        trunk: async (id) => street.trunks.get(id),
        async account(id) {
          if (street.directoryAway) throw new DirectoryAway('away');
          return id === ROUTE.accountId ? ROUTE : undefined;
        },
      },
      allowed: (address) => address === '127.0.0.1',
      loopDelayMs: () => 0,
      log: { info() {}, warn() {}, error: (fields, message) => console.error(message, fields) },
      nowMs: () => performance.now() + one.suspendedMs,
      clock: {
        nowMs: () => performance.now() * hurry,
        after(ms, fire) {
          const timer = setTimeout(fire, ms / hurry);
          return () => clearTimeout(timer);
        },
      },
      openNetwork(options, events) {
        one.network = events;
        return openNetwork(options, {
          ...events,
          request: (message, arrival) => heardBy(arrival.forwarded).request(message, arrival),
          response: (message, arrival) => heardBy(arrival.forwarded).response(message, arrival),
        });
      },
    });
  }
  await openOne(0, 0);
  street.port = street.edges[0]!.edge.port;
  for (let at = 1; at < edges; at++) await openOne(at, street.port);
  street.phone = await street.another();
  return street;
}
