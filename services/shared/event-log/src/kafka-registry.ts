/**
 * The registry's rows in the topic `nodes`: beats as plain records, read back by every process to their end at each
 * exchange. Kafka has no lock that a death frees; the connection to a node's address stands for it.
 */
import { produceV9 } from '@platformatic/kafka';
import type { Beat } from './beats.ts';
import type { Observation } from './judge.ts';
import { reachingKafka } from './kafka-errors.ts';
import { watchAddresses } from './kafka-liveness.ts';
import type { Reader } from './kafka-read.ts';
import type { TopicMaker } from './kafka-topics.ts';
import type { Wire } from './kafka-wire.ts';
import type { Node } from './port.ts';
import type { RegistryStore } from './registry.ts';

const TOPIC = 'nodes';
const ALL = -1;
const WRITE_MS = 1000;
const FORGOTTEN_MS = 3_600_000;

/** A beat as it is written, JSON. `birth` orders the boots of a name: ms of the first beat, or one more than the last's. */
type Row = { node: Node; beats: number; birth: number; withdrawn: boolean };
type Seen = Row & { at: number };

const messageOf = (row: Row) => ({
  topic: TOPIC,
  partition: 0,
  key: Buffer.from(row.node.name),
  value: Buffer.from(JSON.stringify(row)),
});

function rowOf(bytes: Buffer | null): Row | undefined {
  try {
    const row = JSON.parse(bytes!.toString());
    return typeof row.node.name === 'string' && typeof row.birth === 'number' ? row : undefined;
  } catch {
    return undefined; // Not ours, or a tombstone.
  }
}

export function kafkaRegistryStore(wire: Wire, reader: Reader, topics: TopicMaker): RegistryStore {
  const rows = new Map<string, Seen>();
  const addresses = watchAddresses();
  let next: number | undefined;
  const own = new Map<string, { boot: string; birth: number }>(); // by name

  const isOwn = (node: Node) => own.get(node.name)?.boot === node.boot;
  function learn(row: Row | undefined, at: number): void {
    const known = row && rows.get(row.node.name);
    if (
      !row ||
      (known && (row.birth < known.birth || (row.birth === known.birth && row.node.boot !== known.node.boot)))
    )
      return;
    rows.set(row.node.name, { ...row, at });
  }
  async function read(): Promise<void> {
    for await (const page of reader.toEnd(TOPIC, 0, next ?? 0, false)) {
      for (const { bytes, at } of page.records) learn(rowOf(bytes), at);
      next = page.next;
    }
    const newest = Math.max(0, ...[...rows.values()].map((row) => row.at));
    for (const [name, row] of rows) if (newest - row.at > FORGOTTEN_MS) rows.delete(name);
  }
  async function write(written: Row[]): Promise<void> {
    const messages = written.map(messageOf);
    await wire.onLeader(TOPIC, 0, 'nodes', WRITE_MS, (c) => produceV9.api.async(c, ALL, WRITE_MS, messages, {}));
  }
  function birthOf({ node }: Beat): number {
    if (isOwn(node)) return own.get(node.name)!.birth;
    // After whichever boot holds the name, whatever the clocks of two machines say.
    const birth = Math.max(Date.now(), (rows.get(node.name)?.birth ?? 0) + 1);
    own.set(node.name, { boot: node.boot, birth });
    return birth;
  }
  function observations(): Observation[] {
    const others = [...rows.values()].filter((row) => !row.withdrawn && !isOwn(row.node));
    addresses.follow(others.map(({ node, beats }) => ({ ...node, beats })));
    return [...rows.values()].map(({ node, beats, withdrawn }) => ({
      node,
      beats,
      withdrawn,
      free: isOwn(node) ? false : addresses.isFree(node.name, node.boot),
    }));
  }
  return {
    exchange: (beats) =>
      reachingKafka('registry', async () => {
        await topics.ensure([TOPIC]);
        // The first beat comes after a whole reading: it must outrank what is there.
        if (beats.length > 0 && next === undefined) await read();
        if (beats.length > 0) await write(beats.map((beat) => ({ ...beat, birth: birthOf(beat), withdrawn: false })));
        await read();
        return observations();
      }),
    withdraw: (node) =>
      reachingKafka('leave the registry', async () => {
        const row = rows.get(node.name);
        if (row?.node.boot !== node.boot) return;
        await write([{ node, beats: row.beats + 1, birth: row.birth, withdrawn: true }]);
        own.delete(node.name);
      }),
    async close() {
      addresses.close();
    },
  };
}
