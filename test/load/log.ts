/** The log alone: how long an append takes, at a pace and as fast as it goes, and how fast a partition is read again. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog, Writer } from '@opentact/event-log';
import { percentile } from '../kit/load-average.ts';

const TOPIC = 'load.journal';
const PARTITION = 1;
/** About what an event of a call takes. */
const BYTES = 180;
const PACED = 300;
const BATCHES = 60;
const BATCH = 200;

const record = (n: number) => ({
  key: `call-${n % 50}`,
  headers: { type: 'DigitPressed', seq: String(n), schema: '1' },
  bytes: Buffer.alloc(BYTES, n),
});

/** Appends one event at a time, so many a second; 0: one after the other. @returns times in ms */
async function paced(writer: Writer, perSecond: number): Promise<number[]> {
  const times: number[] = [];
  const startedAt = performance.now();
  for (let n = 0; n < PACED; n++) {
    if (perSecond > 0) await sleep(Math.max(0, startedAt + (n * 1000) / perSecond - performance.now()));
    const at = performance.now();
    await writer.append({ records: [record(n)] });
    times.push(performance.now() - at);
  }
  return times;
}

/** @returns a line per figure. */
export async function measureLog(log: EventLog): Promise<string[]> {
  const writer = await log.take(TOPIC, PARTITION);
  await paced(writer, 0);
  const spread = (times: number[]) =>
    `p50 ${percentile(times, 0.5).toFixed(2)} ms, p99 ${percentile(times, 0.99).toFixed(2)} ms`;
  const lines = [`append of one event, one after the other: ${spread(await paced(writer, 0))}`];
  lines.push(`append of one event, 50 a second: ${spread(await paced(writer, 50))}`);
  const times: number[] = [];
  const startedAt = performance.now();
  for (let batch = 0; batch < BATCHES; batch++) {
    const at = performance.now();
    await writer.append({ records: Array.from({ length: BATCH }, (_, n) => record(n)) });
    times.push(performance.now() - at);
  }
  const written = (BATCHES * BATCH * 1000) / (performance.now() - startedAt);
  lines.push(`append of ${BATCH}: ${spread(times)}; ${Math.round(written)} events/s in one partition`);
  await writer.release();
  const readAt = performance.now();
  let events = 0;
  for await (const _ of log.replay(TOPIC, PARTITION, 0)) events++;
  lines.push(`replay of ${events} records: ${Math.round((events * 1000) / (performance.now() - readAt))} events/s`);
  return lines;
}
