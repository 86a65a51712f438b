/** Two ways to Kafka doing the same few things, for `kafka-first-day.ts`: our own adapter, and kafkajs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { kafkaLog, type Writer } from '@opentact/event-log';
import { Admin } from '@platformatic/kafka';
import kafkajs, { type Producer } from 'kafkajs';

export type Client = {
  name: string;
  /** Makes this process the owner of those partitions; ms each. */
  own(partitions: number[]): Promise<number[]>;
  /** One transaction of one record. */
  transact(partition: number, bytes: Buffer): Promise<void>;
  /** Reads a partition from its end, read_committed. @returns ms until it read. */
  read(partition: number, seen: () => void): Promise<number>;
  close(): Promise<void>;
};

const brokers = (process.env.KAFKA_BROKERS ?? '127.0.0.1:9092').split(',');

export async function createTopic(name: string, partitions: number): Promise<void> {
  const admin = new Admin({ clientId: 'first-day', bootstrapBrokers: brokers });
  await admin.createTopics({ topics: [name], partitions, replicas: Math.min(3, brokers.length) });
  await admin.close();
  await sleep(1000);
}

/** A transaction that is begun and never ended, to be killed in its middle. */
export async function hang(topic: string, partition: number): Promise<void> {
  const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING });
  const producer = kafka.producer({
    transactionalId: `${topic}-${partition}`,
    idempotent: true,
    maxInFlightRequests: 1,
  });
  await producer.connect();
  const transaction = await producer.transaction();
  await transaction.send({ topic, acks: -1, messages: [{ partition, value: 'never' }] });
}

export async function adapter(topic: string): Promise<Client> {
  const log = await kafkaLog({ brokers });
  const writers = new Map<number, Writer>();
  const closing = new AbortController();
  let last = 0;
  const client: Client = {
    name: 'our adapter',
    async own(partitions) {
      const took: number[] = [];
      for (const partition of partitions) {
        const started = performance.now();
        writers.set(partition, await log.take(topic, partition));
        took.push(performance.now() - started);
      }
      return took;
    },
    async transact(partition, bytes) {
      last = await writers.get(partition)!.append({ records: [{ key: 'k', headers: {}, bytes }] });
    },
    async read(partition, seen) {
      await client.transact(partition, Buffer.from('known'));
      const started = performance.now();
      const { promise, resolve } = Promise.withResolvers<number>();
      void (async () => {
        for await (const record of log.follow(topic, partition, last - 1, closing.signal)) {
          if (record.position === last) resolve(performance.now() - started);
          seen();
        }
      })();
      return promise;
    },
    async close() {
      closing.abort();
      await log.close();
    },
  };
  return client;
}

export async function kafkaJs(topic: string): Promise<Client> {
  const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING });
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
        eachMessage: async ({ partition: from }) => {
          if (from === partition) seen();
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
