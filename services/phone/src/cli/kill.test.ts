import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { CallEvent } from '@opentact/proto';
import type { PhoneCall } from '../phone-call.ts';
import { createKill, type Kind, watchSound } from './kill.ts';

/** A home with one process under a name, which runs for `runsFor`. */
async function homeWith(t: TestContext, name: string, runsFor?: string) {
  const home = await mkdtemp(join(tmpdir(), 'opentact-kill-'));
  await mkdir(join(home, 'run'));
  const script = join(home, 'main.ts');
  await writeFile(script, 'console.log(1); setInterval(() => {}, 1000);');
  const env = { PATH: process.env.PATH, OPENTACT_HOME: runsFor ?? home };
  const child = spawn(process.execPath, [script], { env, stdio: ['ignore', 'pipe', 'ignore'] });
  t.after(async () => {
    child.kill('SIGKILL');
    await rm(home, { recursive: true });
  });
  await once(child.stdout!, 'data');
  await writeFile(join(home, 'run', `${name}.pid`), `${child.pid}\n`);
  return { home, child };
}

const STORY = [
  { type: 'CallArrived', from: { source: 'sip-edge-2' } },
  { type: 'NodeAssigned', kind: 'media', node: 'media-1' },
  { type: 'NodeAssigned', kind: 'notifier', node: 'notifier-2' },
  { type: 'VerbStarted', path: 'Say[0]' },
] as unknown as CallEvent[];

function killing(kind: Kind, home: string, at = 'VerbStarted') {
  const heard = { packets: 50, longestGapMs: 900, lastPacketMs: performance.now() };
  const call = Object.assign(new EventEmitter(), { platformCallId: 'c', peer: { heard } }) as unknown as PhoneCall;
  const control = { call: async () => ({ engine: 'flow-engine-1' }) as never };
  const kill = createKill({ kind, at }, { call, control, home, print: () => {} });
  for (const event of STORY) kill.onEvent(event);
  return { kill, heard };
}

const ended = async (child: ChildProcess) => child.signalCode ?? (await once(child, 'exit'))[1];

for (const [kind, name] of [
  ['media', 'media-1'],
  ['edge', 'sip-edge-2'],
  ['notifier', 'notifier-2'],
  ['engine', 'flow-engine-1'],
  ['api', 'api'],
] as const)
  test(`${kind}: the process that serves the call is killed, and what was lost is told`, async (t) => {
    const { home, child } = await homeWith(t, name);
    const { kill, heard } = killing(kind, home);
    assert.equal(await ended(child), 'SIGKILL');
    Object.assign(heard, { packets: 51, longestGapMs: 140, lastPacketMs: performance.now() });
    kill.onEvent({ type: 'VerbEnded' } as CallEvent);
    const { isKilled, lines } = kill.report({ owner: 'document' });
    assert.equal(isKilled, true);
    assert.deepEqual(lines, [
      `killed ${name} (pid ${child.pid}) at VerbStarted`,
      'the caller lost 140 ms: the longest time without a packet of sound (20 ms is usual)',
      'the call went on (verbs ended behind it: 1)',
    ]);
    assert.match(kill.report(undefined).lines.join(), /did not go on/);
  });

test('no process of another home is killed, and an event that never comes kills nobody', async (t) => {
  const { home, child } = await homeWith(t, 'media-1', '/another/home');
  const { kill } = killing('media', home);
  await new Promise((done) => setTimeout(done, 100));
  assert.equal(child.signalCode, null);
  assert.deepEqual(kill.report({ owner: 'document' }), {
    isKilled: false,
    lines: [`nothing was killed: no media-1 runs for ${home}`],
  });
  const never = killing('media', home, 'BridgeStarted');
  assert.match(never.kill.report(undefined).lines.join(), /nothing was killed: no BridgeStarted came/);
});

test('sound that does not come back is lost until the end', async () => {
  const heard = { packets: 3, longestGapMs: 0, lastPacketMs: performance.now() };
  const sound = watchSound(heard);
  await new Promise((done) => setTimeout(done, 60));
  sound.close();
  const { gapMs, isBack } = sound.lost();
  assert.ok(gapMs >= 55 && !isBack);
});
