/** Appends to one partition in PostgreSQL, until another taking of it has moved its epoch on. */
import type pg from 'pg';
import { reaching } from './connections.ts';
import { type Batch, LogError, type NewRecord, type Writer } from './port.ts';
import { type Committer, isRefusedData } from './postgres-committer.ts';

export const TAKE = `insert into log_partition (topic, partition, epoch) values ($1, $2, 1)
  on conflict (topic, partition) do update set epoch = log_partition.epoch + 1 returning epoch::float8 as epoch`;

/** @param appended called after each append that holds records, with the position of its last one. */
export function postgresWriter(
  of: { topic: string; partition: number; epoch: number; committer: Committer; reads: pg.Pool },
  appended: (position: number, records: readonly NewRecord[]) => void,
): Writer {
  const { topic, partition, epoch } = of;
  const place = `${topic}/${partition} epoch ${epoch}`;
  let state: 'idle' | 'in flight' | 'fenced' | 'unavailable' = 'idle';

  async function write(batch: Batch): Promise<number> {
    const position = await of.committer.append({ topic, partition, epoch }, batch).catch(async (error) => {
      const keys = isRefusedData(error) ? await of.committer.refusedKeys({ topic, partition, epoch }, batch) : [];
      if (keys.length === 0) throw error;
      throw new LogError('refused', `${place}: ${error.message}`, { cause: error, keys });
    });
    if (position === undefined) throw new LogError('fenced', `${place}: another epoch owns it`);
    if (batch.records.length > 0) appended(position, batch.records);
    return position;
  }
  return {
    topic,
    partition,
    epoch,
    async append(batch) {
      if (state === 'in flight') throw new Error(`${place}: two appends at once`);
      // After an unknown outcome nothing may follow under this epoch: it could land before or after what was lost.
      if (state !== 'idle') throw new LogError(state, `${place}: was ${state} before`);
      state = 'in flight';
      try {
        const position = await reaching(`append to ${place}`, () => write(batch));
        state = 'idle';
        return position;
      } catch (error) {
        const { code } = error as LogError;
        state = code === 'refused' ? 'idle' : code === 'fenced' ? code : 'unavailable';
        throw error;
      }
    },
    check: () =>
      reaching(`check ${place}`, async () => {
        const text = 'select epoch = $3 as mine from log_partition where topic = $1 and partition = $2';
        const { rows } = await of.reads.query({ name: 'check', text, values: [topic, partition, epoch] });
        return rows[0]?.mine === true;
      }),
    async release() {
      state = 'fenced';
    },
  };
}
