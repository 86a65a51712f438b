import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createMemoryServer, type EventLog, faulty, memoryLog } from './index.ts';

const batch = { records: [{ key: 'k', headers: {}, bytes: Buffer.from('x') }] };
async function count(log: EventLog): Promise<number> {
  let records = 0;
  for await (const _ of log.replay('t', 0, 0)) records++;
  return records;
}

for (const [when, written] of [
  ['before', 1],
  ['after', 2],
] as const) {
  test(`dying ${when} the write leaves ${written} of 2 records and no answer`, async () => {
    const server = createMemoryServer();
    let died = 0;
    const log = faulty(memoryLog(server), { at: 3, when, what: 'die', died: () => died++ });
    const writer = await log.take('t', 0);
    await writer.append(batch);
    let answered = false;
    void writer.append(batch).finally(() => {
      answered = true;
    });
    await sleep(20);
    assert.deepEqual([answered, died, log.operations()], [false, 1, 3]);
    assert.equal(await count(memoryLog(server)), written);
  });

  test(`unavailable ${when} the write leaves ${written} of 2 records, and taking again repairs`, async () => {
    const log = faulty(memoryLog(), { at: 3, when, what: 'unavailable' });
    const writer = await log.take('t', 0);
    await writer.append(batch);
    await assert.rejects(writer.append(batch), { code: 'unavailable' });
    await assert.rejects(writer.append(batch), { code: 'unavailable' });
    assert.equal(await count(log), written);
    await (await log.take('t', 0)).append(batch);
    assert.equal(await count(log), written + 1);
  });
}
