/**
 * The log in memory, for unit tests: several logs on one server stand for several processes on one database. It
 * keeps the port's promises but one: nothing outlives this process.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { partitionOf } from '@opentact/runtime';
import type { Observation } from './judge.ts';
import { type Batch, type EventLog, LogError, type LogRecord, type Node, type Snapshot, type Writer } from './port.ts';
import { createRegistry, type RegistryStore } from './registry.ts';

const PARTITIONS = 8;
const PAGE = 256;

type Part = {
  epoch: number;
  position: number;
  lowWater: number;
  records: LogRecord[];
  snapshots: Map<string, Snapshot>;
  changed: Set<() => void>;
};
type Row = { node: Node; beats: number; withdrawn: boolean; alive: () => boolean };

/** What the processes of one test share. `away`: every operation fails as unavailable, as with a database that is down. */
export type MemoryServer = { topics: Map<string, Part[]>; nodes: Map<string, Row>; away: boolean };

export function createMemoryServer(): MemoryServer {
  return { topics: new Map(), nodes: new Map(), away: false };
}

function partOf(server: MemoryServer, topic: string, partition: number): Part {
  const birth = (): Part => ({
    epoch: 0,
    position: 0,
    lowWater: 0,
    records: [],
    snapshots: new Map(),
    changed: new Set(),
  });
  if (!server.topics.has(topic)) server.topics.set(topic, Array.from({ length: PARTITIONS }, birth));
  const part = server.topics.get(topic)![partition];
  if (!part) throw new RangeError(`partition ${partition} of ${PARTITIONS}`);
  return part;
}

function write(part: Part, batch: Batch): number {
  for (const { key, headers, bytes } of batch.records)
    part.records.push({ position: ++part.position, key, headers: { ...headers }, bytes: Uint8Array.from(bytes) });
  for (const { key, bytes } of batch.snapshots ?? [])
    if (bytes === null) part.snapshots.delete(key);
    else part.snapshots.set(key, { key, position: part.position, bytes: Uint8Array.from(bytes) });
  part.lowWater = Math.max(part.lowWater, batch.lowWater ?? 0);
  for (const tell of part.changed) tell();
  return part.position;
}

function registryStore(server: MemoryServer, reach: () => Promise<void>, alive: () => boolean): RegistryStore {
  return {
    async exchange(written): Promise<Observation[]> {
      await reach();
      for (const { node, beats, claim } of written) {
        const held = server.nodes.get(node.name)?.node.boot;
        if (claim || !held || held === node.boot) server.nodes.set(node.name, { node, beats, withdrawn: false, alive });
      }
      return [...server.nodes.values()].map((row) => ({ ...row, free: !row.alive() }));
    },
    async withdraw(node) {
      await reach();
      const row = server.nodes.get(node.name);
      if (row?.node.boot === node.boot) row.withdrawn = true;
    },
    async close() {},
  };
}

function createWriter(part: Part, topic: string, partition: number, reach: () => Promise<void>): Writer {
  const epoch = ++part.epoch;
  let inFlight = false;
  return {
    topic,
    partition,
    epoch,
    async append(batch) {
      if (inFlight) throw new Error(`two appends at once to ${topic}/${partition}`);
      inFlight = true;
      try {
        await reach();
        if (part.epoch !== epoch) throw new LogError('fenced', `${topic}/${partition} is owned by epoch ${part.epoch}`);
        return write(part, batch);
      } finally {
        inFlight = false;
      }
    },
    async check() {
      await reach();
      return part.epoch === epoch;
    },
    async release() {},
  };
}

/** A log of one process. `crash()` makes it vanish as a killed process would: no word, its locks free. */
export function memoryLog(server: MemoryServer = createMemoryServer()): EventLog & { crash(): void } {
  let state: 'open' | 'closed' | 'crashed' = 'open';
  const reach = async () => {
    await sleep(0);
    if (state === 'crashed') await new Promise(() => {}); // The dead hear no answer.
    if (server.away || state === 'closed') throw new LogError('unavailable', 'the log is away');
  };
  const registry = createRegistry(registryStore(server, reach, () => state === 'open'));

  async function* read(part: Part, from: number, to: number, key?: string): AsyncGenerator<LogRecord> {
    for (let at = from; at < to; at += PAGE) {
      await reach();
      const page = part.records.slice(at, Math.min(to, at + PAGE)); // Positions are dense here: index = position − 1.
      for (const record of page) if (key === undefined || record.key === key) yield record;
    }
  }
  return {
    ...{ partitions: PARTITIONS, registry, id: 'memory', indexesKeys: true },
    async take(topic, partition) {
      await reach();
      return createWriter(partOf(server, topic, partition), topic, partition, reach);
    },
    async *replay(topic, partition, position) {
      await reach();
      const part = partOf(server, topic, partition);
      yield* read(part, position, part.position);
    },
    async *snapshots(topic, partition) {
      await reach();
      yield* [...partOf(server, topic, partition).snapshots.values()];
    },
    async lowWater(topic, partition) {
      await reach();
      return partOf(server, topic, partition).lowWater;
    },
    async *readKey(topic, key, position = 0) {
      await reach();
      const part = partOf(server, topic, partitionOf(key, PARTITIONS));
      yield* read(part, position, part.position, key);
    },
    async *follow(topic, partition, position, signal) {
      const part = partOf(server, topic, partition);
      for (let at = position; !signal.aborted; ) {
        for (; at < part.position && !signal.aborted; at++) yield part.records[at]!;
        if (!signal.aborted && at >= part.position) await nextChange(part, signal);
      }
    },
    ping: reach,
    async close() {
      if (state !== 'open') return;
      await registry.close();
      state = 'closed';
    },
    crash() {
      state = 'crashed';
    },
  };
}

function nextChange(part: Part, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const end = () => {
      part.changed.delete(end);
      signal.removeEventListener('abort', end);
      done();
    };
    part.changed.add(end);
    signal.addEventListener('abort', end);
  });
}
