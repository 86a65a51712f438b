/**
 * Connections to the brokers and who leads what. A few connections per broker serve all partitions (a broker answers
 * one request of a connection at a time, hence lanes). Whatever is tried here ends within its deadline.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, findCoordinatorV4, metadataV9 } from '@platformatic/kafka';
import { codesOf, isPassing, refusal } from './kafka-errors.ts';
import { LogError } from './port.ts';

const CONNECT_MS = 1000;
/** Longer than any wait that a request asks the broker for. */
const REQUEST_MS = 3000;
const IN_FLIGHT_MAX = 200;
const AGAIN_MS = [2, 5, 10, 20, 40, 80, 120];
const TRANSACTION_KEY = 1;
const UNKNOWN_TOPIC = 3;

/** Which of the connections to a broker: `write-0` … `write-7`, `read-0` … `read-3`, and one each for polls and nodes. */
export type Lane = `write-${number}` | `read-${number}` | 'tail' | 'nodes' | 'any';
export type WireAddress = { host: string; port: number };

export type Wire = ReturnType<typeof createWire>;

/** @param brokers `host:port`, some of the cluster's. */
export function createWire(brokers: string[]) {
  const bootstrap = brokers.map((text) => {
    const colon = text.lastIndexOf(':');
    return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
  });
  const connections = new Map<string, Promise<Connection>>();
  const leaders = new Map<string, Array<WireAddress | undefined>>();
  const coordinators = new Map<string, WireAddress>();
  const asking = new Map<string, Promise<unknown>>();
  let known: WireAddress[] = bootstrap;
  let closed = false;

  async function open(address: WireAddress, key: string): Promise<Connection> {
    const connection = new Connection('opentact', {
      connectTimeout: CONNECT_MS,
      requestTimeout: REQUEST_MS,
      maxInflights: IN_FLIGHT_MAX,
    });
    const forget = () => void (connections.get(key) === opened && connections.delete(key));
    const opened = connections.get(key);
    connection.on('error', forget);
    connection.on('close', forget);
    try {
      await connection.connect(address.host, address.port);
    } catch (error) {
      forget();
      throw error;
    }
    return connection;
  }
  async function connectionTo(address: WireAddress, lane: Lane): Promise<Connection> {
    if (closed) throw new LogError('unavailable', 'the log is closed');
    const key = `${address.host}:${address.port}/${lane}`;
    if (!connections.has(key)) {
      const { promise, resolve, reject } = Promise.withResolvers<Connection>();
      promise.catch(() => {});
      connections.set(key, promise);
      open(address, key).then(resolve, reject);
    }
    const opened = connections.get(key)!;
    const connection = await opened;
    if (connection.isConnected()) return connection;
    if (connections.get(key) === opened) connections.delete(key); // It broke since and had no time to say so.
    return connectionTo(address, lane);
  }
  /** Asks any broker that answers, those of this moment first. */
  async function anyone<T>(run: (connection: Connection) => Promise<T>): Promise<T> {
    let last: unknown;
    for (const address of [...known, ...bootstrap]) {
      try {
        return await run(await connectionTo(address, 'any'));
      } catch (error) {
        if (!isPassing(error)) throw error;
        last = error;
      }
    }
    throw last;
  }
  /** One question of a kind at a time; who comes meanwhile shares its answer. */
  function once<T>(key: string, run: () => Promise<T>): Promise<T> {
    if (!asking.has(key))
      asking.set(
        key,
        run().finally(() => asking.delete(key)),
      );
    return asking.get(key) as Promise<T>;
  }
  const askMetadata = (topics: string[]) =>
    anyone(async (connection): Promise<metadataV9.MetadataResponse> => {
      const found = await metadataV9.api.async(connection, topics, false, false, false).catch((error) => {
        // One partition without a leader must not hide the others.
        if (error.response) return error.response as metadataV9.MetadataResponse;
        throw error;
      });
      if (found.brokers.length > 0) known = found.brokers;
      return found;
    });
  const learnLeaders = (topic: string) =>
    once(`topic ${topic}`, async () => {
      const { brokers, topics } = await askMetadata([topic]);
      if (topics[0]?.errorCode === UNKNOWN_TOPIC) throw refusal('UNKNOWN_TOPIC_OR_PARTITION');
      const nodes = new Map(brokers.map((b) => [b.nodeId, b]));
      const places: Array<WireAddress | undefined> = [];
      for (const p of topics[0]?.partitions ?? []) places[p.partitionIndex] = nodes.get(p.leaderId);
      leaders.set(topic, places);
    });
  async function leaderOf(topic: string, partition: number): Promise<WireAddress> {
    if (!leaders.get(topic)?.[partition]) await learnLeaders(topic);
    const found = leaders.get(topic)?.[partition];
    if (!found) throw refusal('LEADER_NOT_AVAILABLE');
    return found;
  }
  async function coordinatorOf(id: string): Promise<WireAddress> {
    const cached = coordinators.get(id);
    if (cached) return cached;
    const ask = () => anyone((c) => findCoordinatorV4.api.async(c, TRANSACTION_KEY, [id]));
    const { coordinators: found } = await once(`coordinator ${id}`, ask);
    coordinators.set(id, found[0]!);
    return found[0]!;
  }
  /** Tries until it succeeds, a word is final, or the deadline passes. `forget` is called before each further try. */
  async function persist<T>(withinMs: number, run: (tries: number) => Promise<T>, forget: () => void): Promise<T> {
    const until = performance.now() + withinMs;
    for (let tries = 0; ; tries++) {
      try {
        return await run(tries);
      } catch (error) {
        const pauseMs = AGAIN_MS[Math.min(tries, AGAIN_MS.length - 1)]!;
        if (closed || !isPassing(error) || performance.now() + pauseMs > until) throw error;
        if (!codesOf(error).includes('CONCURRENT_TRANSACTIONS')) forget();
        await sleep(pauseMs);
      }
    }
  }
  return {
    leaderOf,
    connectionTo,
    persist,
    /** Cluster and leaders of topics as a broker knows them now. Topics that don't exist: UNKNOWN_TOPIC_OR_PARTITION. */
    metadata: askMetadata,
    forgetLeaders: (topic: string) => void leaders.delete(topic),
    /** At any broker; it passes on what only the controller may do. */
    onAny: <T>(withinMs: number, run: Attempt<T>) =>
      persist(
        withinMs,
        (tries) => anyone((c) => run(c, tries)),
        () => {},
      ),
    onLeader: <T>(topic: string, partition: number, lane: Lane, withinMs: number, run: Attempt<T>) =>
      persist(
        withinMs,
        async (tries) => run(await connectionTo(await leaderOf(topic, partition), lane), tries),
        () => leaders.delete(topic),
      ),
    onCoordinator: <T>(id: string, lane: Lane, withinMs: number, run: Attempt<T>) =>
      persist(
        withinMs,
        async (tries) => run(await connectionTo(await coordinatorOf(id), lane), tries),
        () => coordinators.delete(id),
      ),
    async close() {
      closed = true;
      const open = [...connections.values()];
      connections.clear();
      for (const connection of open) await connection.then((c) => c.close()).catch(() => {});
    },
  };
}

/** One try of a request. `tries`: how many came before it, each with an unknown outcome or refused. */
type Attempt<T> = (connection: Connection, tries: number) => Promise<T>;
