/**
 * One Kafka transaction at a time under one producer id and epoch: partitions added, records produced, committed. A try
 * that failed is repeated under its own sequence numbers, which brokers recognise, so that nothing is written twice.
 */
import { addPartitionsToTxnV3, endTxnV3, initProducerIdV4, type MessageRecord, produceV9 } from '@platformatic/kafka';
import { codesOf } from './kafka-errors.ts';
import type { Lane, Wire } from './kafka-wire.ts';
import { LogError } from './port.ts';

/** Of a request at a broker; longer than it takes to choose another leader. */
export const STEP_MS_MAX = 5000;
/** The coordinator aborts what is open for longer: more than all steps of a transaction take. */
const TRANSACTION_MS_MAX = 30_000;
const PRODUCE_MS = 2500;
const BATCH_BYTES_MAX = 512 * 1024;
const SEQUENCE_MAX = 2 ** 31;
const FENCING = ['PRODUCER_FENCED', 'INVALID_PRODUCER_EPOCH'];
const ALL = -1;

export type Producer = { id: string; producerId: bigint; producerEpoch: number; lane: Lane };
export type Produced = {
  topic: string;
  partition: number;
  messages: Array<Omit<MessageRecord, 'topic' | 'partition'>>;
};

export const isFencing = (error: unknown) => codesOf(error).some((code) => FENCING.includes(code));

/** Fences whoever held `id` and ends what it left open. */
export async function takeProducer(wire: Wire, id: string, lane: Lane): Promise<Producer> {
  const answer = await wire.onCoordinator(id, lane, STEP_MS_MAX, (connection) =>
    initProducerIdV4.api.async(connection, id, TRANSACTION_MS_MAX),
  );
  return { id, producerId: answer.producerId, producerEpoch: answer.producerEpoch, lane };
}

/** Record batches below the size a topic takes; one record may be a batch of its own. */
function batchesOf(messages: Produced['messages']): Array<Produced['messages']> {
  const batches: Array<Produced['messages']> = [];
  let size = Number.POSITIVE_INFINITY;
  for (const message of messages) {
    const bytes = 200 + (message.value?.length ?? 0);
    if (size + bytes > BATCH_BYTES_MAX) {
      batches.push([]);
      size = 0;
    }
    batches.at(-1)!.push(message);
    size += bytes;
  }
  return batches;
}

export type Transactions = {
  begin(places: Array<{ topic: string; partition: number }>): Promise<void>;
  /** @returns the offset of the last record. */
  produce(what: Produced): Promise<number>;
  /** @throws LogError `fenced` only where nothing of it was or will be committed. */
  commit(): Promise<void>;
};

export function createTransactions(wire: Wire, producer: Producer): Transactions {
  const { id, producerId, producerEpoch, lane } = producer;
  const sequences = new Map<string, number>();

  async function produceBatch(what: Produced): Promise<number> {
    const { topic, partition, messages } = what;
    const place = `${topic}/${partition}`;
    const sequence = sequences.get(place) ?? 0;
    const options = {
      transactionalId: id,
      producerId,
      producerEpoch,
      sequences: { getWithDefault: () => sequence } as never,
    };
    const data = messages.map((message) => ({ ...message, topic, partition }));
    const answer = await wire.onLeader(topic, partition, lane, STEP_MS_MAX, (connection) =>
      produceV9.api.async(connection, ALL, PRODUCE_MS, data, options),
    );
    sequences.set(place, (sequence + messages.length) % SEQUENCE_MAX);
    const answered = typeof answer === 'boolean' ? undefined : answer.responses[0]?.partitionResponses[0];
    return Number(answered!.baseOffset) + messages.length - 1;
  }
  return {
    async begin(places) {
      const topics = places.map(({ topic, partition }) => ({ name: topic, partitions: [partition] }));
      const adding = [{ transactionalId: id, producerId, producerEpoch, verifyOnly: false, topics }];
      await wire.onCoordinator(id, lane, STEP_MS_MAX, (connection) =>
        addPartitionsToTxnV3.api.async(connection, adding),
      );
    },
    async produce(what) {
      let last = 0;
      for (const messages of batchesOf(what.messages)) last = await produceBatch({ ...what, messages });
      return last;
    },
    async commit() {
      let mayBeDone = false;
      try {
        await wire.onCoordinator(id, lane, STEP_MS_MAX, async (connection) => {
          try {
            await endTxnV3.api.async(connection, id, producerId, producerEpoch, true);
          } catch (error) {
            mayBeDone ||= codesOf(error).includes('NETWORK') || codesOf(error).includes('REQUEST_TIMED_OUT');
            throw error;
          }
        });
      } catch (error) {
        if (mayBeDone && isFencing(error))
          throw new LogError('unavailable', `${id}: fenced after a commit that was not answered`, { cause: error });
        throw error;
      }
    },
  };
}
