/** What the log's server refuses to keep of one call costs that call alone: its partition goes on with all the others. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPhone, type Phone } from '@opentact/phone';
import { partitionOf } from '@opentact/runtime';
import pg from 'pg';
import { environmentOf } from '../kit/environment.ts';
import { callDocument } from '../kit/place-call.ts';
import { type Platform, startPlatform } from '../kit/platform.ts';
import { eventually, outcome } from '../kit/scene.ts';

const PARTITIONS = 8;
const XML =
  '<Response><Gather numDigits="1" timeout="30000"><Pause length="30000"/></Gather><Say>Heard.</Say></Response>';

let platform: Platform;
let phone: Phone;

before(
  async () => {
    [platform, phone] = await Promise.all([startPlatform(), openPhone()]);
  },
  { timeout: 90_000 },
);
after(async () => {
  await phone?.close();
  await platform?.stop();
});

/** PostgreSQL refuses a call's digits while `during` runs. A connection of its own: the platform may end before this file. */
async function refusingDigits(callId: string, during: () => Promise<void>): Promise<void> {
  const database = new pg.Client({ connectionString: environmentOf(platform, 'flow-engine-1', 'DATABASE_URL') });
  await database.connect();
  try {
    await database.query(`alter table log_record add constraint unlucky
      check (not (key = '${callId}' and headers like '%DigitPressed%')) not valid`);
    await during();
  } finally {
    await database.query('alter table log_record drop constraint if exists unlucky');
    await database.end();
  }
}

/** Two calls of one partition. */
async function pair() {
  const calls = [await callDocument(platform, phone, XML)];
  const partition = partitionOf(calls[0]!.platformCallId, PARTITIONS);
  for (let tries = 0; calls.length < 2 && tries < 60; tries++) {
    const call = await callDocument(platform, phone, XML);
    if (partitionOf(call.platformCallId, PARTITIONS) === partition) calls.push(call);
    else call.hangup();
  }
  assert.equal(calls.length, 2);
  const [refused, other] = calls;
  return { refused: refused!, other: other! };
}

test('an event that PostgreSQL refuses faults its call; another call of its partition goes on', {
  timeout: 120_000,
}, async () => {
  // What the files before have killed is back, and no partition moves meanwhile.
  await platform.whole();
  const { refused, other } = await pair();
  await platform.until(refused.platformCallId, (e) => e.type === 'LegConfirmed');
  await refusingDigits(refused.platformCallId, async () => {
    await refused.peer.press('4');
    await eventually(() => refused.state === 'ended', 'the refused call was not ended', 30_000);
    await platform.until(refused.platformCallId, (e) => e.type === 'CallEnded');
  });
  const story = await platform.story(refused.platformCallId);
  assert.ok(story.some((e) => e.type === 'CallFaulted'));
  assert.deepEqual(
    story.map((e) => e.seq),
    story.map((_, n) => n + 1),
  );
  await other.peer.press('7');
  const ended = await platform.ended(other.platformCallId);
  assert.ok(ended.some((e) => e.type === 'DigitPressed' && e.digit === '7'));
  assert.equal(outcome(ended), 'document: document-end');
});
