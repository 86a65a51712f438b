/**
 * Two Kafka clients doing the same few things, for `kafka-first-day.ts`: kafkajs through its public face, and the wire
 * calls of @platformatic/kafka. They speak to one broker only and retry only what a transaction must.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  addPartitionsToTxnV3,
  Connection,
  createTopicsV7,
  endTxnV3,
  fetchV12,
  findCoordinatorV4,
  initProducerIdV4,
  listOffsetsV7,
  produceV9,
} from '@platformatic/kafka';
import kafkajs, { type Producer } from 'kafkajs';

export type Client = {
  name: string;
  /** Makes this process the owner of those partitions; ms each. */
  own(partitions: number[]): Promise<number[]>;
  /** One transaction of one record. */
  transact(partition: number, bytes: Buffer): Promise<void>;
  /** Reads a partition from its end, read_committed. @returns ms until it read. */
  read(partition: number, seen: (bytes: Buffer) => void): Promise<number>;
  close(): Promise<void>;
};

const LANES = 8;
const NOT_YET = [
  'CONCURRENT_TRANSACTIONS',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR',
];
const [host, port] = (process.env.KAFKA_BROKERS ?? '127.0.0.1:9092').split(',')[0]!.split(':') as [string, string];

async function connect(): Promise<Connection> {
  const connection = new Connection('first-day', { requestTimeout: 5000, maxInflights: 100 });
  connection.on('error', () => {});
  await connection.connect(host, Number(port));
  return connection;
}

/** Tries again what the coordinator refuses while an earlier transaction still ends. */
async function untilIdle<T>(run: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await run();
    } catch (error) {
      const codes = ((error as { errors?: Array<{ apiId?: string }> }).errors ?? []).map((e) => e.apiId);
      if (!codes.some((code) => NOT_YET.includes(code ?? ''))) throw error;
      await sleep(1);
    }
  }
}

export async function createTopic(name: string, partitions: number): Promise<void> {
  const connection = await connect();
  const topic = { name, numPartitions: partitions, replicationFactor: -1, assignments: [], configs: [] };
  await createTopicsV7.api.async(connection, [topic], 10_000, false).catch(() => {}); // It may be there.
  await connection.close();
  await sleep(1000);
}

/** Owns nothing: a transaction that is begun and never ended, to be killed in its middle. */
export async function hang(topic: string, partition: number): Promise<void> {
  const raw = wire(topic);
  await raw.own([partition]);
  await raw.begin(partition, Buffer.from('never'));
}

export function wire(topic: string): Client & { begin(partition: number, bytes: Buffer): Promise<void> } {
  const lanes: Connection[] = [];
  const owned = new Map<number, { producerId: bigint; producerEpoch: number; sequence: number }>();
  let closed = false;
  const lane = async (n: number) => (lanes[n % LANES] ??= await connect());
  const idOf = (partition: number) => `${topic}-${partition}`;

  async function begin(partition: number, bytes: Buffer): Promise<void> {
    const [connection, own, transactionalId] = [await lane(partition), owned.get(partition)!, idOf(partition)];
    const { producerId, producerEpoch } = own;
    const topics = [{ name: topic, partitions: [partition] }];
    const adding = [{ transactionalId, producerId, producerEpoch, verifyOnly: false, topics }];
    await untilIdle(() => addPartitionsToTxnV3.api.async(connection, adding));
    const sequences = { getWithDefault: () => own.sequence++ } as never;
    const options = { transactionalId, producerId, producerEpoch, sequences };
    await produceV9.api.async(connection, -1, 5000, [{ topic, partition, value: bytes }], options);
  }
  return {
    name: 'wire calls',
    begin,
    async own(partitions) {
      const took: number[] = [];
      for (const partition of partitions) {
        const connection = await lane(partition);
        const started = performance.now();
        await untilIdle(() => findCoordinatorV4.api.async(connection, 1, [idOf(partition)]));
        const answer = await untilIdle(() => initProducerIdV4.api.async(connection, idOf(partition), 30_000));
        owned.set(partition, { ...answer, sequence: 0 });
        took.push(performance.now() - started);
      }
      return took;
    },
    async transact(partition, bytes) {
      await begin(partition, bytes);
      const { producerId, producerEpoch } = owned.get(partition)!;
      await endTxnV3.api.async(await lane(partition), idOf(partition), producerId, producerEpoch, true);
    },
    async read(partition, seen) {
      const started = performance.now();
      const connection = await connect();
      lanes.push(connection);
      const asked = [
        { name: topic, partitions: [{ partitionIndex: partition, currentLeaderEpoch: -1, timestamp: -1n }] },
      ];
      let fetchOffset = (await listOffsetsV7.api.async(connection, -1, 1, asked)).topics[0]!.partitions[0]!.offset;
      const took = performance.now() - started;
      const loop = async (): Promise<void> => {
        while (!closed) {
          const place = {
            partition,
            currentLeaderEpoch: -1,
            fetchOffset,
            lastFetchedEpoch: -1,
            partitionMaxBytes: 1 << 20,
          };
          const found = await fetchV12.api.async(
            connection,
            500,
            1,
            1 << 20,
            1,
            0,
            -1,
            [{ topicId: topic, partitions: [place] }],
            [],
            '',
          );
          for (const batch of found.responses[0]?.partitions[0]?.records ?? []) {
            if ((batch.attributes & 0x20) === 0) for (const r of batch.records) seen(r.value!);
            fetchOffset = batch.firstOffset + BigInt(batch.lastOffsetDelta + 1);
          }
        }
      };
      void loop().catch(() => {});
      return took;
    },
    async close() {
      closed = true;
      await Promise.all(lanes.map((c) => c?.close().catch(() => {})));
    },
  };
}

export function kafkaJs(topic: string): Client {
  const kafka = new kafkajs.Kafka({ brokers: [`${host}:${port}`], logLevel: kafkajs.logLevel.NOTHING });
  const owned = new Map<number, Producer>();
  const closing: Array<() => Promise<void>> = [];
  return {
    name: 'kafkajs',
    async own(partitions) {
      const took: number[] = [];
      for (const partition of partitions) {
        const started = performance.now();
        const transactionalId = `${topic}-${partition}`;
        const producer = kafka.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 });
        await producer.connect();
        // The fence is its first transaction: there is no call for InitProducerId alone.
        await (await producer.transaction()).abort();
        owned.set(partition, producer);
        took.push(performance.now() - started);
      }
      return took;
    },
    async transact(partition, bytes) {
      const transaction = await owned.get(partition)!.transaction();
      await transaction.send({ topic, acks: -1, messages: [{ partition, value: bytes }] });
      await transaction.commit();
    },
    async read(partition, seen) {
      const started = performance.now();
      const consumer = kafka.consumer({ groupId: `first-day-${partition}-${Date.now()}`, maxWaitTimeInMs: 500 });
      closing.push(() => consumer.disconnect());
      await consumer.connect();
      await consumer.subscribe({ topic });
      const joined = new Promise<number>((done) =>
        consumer.on(consumer.events.GROUP_JOIN, () => done(performance.now() - started)),
      );
      await consumer.run({
        eachMessage: async ({ partition: from, message }) => {
          if (from === partition) seen(message.value!);
        },
      });
      return joined;
    },
    async close() {
      for (const producer of owned.values()) await producer.disconnect();
      for (const end of closing) await end();
    },
  };
}
