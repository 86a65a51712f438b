/** Who gets a signature of ours, over what, and of what use it is to anybody else. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { type TestContext, test } from 'node:test';
import { originKey, signatureHeaders } from './sign.ts';
import { bodyOf, fetchFrom, KEY, serve } from './testing/customer-server.ts';

type Seen = { method: string; target: string; headers: IncomingHttpHeaders; body: string; port: number };

/** A server that keeps what it was asked and sends on where `to` says. */
async function keeper(t: TestContext, seen: Seen[], to: (target: string) => string | undefined = () => undefined) {
  const port: number = await serve(t, async (incoming, response) => {
    const { method = '', url: target = '', headers } = incoming;
    seen.push({ method, target, headers, body: await bodyOf(incoming), port });
    const location = to(target);
    response.writeHead(location ? 307 : 200, location ? { location } : {}).end();
  });
  return port;
}

/** As a customer checks it, who knows the secret of its app and its own origin. */
function isGenuine({ method, target, headers, body }: Seen, origin: string): boolean {
  const text = [headers['x-opentact-timestamp'], method, `${origin}${target}`, headers['idempotency-key'], body];
  const key = createHmac('sha256', KEY).update(origin).digest();
  return headers['x-opentact-signature'] === `v2=${createHmac('sha256', key).update(text.join('\n')).digest('hex')}`;
}

test('method, address, key of idempotency, time and body are signed, each of them', async (t) => {
  const seen: Seen[] = [];
  const port = await keeper(t, seen);
  const origin = `http://127.0.0.1:${port}`;
  await fetchFrom(t, `http://ops:secret@127.0.0.1:${port}/a?b=%7e&c='#part`, { method: 'POST', body: '{"a":1}' });
  const [one] = seen as [Seen];
  assert.ok(isGenuine(one, origin));
  const headers = (name: string, value: string) => ({ ...one, headers: { ...one.headers, [name]: value } });
  for (const other of [
    { ...one, method: 'PUT' },
    { ...one, target: '/a?b=~&c=' },
    { ...one, body: '{"a":2}' },
    headers('idempotency-key', 'call-8'),
    headers('x-opentact-timestamp', '1'),
  ])
    assert.equal(isGenuine(other, origin), false);
});

test('a redirect within the origin is signed anew, one to another origin not at all', async (t) => {
  const seen: Seen[] = [];
  const other = await keeper(t, seen);
  const port = await keeper(t, seen, (target) =>
    target === '/here' ? '/there?x=1' : target === '/away' ? `http://127.0.0.1:${other}/` : undefined,
  );
  await fetchFrom(t, `http://127.0.0.1:${port}/here`, { method: 'POST', body: 'x' });
  assert.deepEqual(
    seen.splice(0).map((one) => `${one.target} ${isGenuine(one, `http://127.0.0.1:${port}`)}`),
    ['/here true', '/there?x=1 true'],
  );
  await fetchFrom(t, `http://127.0.0.1:${port}/away`, { method: 'POST', body: 'x' });
  const [, away] = seen as [Seen, Seen];
  assert.equal(away.port, other);
  assert.deepEqual(
    [away.headers['x-opentact-signature'], away.headers['x-opentact-timestamp']],
    [undefined, undefined],
  );
});

test('who is sent away and back by another server is neither signed for nor given the document’s headers', async (t) => {
  const seen: Seen[] = [];
  const other: number = await keeper(t, seen, () => `http://127.0.0.1:${port}/delete-everything`);
  const port: number = await keeper(t, seen, (target) =>
    target === '/away' ? `http://127.0.0.1:${other}/` : undefined,
  );
  const headers = [{ name: 'X-Key', value: 'secret' }];
  await fetchFrom(t, `http://127.0.0.1:${port}/away`, { purpose: 'curl', method: 'POST', body: 'x', headers });
  assert.deepEqual(
    seen.map((one) => [one.target, 'x-opentact-signature' in one.headers, 'x-key' in one.headers]),
    [
      ['/away', true, true],
      ['/', false, false],
      ['/delete-everything', false, false],
    ],
  );
});

test('what a third party was sent is of no use at the customer’s server', async (t) => {
  const seen: Seen[] = [];
  const third = await keeper(t, seen);
  await fetchFrom(t, `http://127.0.0.1:${third}/hook`, { method: 'POST', body: '{}' });
  const [one] = seen as [Seen];
  assert.ok(isGenuine(one, `http://127.0.0.1:${third}`));
  assert.equal(isGenuine(one, 'http://127.0.0.1:1'), false);
  assert.notDeepEqual(originKey(KEY, `http://127.0.0.1:${third}`), originKey(KEY, 'https://shop.example'));
});

test('openssl comes to the same signature, as the README shows it', () => {
  const signed = { method: 'POST', url: 'https://shop.example/flow?a=%7e', idempotencyKey: 'c-1', body: '{"a":1}' };
  const { 'x-opentact-signature': ours } = signatureHeaders(Buffer.from('a secret'), signed, 1_767_225_600_000);
  const script = `key=$(printf %s https://shop.example | openssl dgst -sha256 -hmac 'a secret' -r | cut -d' ' -f1)
    printf '%s\\n%s\\n%s\\n%s\\n%s' 1767225600 POST 'https://shop.example/flow?a=%7e' c-1 '{"a":1}' |
      openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -r | cut -d' ' -f1`;
  let theirs: string;
  try {
    theirs = execFileSync('sh', ['-c', script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return; // no openssl here
  }
  if (theirs !== '') assert.equal(ours, `v2=${theirs}`);
});
