/**
 * The log in Kafka, over its wire protocol: one transactional id per partition is the fence, one transaction is an
 * append, and readers are members of no group. Positions are offset + 1.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { partitionOf } from '@opentact/runtime';
import { createCompacted } from './kafka-compacted.ts';
import { reachingKafka } from './kafka-errors.ts';
import { createReader, type RawRecord } from './kafka-read.ts';
import { kafkaRegistryStore } from './kafka-registry.ts';
import { createTail } from './kafka-tail.ts';
import { createTopicMaker, snapshotsOf } from './kafka-topics.ts';
import { createWire } from './kafka-wire.ts';
import { takeKafkaWriter } from './kafka-writer.ts';
import type { EventLog, LogRecord } from './port.ts';
import { createRegistry } from './registry.ts';

const PARTITIONS = 48;
const OPEN_MS_MAX = 15_000;
const PING_MS_MAX = 2000;
const AWAY_MS = 100;
const NOTHING = new Uint8Array();

export type KafkaOptions = { brokers: string[]; retainDays?: number; partitions?: number };

const recordOf = ({ position, key, headers, bytes }: RawRecord): LogRecord => ({
  position,
  key,
  headers,
  bytes: bytes ?? NOTHING,
});

/**
 * Opens the log at some brokers of a cluster; Kafka 3.0 or newer.
 * @param options.brokers `host:port`. @param options.retainDays counts where this makes a topic that is missing.
 * @param options.partitions fixed at birth; only tests choose another number.
 * @throws LogError `unavailable` where no broker answers within 15 s.
 */
export async function kafkaLog(options: KafkaOptions): Promise<EventLog> {
  const { brokers, retainDays = 30, partitions = PARTITIONS } = options;
  const wire = createWire(brokers);
  const ping = (withinMs: number) =>
    reachingKafka('ping', () =>
      wire.persist(
        withinMs,
        () => wire.metadata([]),
        () => {},
      ),
    );
  const { clusterId } = await ping(OPEN_MS_MAX).catch(async (error) => {
    await wire.close();
    throw error;
  });
  const topics = createTopicMaker(wire, retainDays, options.partitions);
  const reader = createReader(wire);
  const compacted = createCompacted(reader);
  const tail = createTail(wire);
  const registry = createRegistry(kafkaRegistryStore(wire, reader, topics));
  let closing: Promise<unknown> | undefined;

  async function* replay(topic: string, partition: number, position: number): AsyncGenerator<LogRecord> {
    if (!(await reader.exists(topic, partition))) return;
    for await (const page of reader.toEnd(topic, partition, position)) yield* page.records.map(recordOf);
  }
  async function* follow(topic: string, partition: number, from: number, signal: AbortSignal) {
    for (let offset = from; !signal.aborted; ) {
      const place = { topic, partition, offset };
      try {
        const page = (await tail.wait(place, signal)) ?? (await reader.page(place, 0));
        for (const record of page.records) {
          if (signal.aborted) return;
          yield recordOf(record);
        }
        offset = page.next;
      } catch {
        if (closing) return;
        await sleep(AWAY_MS); // The log is away, or the topic is not made yet.
      }
    }
  }
  return {
    ...{ partitions, registry, id: `kafka ${clusterId ?? ''}`, indexesKeys: false },
    take: (topic, partition) =>
      reachingKafka(`take ${topic}/${partition}`, async () => {
        if (partition < 0 || partition >= partitions) throw new RangeError(`partition ${partition} of ${partitions}`);
        await topics.ensure([topic, snapshotsOf(topic)]);
        return takeKafkaWriter({ wire, endOf: reader.endOf, compacted }, topic, partition);
      }),
    replay,
    async *snapshots(topic, partition) {
      yield* await compacted.snapshots(topic, partition);
    },
    lowWater: (topic, partition) => compacted.lowWater(topic, partition),
    /** Reads the whole partition of the key from `position`: cheap for a young call, not for history. */
    async *readKey(topic, key, position = 0) {
      for await (const record of replay(topic, partitionOf(key, partitions), position))
        if (record.key === key) yield record;
    },
    follow,
    ping: () => ping(PING_MS_MAX).then(() => undefined),
    close() {
      closing ??= registry.close().then(() => {
        tail.close();
        compacted.close();
        return wire.close();
      });
      return closing.then(() => undefined);
    },
  };
}
