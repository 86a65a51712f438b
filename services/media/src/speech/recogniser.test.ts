import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { wavFile } from '../audio/wav-header.ts';
import { httpRecogniser, NotRecognised } from './recogniser.ts';

type Asked = { path: string; headers: IncomingHttpHeaders; body: Buffer };

describe('the recogniser by HTTP', () => {
  const folder = mkdtempSync(join(tmpdir(), 'opentact-recogniser-'));
  const file = join(folder, 'a.wav');
  const wav = wavFile(new Int16Array(8000).fill(7));
  const asked: Asked[] = [];
  let answer: (response: ServerResponse, n: number) => void;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      asked.push({ path: request.url!, headers: request.headers, body: Buffer.concat(parts) });
      answer(response, asked.length);
    });
  });
  before(async () => {
    writeFileSync(file, wav);
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  });
  after(() => {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true });
  });
  afterEach(() => void asked.splice(0));

  const url = (path = '/asr?model=phone') => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  const recognise = (of: Partial<Parameters<typeof httpRecogniser>[0]> = {}, wavFile = file) =>
    httpRecogniser({ url: url(), backOffMs: [10, 20], ...of }).recognise(
      wavFile,
      'en-US',
      new AbortController().signal,
    );
  const fails = (reason: string, detail: RegExp, of: Parameters<typeof recognise>[0] = {}) =>
    assert.rejects(recognise(of), (error) => {
      assert.ok(error instanceof NotRecognised);
      assert.equal(error.reason, reason);
      assert.match(error.message, detail);
      assert.doesNotMatch(error.message, /hush|127\.0\.0\.1/);
      return true;
    });

  it('it is sent the file as it is, its language and the token, and its words are taken', async () => {
    answer = (response) => response.end('{"text": " good \\u0000morning\\ud800 ", "confidence": 1}');
    assert.equal(await recognise({ token: 'hush' }), 'good morning\ufffd');
    const [{ path, headers, body }, ...others] = asked as [Asked];
    assert.deepEqual(others, []);
    assert.equal(path, '/asr?model=phone&lang=en-US');
    assert.deepEqual([headers['content-type'], headers.authorization], ['audio/wav', 'Bearer hush']);
    assert.equal(headers['content-length'], String(wav.length));
    assert.deepEqual(body, wav);
  });
  it('without a token none is sent, and no words are words too', async () => {
    answer = (response) => response.end('{"text":""}');
    assert.equal(await recognise(), '');
    assert.equal(asked[0]!.headers.authorization, undefined);
  });
  it('one that is unwell is asked three times, and one that recovers is understood', async () => {
    answer = (response, n) => (n < 3 ? response.writeHead(503).end('no') : response.end('{"text":"at last"}'));
    assert.equal(await recognise(), 'at last');
    asked.splice(0);
    answer = (response) => response.writeHead(500).end();
    await fails('recogniser', /^status 500$/);
    assert.equal(asked.length, 3);
    asked.splice(0);
    answer = (response) => response.destroy();
    await fails('recogniser', /^[A-Z_]+$|no connection/);
    assert.equal(asked.length, 3);
  });
  it('what it refused is not asked again, and it is not followed elsewhere', async () => {
    answer = (response) => response.writeHead(401).end();
    await fails('recogniser', /^status 401$/, { token: 'hush' });
    answer = (response) => response.writeHead(307, { location: url('/elsewhere') }).end();
    await fails('recogniser', /^status 307$/);
    assert.deepEqual(
      asked.map(({ path }) => path),
      ['/asr?model=phone&lang=en-US', '/asr?model=phone&lang=en-US'],
    );
  });
  it('an answer that is none of ours, or too long, is refused', async () => {
    for (const body of ['<html>', '{"text":5}', 'null', `{"text":"${'a'.repeat(70_000)}"}`]) {
      answer = (response) => response.end(body);
      await fails('recogniser', /64 KiB|no \{"text"/);
    }
    assert.equal(asked.length, 4);
  });
  it('one that is silent is given up, and not asked again', async () => {
    answer = () => {};
    await fails('timeout', /no answer in 100 ms/, { timeoutMs: 100 });
    assert.equal(asked.length, 1);
  });
  it('a file that is not there is said to be so', async () => {
    await assert.rejects(recognise({}, join(folder, 'b.wav')), { reason: 'no-recording' });
    assert.equal(asked.length, 0);
  });
  it('whoever no longer wants it is rid of it at once, also between two tries', async () => {
    const stop = new AbortController();
    answer = (response) => {
      response.writeHead(503).end();
      setTimeout(() => stop.abort(), 20);
    };
    const words = httpRecogniser({ url: url(), backOffMs: [5000] }).recognise(file, 'en-US', stop.signal);
    await assert.rejects(words, { name: 'AbortError' });
    assert.equal(asked.length, 1);
  });
});
