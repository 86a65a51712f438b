import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { PlayItem } from '@opentact/proto/events';
import { clipOf } from '../audio/clip.ts';
import { wavFile } from '../audio/wav-header.ts';
import { readWav } from '../audio/wav-read.ts';
import { ClipCache } from './clip-cache.ts';
import { type FetchPrompt, fetchThroughGate, noGate } from './fetch.ts';
import { PromptRoom } from './prompt-room.ts';
import { PromptSource } from './prompt-source.ts';
import { UrlPrompts } from './url-prompts.ts';

const home = mkdtempSync(join(tmpdir(), 'opentact-prompts-'));
after(() => rmSync(home, { recursive: true }));

const wav = (frames: number) => wavFile(new Int16Array(frames * 160));
const decode = async (bytes: Buffer) => clipOf(readWav(bytes));
const by = { account: 'acme' };
const fetchFor = { ...by, signal: new AbortController().signal, take: () => {} };
const say = (text: string) => ({ kind: 'say' as const, value: { text, voice: '', gender: '', lang: '' } });

function sourceOf(more: Partial<ConstructorParameters<typeof PromptSource>[0]> = {}) {
  const spoken: string[] = [];
  const speaker = {
    speak: async (text: string, voice: string) => {
      spoken.push(`${voice}: ${text}`);
      if (text === 'fail') throw new Error('hoarse');
      return clipOf(new Int16Array(text.length * 160));
    },
    close: async () => {},
  };
  return { spoken, source: new PromptSource({ home, speaker, fetchPrompt: noGate, decode, ...more }) };
}

describe('prompts', () => {
  it('the same words in the same voice are spoken once', async () => {
    const { source, spoken } = sourceOf();
    const [first, second] = await Promise.all([source.prepare(say('hello'), by), source.prepare(say('hello'), by)]);
    assert.deepEqual(first, second);
    await source.prepare(say('hello'), by);
    assert.deepEqual(spoken, ['slt: hello']);
  });
  it('a failure is told with its kind, and tried again the next time', async () => {
    const { source, spoken } = sourceOf();
    for (let n = 0; n < 2; n++)
      assert.deepEqual(await source.prepare(say('fail'), by), { kind: 'failure', reason: 'speech', detail: 'hoarse' });
    assert.equal(spoken.length, 2);
  });
  it('a file of the prompt folder is read, and read again when it changed', async () => {
    mkdirSync(join(home, 'prompts', 'acme'), { recursive: true });
    const { source } = sourceOf();
    for (const frames of [3, 5]) {
      writeFileSync(join(home, 'prompts', 'acme', 'hi.wav'), wav(frames));
      const piece = await source.prepare({ kind: 'prompt', value: 'acme/hi.wav' }, by);
      assert.ok(piece.kind === 'clip' && piece.clip.frames === frames);
    }
  });
  it('names that leave the folder are refused', async () => {
    const { source } = sourceOf();
    for (const value of ['../secret.wav', 'acme/../../x', '/etc/passwd', 'a/b/c.wav', '.hidden', ''])
      assert.equal((await source.prepare({ kind: 'prompt', value }, by)).kind, 'failure', value);
    assert.equal((await source.prepare({ kind: 'recording', value: '../x' }, by)).kind, 'failure');
  });
  it('a file that isn’t there is told without the folders it isn’t in', async () => {
    const { source } = sourceOf();
    for (const [kind, value] of [
      ['prompt', 'acme/none.wav'],
      ['recording', '00000000-0000-8000-8000-000000000000'],
    ] as const) {
      const piece = await source.prepare({ kind, value }, by);
      assert.ok(piece.kind === 'failure');
      assert.equal(piece.detail, 'there is no such file');
    }
  });
  it('silence is counted in frames, a tone is one cadence', async () => {
    const { source } = sourceOf();
    assert.deepEqual(await source.prepare({ kind: 'silenceMs', value: 250 }, by), { kind: 'silence', frames: 13 });
    const ringback = await source.prepare({ kind: 'tone', value: 'ringback' }, by);
    assert.ok(ringback.kind === 'clip' && ringback.clip.frames === 300);
    for (const value of ['whistle', '', 'constructor'])
      assert.equal((await source.prepare({ kind: 'tone', value }, by)).kind, 'failure');
  });
  it('music on hold and a pattern are made once', async () => {
    const { source } = sourceOf();
    const made = async (item: PlayItem) => {
      const piece = await source.prepare(item, by);
      assert.ok(piece.kind === 'clip' || piece.kind === 'cadence');
      return piece.kind === 'clip' ? piece.clip : piece.cadence.clip;
    };
    const value = { hz: [440, 480], onMs: 2000, offMs: 4000, cycles: 1, volumeDb: -13 };
    for (const item of [{ kind: 'tone', value: 'hold-music' } as const, { kind: 'pattern', value } as const])
      assert.equal(await made(item), await made(item));
    assert.equal(
      await made({ kind: 'pattern', value }),
      await made({ kind: 'pattern', value: { ...value, cycles: 9 } }),
    );
  });
});

