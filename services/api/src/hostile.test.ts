/** Whoever wants harm: forged tokens, guessing, other people's names, bodies that never end. A clear answer, and nothing else. */
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SignJWT } from 'jose';
import { JWT_KEY, openRestScene, type Person, type RestScene } from './testing/scene.ts';

const PATIENCE_MS = 1_000;
let scene: RestScene;
let ann: Person;
let port: number;
before(async () => {
  scene = await openRestScene({}, { patienceMs: PATIENCE_MS });
  ann = await scene.signedUp();
  await scene.http.listen({ host: '127.0.0.1', port: 0 });
  port = (scene.http.server.address() as AddressInfo).port;
});
after(() => scene.close());

/** Sends bytes as they are. @returns all that came until the connection ended, or `until` was in it */
async function raw(parts: string[], { until = '', pauseMs = 0, patienceMs = 10_000 } = {}): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let heard = '';
  socket.on('data', (bytes) => (heard += bytes));
  socket.on('error', () => {});
  const ended = new Promise<void>((done) => socket.on('close', () => done()));
  for (const part of parts) {
    if (socket.writable) socket.write(part);
    if (pauseMs > 0) await sleep(pauseMs);
  }
  for (const end = Date.now() + patienceMs; Date.now() < end; await sleep(10))
    if (socket.closed || (until !== '' && heard.includes(until))) break;
  socket.destroy();
  await ended;
  return heard;
}
const bodyOf = (answer: string) => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));

test('a token that was changed, forged, signed otherwise or is over opens nothing, and says not why', async () => {
  const other = await scene.signedUp();
  const [head, claims, signature] = ann.jwt.split('.') as [string, string, string];
  const encoded = (of: object) => Buffer.from(JSON.stringify(of)).toString('base64url');
  const read = JSON.parse(Buffer.from(claims, 'base64url').toString());
  const signed = (header: object, payload: object, hash: string) => {
    const text = `${encoded(header)}.${encoded(payload)}`;
    return `${text}.${createHmac(hash, JWT_KEY).update(text).digest('base64url')}`;
  };
  const now = Math.floor(Date.now() / 1000);
  const forged = [
    `${head}.${encoded({ ...read, uuid: other.uuid })}.${signature}`,
    `${head}.${encoded({ ...read, exp: read.exp + 86_400 })}.${signature}`,
    `${encoded({ alg: 'none' })}.${claims}.`,
    `${encoded({ alg: 'None' })}.${claims}.${signature}`,
    signed({ alg: 'HS512' }, read, 'sha512'),
    signed({ alg: 'HS256', crit: ['x'] }, read, 'sha256'),
    signed({ alg: 'HS256' }, { ...read, exp: now - 1 }, 'sha256'),
    signed({ alg: 'HS256' }, { ...read, nbf: now + 3600 }, 'sha256'),
    signed({ alg: 'HS256' }, { uuid: read.uuid, role: 'Admin', iat: now }, 'sha256'),
    signed({ alg: 'HS256' }, { ...read, uuid: randomUUID() }, 'sha256'),
    signed({ alg: 'HS256' }, { ...read, uuid: "' or 1=1 --" }, 'sha256'),
    await new SignJWT(read).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode('x'.repeat(32))),
    ann.jwt.slice(0, -4),
    `${ann.jwt}x`,
  ];
  for (const as of forged) {
    const { status, body } = await scene.ask('GET', '/user', { as });
    assert.deepEqual([status, body.message], [401, 'wrong credentials'], as);
  }
  assert.equal((await scene.ask('GET', '/user', { as: ann.jwt })).status, 200);
});

test('who guesses tokens is told to wait, with when; others are not', async () => {
  const from = '10.8.8.8';
  for (let i = 0; i < 10; i++)
    assert.equal((await scene.ask('GET', '/user', { as: 'x'.repeat(47) + i, from })).status, 401);
  const late = await scene.http.inject({
    url: '/rest/user',
    remoteAddress: from,
    headers: { 'x-auth-token': ann.jwt },
  });
  assert.deepEqual([late.statusCode, late.headers['retry-after']], [429, '60']);
  assert.equal((await scene.ask('GET', '/user', { as: ann.jwt })).status, 200);
});

test('SQL in a parameter is a text like any other', async () => {
  const tables = async () => (await scene.db.introspection.getTables()).length;
  const there = await tables();
  const texts = [
    "' or '1'='1",
    "'; drop table person; --",
    '") or true --',
    "\\'; select pg_sleep(9) --",
    '$1',
    '{"$ne":null}',
  ];
  for (const text of texts) {
    const began = Date.now();
    const made = await scene.ask('POST', '/sip/app', { as: ann.jwt, body: { name: text } });
    assert.equal((made.body.payload as { name: string }).name, text);
    const found = await scene.ask('POST', '/call/search', { as: ann.jwt, body: { from: text, mode: 'OR' } });
    assert.equal((found.body.payload as { total: number }).total, 0);
    for (const path of ['/sip/app/', '/order/', '/lease/tn/', '/profile/tn/', '/recording/'])
      assert.ok([400, 404].includes((await scene.ask('GET', path + encodeURIComponent(text), { as: ann.jwt })).status));
    assert.equal((await scene.ask('GET', '/auth', { basic: `${text}:x` })).status, 401);
    assert.ok(Date.now() - began < 5_000);
  }
  assert.equal(await tables(), there);
});

