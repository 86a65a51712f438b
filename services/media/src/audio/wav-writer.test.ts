import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { settle, UNFINISHED } from './recording-file.ts';
import { wavHeader } from './wav-header.ts';
import { readWav } from './wav-read.ts';
import { WavWriter } from './wav-writer.ts';

const folder = mkdtempSync(join(tmpdir(), 'opentact-writer-'));
after(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, UNFINISHED));

const frame = Int16Array.from({ length: 160 }, (_, n) => n * 100 - 8000);
const other = Int16Array.from({ length: 160 }, (_, n) => 8000 - n * 100);
const add = (writer: WavWriter, count: number, what = frame) => {
  for (let n = 0; n < count; n++) writer.add(what);
};
const wholeOf = (id: string) => join(folder, `${id}.wav`);
const partsOf = (id: string) => readdirSync(join(folder, UNFINISHED)).filter((name) => name.startsWith(id));
const samplesOf = (id: string) => readWav(readFileSync(wholeOf(id)));

async function until(what: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; !what(); await new Promise((go) => setTimeout(go, 5)))
    assert.ok(Date.now() < end, `not within 10 s: ${what}`);
}

/**
 * A writer whose process dies once the whole blocks of `count` frames are in its file, behind `earlier` blocks of those
 * before it: it is never heard of again, but may wake up.
 */
async function dead(id: string, count: number, earlier = 0): Promise<WavWriter> {
  const before = new Set(partsOf(id));
  const writer = new WavWriter(folder, id);
  add(writer, count);
  const written = () => {
    const part = partsOf(id).find((name) => !before.has(name));
    return part ? statSync(join(folder, UNFINISHED, part)).size : 0;
  };
  const wanted = 44 + (earlier + Math.floor(count / 25)) * 8000;
  await until(() => written() >= wanted);
  return writer;
}

describe('a recording', () => {
  it('is to be seen once it is whole, and then it is', async () => {
    const writer = new WavWriter(folder, 'whole');
    add(writer, 75);
    assert.equal(existsSync(wholeOf('whole')), false);
    assert.equal(await writer.close(), 'whole');
    const bytes = readFileSync(wholeOf('whole'));
    assert.equal(bytes.length, 44 + 75 * 320);
    assert.deepEqual(bytes.subarray(0, 44), wavHeader(75 * 320));
    assert.deepEqual(readWav(bytes).subarray(160, 320), frame);
    assert.deepEqual(partsOf('whole'), []);
  });
  it('goes on where a killed writer stopped, half a second of it lost at most', async () => {
    await dead('killed', 60);
    const second = new WavWriter(folder, 'killed');
    add(second, 30, other);
    assert.equal(await second.close(), 'whole');
    assert.deepEqual([second.earlier, second.samples], [50 * 160, 80 * 160]);
    const heard = samplesOf('killed');
    assert.equal(heard.length, 80 * 160);
    assert.deepEqual(heard.subarray(49 * 160, 50 * 160), frame);
    assert.deepEqual(heard.subarray(50 * 160, 51 * 160), other);
    assert.deepEqual(partsOf('killed'), []);
  });
  it('goes on again where the second died too', async () => {
    await dead('twice', 25);
    await dead('twice', 25, 1);
    const third = new WavWriter(folder, 'twice');
    add(third, 25);
    await third.close();
    assert.equal(samplesOf('twice').length, 75 * 160);
  });
  it('is not touched by a writer that only seemed dead', async () => {
    const frozen = await dead('frozen', 50);
    const second = new WavWriter(folder, 'frozen');
    add(second, 25, other);
    await until(() => second.earlier > 0);
    add(frozen, 50);
    assert.equal(await frozen.close(), 'taken');
    assert.equal(existsSync(wholeOf('frozen')), false);
    assert.equal(await second.close(), 'whole');
    assert.equal(samplesOf('frozen').length, 75 * 160);
  });
  it('that is whole already stays as it is', async () => {
    const first = new WavWriter(folder, 'done');
    add(first, 50);
    await first.close();
    const again = new WavWriter(folder, 'done');
    add(again, 25);
    assert.equal(await again.close(), 'whole');
    assert.ok(again.isWhole);
    assert.deepEqual([again.samples, samplesOf('done').length], [50 * 160, 50 * 160]);
  });
  it('left to another is whole either way: whether that one comes or not', async () => {
    const first = new WavWriter(folder, 'left');
    add(first, 30);
    assert.equal(await first.leave(), 'taken');
    assert.equal(samplesOf('left').length, 30 * 160);
    const second = new WavWriter(folder, 'left');
    add(second, 30);
    assert.equal(await second.close(), 'whole');
    assert.equal(samplesOf('left').length, 60 * 160);
    assert.deepEqual(partsOf('left'), []);
  });
  it('left by one after the other is as long as the last one left it', async () => {
    for (const frames of [30, 60, 90]) {
      const writer = new WavWriter(folder, 'relay');
      add(writer, 30);
      assert.equal(await writer.leave(), 'taken');
      assert.equal(samplesOf('relay').length, frames * 160);
      assert.equal(partsOf('relay').length, 1);
    }
  });
  it('that the disk falls behind with is kept as far as it goes', async () => {
    const writer = await dead('slow', 750);
    add(writer, 33 * 25, other);
    assert.ok(writer.failed);
    assert.equal(await writer.close(), 'cut');
    const heard = samplesOf('slow');
    assert.deepEqual([heard.length, writer.samples], [(750 + 32 * 25) * 160, heard.length]);
    assert.deepEqual(heard.subarray(749 * 160, 750 * 160), frame);
    assert.deepEqual(heard.subarray(-160), other);
    assert.deepEqual(partsOf('slow'), []);
  });
  it('that the disk would not publish stays where it is published later', async () => {
    const writer = await dead('stuck', 50);
    mkdirSync(wholeOf('stuck'));
    assert.ok((await writer.close()) instanceof Error);
    rmSync(wholeOf('stuck'), { recursive: true });
    await settle(folder, 'stuck', partsOf('stuck'));
    assert.equal(samplesOf('stuck').length, 50 * 160);
  });
  it('of which the disk took nothing is gone', async () => {
    const writer = new WavWriter(folder, 'nothing');
    await until(() => partsOf('nothing').length > 0);
    mkdirSync(wholeOf('nothing'));
    assert.ok((await writer.close()) instanceof Error);
    assert.deepEqual(partsOf('nothing'), []);
  });
  it('says so when the folder is missing', async () => {
    const writer = new WavWriter(join(folder, 'missing'), 'x');
    writer.add(frame);
    assert.ok((await writer.close()) instanceof Error);
  });
});
