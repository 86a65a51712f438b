/**
 * A rolling upgrade: under twenty live calls every process is replaced by the next version's, by the normal command onto
 * the same home. None drops, and stories that the old version began are folded and ended by the new one.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openPhone, type PhoneCall } from '@opentact/phone';
import { callDocument } from '../kit/place-call.ts';
import { startPlatform } from '../kit/platform.ts';
import { outcome, verbs } from '../kit/scene.ts';
import { pauseOf } from '../kit/stall.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ALONE = 15;
const BRIDGED = 5;
const PAUSE_MAX_MS = 10_000;

/** This version with one event of a second version: what it wrote can't be read by the old one, and it reads the old. */
function nextVersion(): string {
  const clone = mkdtempSync(join(tmpdir(), 'opentact-next-'));
  for (const part of ['services', 'proto', 'test/kit', 'package.json'])
    cpSync(join(ROOT, part), join(clone, part), { recursive: true, verbatimSymlinks: true });
  symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'));
  const path = join(clone, 'proto/src/versions.ts');
  const source = readFileSync(path, 'utf8');
  const next = source
    .replace('{ NodeLost: 2 }', '{ NodeLost: 2, VerbEnded: 2 }')
    .replace('= {\n  // What a lost', '= {\n  VerbEnded: [(event) => event],\n  // What a lost');
  assert.notEqual(next, source);
  writeFileSync(path, next);
  return clone;
}

test('every process is replaced under twenty calls, and none of them drops', { timeout: 240_000 }, async (t) => {
  const [platform, phone, callee] = await Promise.all([startPlatform(), openPhone(), openPhone({ user: 'callee' })]);
  const clone = nextVersion();
  t.after(async () => {
    await Promise.all([phone.close(), callee.close()]);
    await platform.stop();
    rmSync(clone, { recursive: true, force: true });
  });
  callee.onCall = (call) => call.accept();
  const alone: PhoneCall[] = [];
  const bridged: PhoneCall[] = [];
  for (let i = 0; i < ALONE; i++)
    alone.push(
      await callDocument(
        platform,
        phone,
        '<Response><Gather numDigits="1" attempts="20" timeout="6000"><Say>Press a key when all is new.</Say></Gather><Say>Thank you.</Say></Response>',
      ),
    );
  for (let i = 0; i < BRIDGED; i++)
    bridged.push(
      await callDocument(
        platform,
        phone,
        `<Response><Dial><Sip>callee@127.0.0.1:${callee.port}</Sip></Dial><Say>Good bye.</Say></Response>`,
      ),
    );
  await platform.until(bridged.at(-1)!.platformCallId, (e) => e.type === 'BridgeStarted');

  await platform.replaceBy(clone);
  t.diagnostic(
    platform
      .output()
      .split('\n')
      .filter((line) => line.includes('is replaced'))
      .join('; '),
  );
  for (const kind of ['api', 'flow-engine', 'media', 'notifier', 'sip-edge'])
    for (const name of platform.named(kind))
      assert.ok(
        readFileSync(`/proc/${platform.pid(name)}/cmdline`, 'utf8').includes(clone),
        `${name} is still of the old version: ${readlinkSync(`/proc/${platform.pid(name)}/cwd`)}`,
      );

  for (const call of [...alone, ...bridged]) assert.equal(call.state, 'answered', 'a call dropped');
  for (const call of alone) await call.peer.press('1');
  for (const call of callee.calls.values()) call.hangup();
  for (const [i, call] of [...alone, ...bridged].entries()) {
    const story = await platform.ended(call.platformCallId, 30_000);
    assert.deepEqual(
      story.map((e) => e.seq),
      story.map((_, n) => n + 1),
    );
    const expected =
      i < ALONE ? ['Gather[0] entered 1', 'Say[0] finished'] : ['Dial[0] callee-hung-up', 'Say[0] finished'];
    assert.deepEqual(verbs(story), expected);
    assert.equal(outcome(story), 'document: document-end');
    const pauseMs = pauseOf(call.peer.heard);
    assert.ok(pauseMs < PAUSE_MAX_MS, `RTP paused for ${Math.round(pauseMs)} ms`);
  }
});
