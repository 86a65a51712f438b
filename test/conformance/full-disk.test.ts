/** A disk that is full is loud: an error in the log, /ready, an event of each call that would record; and what it cut is a whole file, shorter. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openPhone } from '@opentact/phone';
import { type Platform, startPlatform } from '../kit/platform.ts';
import { noSmallDisk, onSmallDisk } from '../kit/small-disk.ts';

const WRITER = fileURLToPath(new URL('../../services/media/src/audio/wav-writer.ts', import.meta.url));
const ID = '0a1b2c3d-0000-4000-8000-000000000000';
/** Records 20 s into a folder, and says how that ended. */
const RECORD = `
  const folder = process.argv[1];
  const { WavWriter } = await import(${JSON.stringify(WRITER)});
  const { mkdirSync, readdirSync, readFileSync } = await import('node:fs');
  mkdirSync(folder + '/unfinished', { recursive: true });
  const causes = [];
  const writer = new WavWriter(folder, '${ID}', (error) => causes.push(error.code));
  for (let n = 0; n < 1000 && !writer.failed; n++) {
    writer.add(new Int16Array(160));
    if (n % 25 === 0) await new Promise((r) => setTimeout(r, 1));
  }
  const closed = await writer.close();
  const files = [...readdirSync(folder), ...readdirSync(folder + '/unfinished')];
  const file = readFileSync(folder + '/${ID}.wav');
  // RIFF: its own length at 4, that of the sound at 40.
  const isWhole = file.readUInt32LE(4) === file.length - 8 && file.readUInt32LE(40) === file.length - 44;
  console.log(JSON.stringify({ closed: closed.code ?? closed, failed: causes.length, files, isWhole, seconds: Math.round((file.length - 44) / 16000) }));
`;

const privileged = {
  skip: noSmallDisk || (process.getuid?.() !== 0 && 'only root sees into the mount namespace of another process'),
  timeout: 240_000,
};

async function scene(t: TestContext) {
  const home = mkdtempSync(join(tmpdir(), 'opentact-full-'));
  mkdirSync(join(home, 'recordings'));
  const small = onSmallDisk(join(home, 'recordings'), '3m');
  const platform = await startPlatform({ OPENTACT_HOME: home, OPENTACT_DISK_FREE_MB: '1' }, small);
  const phone = await openPhone({ user: '12125550199' });
  t.after(async () => {
    await phone.close();
    await platform.stop();
    rmSync(home, { recursive: true, force: true });
  });
  const dial = async (xml: string) =>
    (await phone.call(`sip:${(await platform.control.stage(xml, true)).user}@${platform.sip}`)).until('answered');
  return { platform, dial };
}

/** The recordings as the platform sees them. */
const folderOf = (platform: Platform) =>
  join('/proc', `${platform.pid('media-1')}`, 'root', platform.home, 'recordings');

/** What /ready says, once it answers with that status. */
async function readiness(platform: Platform, status: number): Promise<Record<string, string>> {
  for (const until = Date.now() + 30_000; ; await sleep(100)) {
    const answer = await fetch(`http://127.0.0.1:${platform.httpPort}/ready`).catch(() => undefined);
    const said = (await answer?.json().catch(() => undefined)) as { checks: Record<string, string> } | undefined;
    if (said && answer?.status === status) return said.checks;
    assert.ok(Date.now() < until, `/ready never said ${status}: ${JSON.stringify(said)}`);
  }
}

describe('a full disk', () => {
  it('is loud: an error in the log, /ready, an event; and calls go on', privileged, async (t) => {
    const { platform, dial } = await scene(t);
    const folder = folderOf(platform);
    const call = await dial('<Response><Record timeout="60000"/><Pause length="20000"/></Response>');
    await platform.until(call.platformCallId, (e) => e.type === 'RecordRequested');
    const ballast = join(folder, 'ballast');
    writeFileSync(ballast, Buffer.alloc(2.2 * 1024 * 1024));
    const ended = await platform.until(call.platformCallId, (e) => e.type === 'RecordFinished');
    assert.ok(ended.type === 'RecordFinished' && ended.reason === 'disk');
    assert.match((await readiness(platform, 503)).media ?? '', /disk: less than 1 MiB are free: nothing is recorded/);
    const later = await dial('<Response><Record timeout="5000"/><Pause length="20000"/></Response>');
    const failed = await platform.until(later.platformCallId, (e) => e.type === 'RecordFailed');
    assert.ok(failed.type === 'RecordFailed' && failed.reason === 'disk');
    const lines = readFileSync(join(platform.home, 'logs', 'media-1.log'), 'utf8')
      .trimEnd()
      .split('\n');
    const told = lines.map((line) => JSON.parse(line)).filter(({ msg }) => /the disk has no room/.test(msg));
    assert.deepEqual(
      told.map(({ level }) => level),
      ['error'],
    );
    assert.equal(
      (await platform.story(call.platformCallId)).some((e) => e.type === 'CallEnded'),
      false,
      'it goes on',
    );
    for (const one of [call, later]) one.hangup();
    rmSync(ballast);
    await readiness(platform, 200);
  });

  it('leaves a recording that it cut as far as it goes, whole to read, and says that it is cut', {
    skip: noSmallDisk,
  }, (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'opentact-cut-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const record = ['--input-type=module', '-e', RECORD, folder];
    const on = (size: string) => {
      const { stdout, stderr } = spawnSync(...onSmallDisk(folder, size)(process.execPath, record), {
        encoding: 'utf8',
      });
      return JSON.parse(stdout || stderr);
    };
    const files = [`${ID}.wav`, 'unfinished'];
    assert.deepEqual(on('2m'), { closed: 'whole', failed: 0, files, isWhole: true, seconds: 20 });
    const { seconds, ...cut } = on('128k');
    assert.deepEqual(cut, { closed: 'cut', failed: 1, files, isWhole: true });
    assert.ok(seconds >= 2 && seconds <= 8, `${seconds} s`);
    assert.deepEqual(readdirSync(folder), []);
  });
});
