/** The page at `/`: health and links for anybody, live calls for whoever has the token, nothing that a caller could smuggle in. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { Front, LiveCall } from './front-page.ts';
import { createHttp } from './http.ts';

const TOKEN = 'the-operator’s';
const CALL: LiveCall = {
  uuid: '1a2b3c4d-0000-8000-8000-000000000000',
  direction: 'in',
  from: `<script>alert(1)</script>"'&`,
  to: '18005550100',
  state: 'live',
  since: new Date('2026-01-01T12:30:00Z'),
};

function serving(t: TestContext, of: Partial<Front> & { token?: string; fault?: string } = {}) {
  const http = createHttp({
    checks: { engine: () => of.fault, log: () => undefined },
    recordings: '/nowhere',
    token: 'token' in of ? of.token : TOKEN,
    rest: async () => {},
    front: { sip: '127.0.0.1:5060', grpc: '127.0.0.1:9090', liveCalls: async () => [CALL], ...of },
  });
  t.after(() => http.close());
  return (path: string, authorization?: string) =>
    http.inject({ url: path, headers: { ...(authorization && { authorization }) } });
}
const basic = (password: string) => `Basic ${Buffer.from(`anybody:${password}`).toString('base64')}`;

test('/ is a page: links, health, how to call', async (t) => {
  const page = await serving(t, { number: '18005550100' })('/');
  assert.equal(page.statusCode, 200);
  assert.match(String(page.headers['content-type']), /^text\/html/);
  for (const said of ['A call would be answered', '>engine<', '>ok<', 'sip:18005550100@127.0.0.1:5060', 'npm run call'])
    assert.ok(page.body.includes(said), said);
  const links = [...page.body.matchAll(/href="([^"]+)"/g)].map(([, to]) => to);
  assert.deepEqual(links, ['/calls', '/docs', '/rest/openapi.json', '/ready', '/health']);
});

test('/ says what is wrong where a call would not be answered', async (t) => {
  const page = await serving(t, { fault: 'no answer <within> 2000 ms' })('/');
  assert.match(page.body, /A call would not be answered/);
  assert.match(page.body, /no answer &lt;within&gt; 2000 ms/);
});

test('live calls are shown with the operator’s token, and to nobody else', async (t) => {
  const ask = serving(t);
  for (const given of [basic(TOKEN), `Bearer ${TOKEN}`]) {
    const page = await ask('/calls', given);
    assert.equal(page.statusCode, 200);
    assert.ok(page.body.includes(CALL.uuid) && page.body.includes(CALL.to));
  }
  for (const given of [undefined, basic('guessed'), basic(''), 'Bearer guessed', 'Basic', `Digest ${TOKEN}`]) {
    const page = await ask('/calls', given);
    assert.deepEqual([page.statusCode, /^Basic /.test(String(page.headers['www-authenticate']))], [401, true], given);
    assert.doesNotMatch(page.body, /1a2b3c4d|18005550100/);
  }
  assert.doesNotMatch((await ask('/', basic(TOKEN))).body, /1a2b3c4d/);
});

test('without a token nobody sees calls on the page', async (t) => {
  const ask = serving(t, { token: undefined as never });
  for (const given of [undefined, basic(''), basic('undefined'), 'Bearer undefined'])
    assert.equal((await ask('/calls', given)).statusCode, 401);
});

test('a page carries a strict policy, and everything in it is escaped', async (t) => {
  const page = await serving(t)('/calls', basic(TOKEN));
  assert.ok(page.body.includes('&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;'));
  assert.doesNotMatch(page.body, /<script|\son\w+=|\sstyle=|javascript:/);
  const policy = String(page.headers['content-security-policy']);
  const [, style] = /<style>(.*?)<\/style>/s.exec(page.body)!;
  const hash = createHash('sha256').update(style!).digest('base64');
  const nothing = ['default-src', 'base-uri', 'form-action', 'frame-ancestors'].map((what) => `${what} 'none'`);
  assert.deepEqual(policy.split('; '), [...nothing, `style-src 'sha256-${hash}'`]);
  assert.equal(page.headers['cache-control'], 'no-store');
});

test('/docs leads to the documentation', async (t) => {
  const { statusCode, headers } = await serving(t)('/docs');
  assert.deepEqual([statusCode, headers.location], [302, '/rest/docs']);
});