test('no name leads out of the folder of recordings', async () => {
  await mkdir(join(scene.home, 'recordings', 'unfinished'), { recursive: true });
  await writeFile(join(scene.home, 'demo.wav'), 'secret');
  await writeFile(join(scene.home, 'recordings', 'unfinished', 'x.wav'), 'secret');
  const names = [
    '../demo',
    '..%2fdemo',
    '%2e%2e/demo',
    '%2e%2e%2fdemo',
    '..%5cdemo',
    'unfinished%2fx',
    '%00',
    '....//demo',
    '%252e%252e%252fdemo',
  ];
  for (const name of names)
    for (const path of [`/recordings/${name}.wav`, `/rest/recording/${name}/file`]) {
      const answer = await raw([
        `GET ${path} HTTP/1.1\r\nHost: a\r\nX-Auth-Token: ${ann.jwt}\r\nConnection: close\r\n\r\n`,
      ]);
      assert.match(answer, /^HTTP\/1.1 40[04] /, path);
      assert.ok(!answer.includes('secret'), path);
    }
});

test('a body that is too long is refused before it is there; what is no HTTP, in the envelope', async () => {
  const long =
    'POST /rest/user HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000000000\r\n\r\n{';
  const refused = await raw([long], { until: 'longer', patienceMs: 5_000 });
  assert.match(refused, /^HTTP\/1.1 413 /);
  assert.deepEqual(bodyOf(refused), { success: false, message: 'the body is longer than 65536 bytes', status: 413 });
  const chunk = `${(70_000).toString(16)}\r\n${'x'.repeat(70_000)}\r\n`;
  const chunked =
    'POST /rest/user HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n';
  assert.match(await raw([chunked, chunk], { until: 'longer' }), /^HTTP\/1.1 413 /);
  for (const [sent, status] of [
    ['GET /rest/user HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n', 400],
    ['GET /rest/user HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
    ['\x16\x03\x01\x02\0\x01\0\x01\xfc', 400],
    [`GET /rest/user HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
    ['GET /rest/%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 400],
  ] as const) {
    const answer = await raw([sent]);
    assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `), JSON.stringify(sent.slice(0, 80)));
    const { success, status: said } = bodyOf(answer);
    assert.deepEqual([success, said], [false, status]);
  }
});

test('who sends a request drop by drop is cut off, and holds up nobody', async () => {
  const slow = 'POST /rest/user HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n';
  const drops = Array.from({ length: 25 }, () => ' ');
  const began = Date.now();
  const slowly = Array.from({ length: 50 }, () => raw([slow, ...drops], { pauseMs: 100 }));
  assert.equal((await scene.ask('GET', '/user', { as: ann.jwt })).status, 200);
  const answers = await Promise.all(slowly);
  for (const answer of answers) assert.ok(answer === '' || /^HTTP\/1.1 408 /.test(answer), answer);
  assert.ok(answers.some((answer) => answer !== '' && bodyOf(answer).status === 408));
  assert.ok(Date.now() - began < 15_000);
  assert.match(await raw(['GET /rest/user HTTP/1.1\r\nHo', 'st'], { pauseMs: 100 }), /^(HTTP\/1.1 408 |$)/);
});

test('requests that come in one breath are answered in their order, and a connection has an end', async () => {
  const one = (i: number, last: boolean) =>
    `GET /rest/nothing${i} HTTP/1.1\r\nHost: a\r\n${last ? 'Connection: close\r\n' : ''}\r\n`;
  const answer = await raw([Array.from({ length: 200 }, (_, i) => one(i, i === 199)).join('')]);
  const found = [...answer.matchAll(/no such resource: GET \/rest\/nothing(\d+)"/g)].map(([, i]) => Number(i));
  assert.deepEqual(
    found,
    Array.from({ length: 200 }, (_, i) => i),
  );
  const endless = await raw([Array.from({ length: 1_200 }, (_, i) => one(i, false)).join('')], { patienceMs: 2_000 });
  assert.ok([...endless.matchAll(/no such resource/g)].length <= 1_000);
});

test('no header of an answer holds what a caller put into a parameter', async () => {
  const evil = encodeURIComponent('a\r\nX-Evil: 1');
  for (const path of [
    `/user/${evil}`,
    `/order/${evil}`,
    `/dict/gtts?x=${evil}`,
    `/nothing${evil}`,
    `/user?jwt=${evil}`,
  ]) {
    const { headers } = await scene.http.inject({ url: `/rest${path}`, headers: { 'x-auth-token': ann.jwt } });
    assert.ok(!('x-evil' in headers), path);
    assert.ok(!JSON.stringify(headers).includes('Evil'), path);
  }
});