describe('prompts by URL', () => {
  it('a body that is no audio is a failure of format, an unreachable one of fetching', async () => {
    const noise: FetchPrompt = async () => ({ unchanged: false, bytes: Buffer.from('<html>'), etag: '' });
    for (const [fetchPrompt, reason] of [
      [noise, 'format'],
      [noGate, 'fetch'],
    ] as const) {
      const piece = await sourceOf({ fetchPrompt }).source.prepare({ kind: 'url', value: 'http://x/' }, by);
      assert.ok(piece.kind === 'failure' && piece.reason === reason);
    }
  });
  it('the gate is asked with the URL and the ETag, and its refusal is told', async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.url} ${request.headers.authorization}`);
      if (request.headers['if-none-match'] === '"1"') response.writeHead(304).end();
      else if (request.url?.includes('bad'))
        response.writeHead(403).end('{"reason":"refused-address","detail":"10.0.0.1"}');
      else response.writeHead(200, { etag: '"1"' }).end(wav(4));
    }).listen(0, '127.0.0.1');
    await new Promise((listening) => server.once('listening', listening));
    const gate = fetchThroughGate(() => `http://127.0.0.1:${(server.address() as AddressInfo).port}`, 'secret');
    const first = await gate('http://shop.example/a b.wav?x=1&y=2', '', fetchFor);
    assert.ok(!first.unchanged && first.etag === '"1"' && first.bytes.length === 44 + 4 * 320);
    assert.deepEqual(await gate('http://shop.example/', '"1"', fetchFor), { unchanged: true });
    await assert.rejects(gate('http://bad/', '', fetchFor), /refused-address: 10\.0\.0\.1/);
    assert.equal(
      asked[0],
      '/prompt?url=http%3A%2F%2Fshop.example%2Fa+b.wav%3Fx%3D1%26y%3D2&account=acme Bearer secret',
    );
    server.close();
    server.closeAllConnections();
  });
  it('one question serves all who wait, and a fresh copy needs none', async () => {
    let questions = 0;
    const fetchPrompt: FetchPrompt = async () => {
      questions++;
      return { unchanged: false, bytes: wav(2), etag: '"a"' };
    };
    const prompts = new UrlPrompts({ fetchPrompt, decode, room: new PromptRoom(), bytesMax: 1_000_000 });
    await Promise.all([prompts.clip('u', by), prompts.clip('u', by)]);
    await prompts.clip('u', by);
    assert.equal(questions, 1);
  });
});

describe('the cache of clips', () => {
  it('keeps its bytes and lets the least recently used go', async () => {
    const cache = new ClipCache(10 * 320 + 100);
    const clip = (frames: number) => clipOf(new Int16Array(frames * 160));
    cache.keep('a', clip(4));
    cache.keep('b', clip(4));
    cache.find('a');
    cache.keep('c', clip(4));
    assert.deepEqual([...'abc'].filter((key) => cache.find(key)).join(''), 'ac');
    cache.keep('huge', clip(50));
    assert.equal(cache.find('huge'), undefined);
  });
});

describe('shares of what is under way', () => {
  const settled = () => new Promise((go) => setImmediate(go));

  /** A customer's server that answers when it is told to. */
  function slowServer() {
    const asked: { url: string; account: string; signal: AbortSignal; answer(): void }[] = [];
    const fetchPrompt: FetchPrompt = (url, _, { account, signal }) =>
      new Promise((resolve, reject) => {
        const answer = () => resolve({ unchanged: false, bytes: wav(2), etag: '' });
        asked.push({ url, account, signal, answer });
        signal.addEventListener('abort', () => reject(signal.reason));
      });
    return { asked, fetchPrompt };
  }
  const url = (value: string) => ({ kind: 'url' as const, value });

  it('an account fetches eight prompts at a time, and others do not wait for it', async () => {
    const { asked, fetchPrompt } = slowServer();
    const { source } = sourceOf({ fetchPrompt });
    const all = Array.from({ length: 30 }, (_, n) => source.prepare(url(`http://x/${n}`), { account: 'greedy' }));
    const other = source.prepare(url('http://y/'), { account: 'other' });
    await settled();
    assert.equal(asked.length, 9);
    asked.find(({ account }) => account === 'other')!.answer();
    assert.equal((await other).kind, 'clip');
    for (let n = 0; n < asked.length; n++, await settled()) asked[n]!.answer();
    assert.ok((await Promise.all(all)).every(({ kind }) => kind === 'clip'));
  });
  it('a fetch ends when the last who waits for it leaves, and one who stays gets it', async () => {
    const { asked, fetchPrompt } = slowServer();
    const { source } = sourceOf({ fetchPrompt });
    const [a, b] = [new AbortController(), new AbortController()];
    const wait = (on: AbortController) => source.prepare(url('http://x/'), { account: 'acme', signal: on.signal });
    const first = wait(a);
    const second = wait(b);
    await settled();
    a.abort(new Error('over'));
    assert.equal((await first).kind, 'failure');
    assert.ok(asked.length === 1 && !asked[0]!.signal.aborted);
    b.abort(new Error('over'));
    await second;
    assert.ok(asked[0]!.signal.aborted);
    const third = source.prepare(url('http://x/'), by);
    await settled();
    asked[1]!.answer();
    assert.equal((await third).kind, 'clip');
  });
  it('where all together hold too much, whoever has more than an equal part finds no room', async () => {
    const room = new PromptRoom(1000);
    const [a, b] = [await room.enter('a'), await room.enter('b')];
    a.take(900);
    b.take(400);
    assert.throws(() => a.take(1), /no room/);
    b.take(100);
    assert.throws(() => b.take(1), /no room/);
    for (const one of [a, b]) one.leave();
    assert.equal(room.held, 0);
  });
});
