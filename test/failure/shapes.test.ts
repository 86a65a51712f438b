/** A home goes from cells to services and back under a live call, which hears and is heard all the while. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openPhone } from '@opentact/phone';
import { callDocument } from '../kit/place-call.ts';
import { startPlatform } from '../kit/platform.ts';
import { outcome } from '../kit/scene.ts';

const CLONE = fileURLToPath(new URL('../..', import.meta.url));
const GATHER = '<Gather numDigits="1" timeout="170000"><Pause length="170000"/></Gather>';
const XML = `<Response>${GATHER}<Say>Once.</Say>${GATHER}<Say>Twice.</Say></Response>`;

test('a live call goes from cells to services and back', { timeout: 190_000 }, async (t) => {
  const platform = await startPlatform({ OPENTACT_SHAPE: 'cells' });
  const phone = await openPhone();
  t.after(async () => {
    await phone.close();
    await platform.stop();
  });
  const processes = () =>
    readdirSync(join(platform.home, 'run'))
      .filter((file) => file.endsWith('.pid'))
      .map((file) => file.slice(0, -'.pid'.length));
  const call = await callDocument(platform, phone, XML);
  const press = async (digit: string) => {
    const since = Date.now();
    await call.peer.press(digit);
    await platform.until(call.platformCallId, (e) => e.type === 'DigitPressed' && e.digit === digit && e.at >= since);
  };

  await platform.replaceBy(CLONE, '--shape', 'services');
  assert.ok(processes().includes('flow-engine-2') && !processes().some((name) => name.startsWith('cell')));
  await press('1');

  await platform.replaceBy(CLONE, '--shape', 'cells');
  assert.ok(processes().includes('cell-2') && !processes().some((name) => name.startsWith('flow-engine')));
  assert.ok(!existsSync(join(platform.home, 'run', 'media-1.health')));
  await press('2');

  const story = await platform.ended(call.platformCallId);
  assert.equal(outcome(story), 'document: document-end');
  assert.deepEqual(
    story.map((e) => e.seq),
    story.map((_, n) => n + 1),
  );
});
