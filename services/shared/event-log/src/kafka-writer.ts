/**
 * Appends to one partition in Kafka: one transaction holds the records, the snapshots and the low-water mark. The fence
 * is the transactional id of the partition, whose newest epoch alone may write.
 */
import { describeTransactionsV0 } from '@platformatic/kafka';
import type { Compacted } from './kafka-compacted.ts';
import { lowWaterMessage, snapshotMessage } from './kafka-compacted.ts';
import { codesOf, reachingKafka } from './kafka-errors.ts';
import { snapshotsOf, transactionalIdOf } from './kafka-topics.ts';
import { createTransactions, isFencing, type Produced, STEP_MS_MAX, takeProducer } from './kafka-transaction.ts';
import type { Lane, Wire } from './kafka-wire.ts';
import { type Batch, LogError, type NewRecord, type Writer } from './port.ts';

const LANES = 8;
const EPOCHS = 2 ** 15;
/** Words of a broker that a fence may hide behind: it asks the coordinator whether the transaction is open. */
const SUSPICIOUS = ['INVALID_TXN_STATE', 'TRANSACTION_ABORTABLE', 'INVALID_PRODUCER_ID_MAPPING', 'UNKNOWN_PRODUCER_ID'];

const bufferOf = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function messageOf({ key, headers, bytes }: NewRecord): Produced['messages'][number] {
  const entries = Object.entries(headers).map(([name, value]): [Buffer, Buffer] => [
    Buffer.from(name),
    Buffer.from(value),
  ]);
  return { key: Buffer.from(key), value: bufferOf(bytes), headers: new Map(entries) };
}

export type WriterNeeds = {
  wire: Wire;
  /** Where the journal partition ends now. */
  endOf(topic: string, partition: number): Promise<number>;
  compacted: Compacted;
};

/**
 * Takes the partition. Its epoch is the journal's length at that moment and, for takings between which nothing was
 * written, Kafka's own producer epoch: that alone could fall when a transactional id expires. It counts once something
 * was appended under it: only then has every later taking a higher one.
 */
export async function takeKafkaWriter(needs: WriterNeeds, topic: string, partition: number): Promise<Writer> {
  const { wire, compacted } = needs;
  const id = transactionalIdOf(topic, partition);
  const lane: Lane = `write-${partition % LANES}`;
  const producer = await takeProducer(wire, id, lane);
  let position = await needs.endOf(topic, partition);
  const epoch = position * EPOCHS + producer.producerEpoch;
  const place = `${topic}/${partition} epoch ${epoch}`;
  const transactions = createTransactions(wire, producer);
  let state: 'idle' | 'in flight' | 'fenced' | 'unavailable' = 'idle';
  let running: Promise<unknown> = Promise.resolve();
  let lowWater: number | undefined; // as written, once it is known

  async function isMine(): Promise<boolean> {
    const { transactionStates } = await wire.onCoordinator(id, lane, STEP_MS_MAX, (connection) =>
      describeTransactionsV0.api.async(connection, [id]),
    );
    const { producerId, producerEpoch } = transactionStates[0]!;
    return producerId === producer.producerId && producerEpoch === producer.producerEpoch;
  }
  async function write(batch: Batch): Promise<number> {
    const records = { topic, partition, messages: batch.records.map(messageOf) };
    const beside = { topic: snapshotsOf(topic), partition };
    lowWater ??= batch.lowWater === undefined ? undefined : await compacted.lowWater(topic, partition);
    const mark = batch.lowWater !== undefined && batch.lowWater > lowWater! ? batch.lowWater : undefined;
    const hasBeside = mark !== undefined || (batch.snapshots?.length ?? 0) > 0;
    const places = [...(batch.records.length > 0 ? [records] : []), ...(hasBeside ? [beside] : [])];
    if (places.length === 0) {
      if (!(await isMine())) throw new LogError('fenced', `${place}: another epoch owns it`);
      return position;
    }
    await transactions.begin(places);
    let last = position;
    if (batch.records.length > 0) last = (await transactions.produce(records)) + 1;
    // Only now is it known which position the snapshots cover.
    const messages = (batch.snapshots ?? []).map(({ key, bytes }) =>
      snapshotMessage(key, bytes && bufferOf(bytes), last),
    );
    if (mark !== undefined) messages.push(lowWaterMessage(mark));
    if (hasBeside) await transactions.produce({ ...beside, messages });
    await transactions.commit();
    position = last;
    lowWater = mark ?? lowWater;
    return position;
  }
  async function judged(error: unknown): Promise<unknown> {
    const isFenced =
      isFencing(error) ||
      (codesOf(error).some((code) => SUSPICIOUS.includes(code)) && !(await isMine().catch(() => true)));
    return isFenced ? new LogError('fenced', `${place}: another epoch owns it`, { cause: error }) : error;
  }
  return {
    topic,
    partition,
    epoch,
    async append(batch) {
      if (state === 'in flight') throw new Error(`${place}: two appends at once`);
      // After an unknown outcome nothing may follow under this epoch: its transaction may still be open.
      if (state !== 'idle') throw new LogError(state, `${place}: was ${state} before`);
      state = 'in flight';
      const written = reachingKafka(`append to ${place}`, () =>
        write(batch).catch(async (error) => Promise.reject(await judged(error))),
      );
      running = written.catch(() => {});
      try {
        const answer = await written;
        state = 'idle';
        return answer;
      } catch (error) {
        state = error instanceof LogError && error.code === 'fenced' ? 'fenced' : 'unavailable';
        throw error;
      }
    },
    async check() {
      await running;
      return reachingKafka(`check ${place}`, isMine);
    },
    async release() {
      state = 'fenced';
    },
  };
}
