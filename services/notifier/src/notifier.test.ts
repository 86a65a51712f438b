/** The door against servers that mean harm or just don't work. Only loopback addresses; names are resolved by the test. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import type { IncomingMessage, RequestListener } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, deflateRawSync, gzipSync } from 'node:zlib';
import { decodeEvent, encodeEvent } from '@opentact/proto';
import { createLogger } from '@opentact/runtime';
import { createDocuments, fetchDocument } from './documents.ts';
import { createGate, GATE_LIMITS } from './door/gate.ts';
import { servePrompts } from './prompts.ts';
import { bodyOf, fetchFrom, fetching, KEY, never, refusal, request, serve } from './testing/customer-server.ts';

const lines: string[] = [];
const log = createLogger({ service: 't', node: 't', boot: 'b' }, { write: (line: string) => lines.push(line) });

test('a document comes back word for word, and the request is signed', async (t) => {
  let seen: IncomingMessage | undefined;
  let body = '';
  const port = await serve(t, async (incoming, response) => {
    seen = incoming;
    body = await bodyOf(incoming);
    response.writeHead(200, { 'content-type': 'text/xml' }).end('<Response>é</Response>');
  });
  const fact = await fetchFrom(t, `http://good.test:${port}/flow?from=1`, { method: 'post', body: '{"a":1}' });
  assert.deepEqual(
    { ...fact, tookMs: 0 },
    {
      type: 'DocumentFetched',
      requestId: 0,
      status: 200,
      contentType: 'text/xml',
      body: '<Response>é</Response>',
      tookMs: 0,
    },
  );
  const headers = seen!.headers;
  const origin = `http://good.test:${port}`;
  const key = createHmac('sha256', KEY).update(origin).digest();
  const text = `${headers['x-opentact-timestamp']}\nPOST\n${origin}/flow?from=1\ncall-7\n{"a":1}`;
  assert.equal(headers['x-opentact-signature'], `v2=${createHmac('sha256', key).update(text).digest('hex')}`);
  assert.equal(headers['idempotency-key'], 'call-7');
  assert.equal(headers['content-type'], 'application/json');
  assert.deepEqual([seen!.method, seen!.url, body], ['POST', '/flow?from=1', '{"a":1}']);
});

test('a Curl brings its own headers and method, and any answer comes back word for word', async (t) => {
  const seen: IncomingMessage[] = [];
  const bodies: string[] = [];
  const port = await serve(t, async (incoming, response) => {
    seen.push(incoming);
    bodies.push(await bodyOf(incoming));
    response.writeHead(201, { 'content-type': 'text/plain' }).end('\t{"a": 1}\n');
  });
  const asked = [
    ...[
      ['X-Customer', '7'],
      ['Authorization', 'Bearer mine'],
      ['content-type', 'text/csv'],
      ['USER-AGENT', 'mine'],
    ],
    ...[
      ['Host', 'other.test'],
      ['Content-Length', '999'],
      ['Transfer-Encoding', 'chunked'],
      ['Connection', 'x-customer'],
      ['Proxy-Authorization', 'x'],
      ['Idempotency-Key', 'mine'],
      ['X-Opentact-Signature', 'mine'],
      ['Accept-Encoding', 'zstd'],
      ['X-Broken', 'a\r\nX-More: b'],
      ['X Broken', 'a'],
    ],
  ].map(([name, value]) => ({ name: name!, value: value! }));
  for (const method of ['PUT', 'patch', 'DELETE', 'POST', 'GET', 'TRACE']) {
    const fact = await fetchFrom(t, `http://good.test:${port}/`, {
      purpose: 'curl',
      method,
      body: 'a,b',
      headers: asked,
    });
    assert.equal(fact.type === 'DocumentFetched' && fact.body, '\t{"a": 1}\n');
  }
  assert.deepEqual(
    seen.map(({ method }, n) => `${method} ${bodies[n]}`),
    ['PUT a,b', 'PATCH a,b', 'DELETE a,b', 'POST a,b', 'GET ', 'GET '],
  );
  const { headers } = seen[0]!;
  const shown = [
    'x-customer',
    'authorization',
    'content-type',
    'user-agent',
    'idempotency-key',
    'host',
    'accept-encoding',
  ];
  assert.deepEqual(
    shown.map((name) => headers[name]),
    ['7', 'Bearer mine', 'text/csv', 'mine', 'call-7', `good.test:${port}`, 'identity'],
  );
  assert.equal(headers['content-length'], '3');
  assert.match(String(headers['x-opentact-signature']), /^v2=[0-9a-f]{64}$/);
  assert.deepEqual(
    [headers['proxy-authorization'], headers['x-broken'], headers['x-more']],
    [undefined, undefined, undefined],
  );
  assert.deepEqual((await fetchFrom(t, `http://good.test:${port}/`, { method: 'DELETE' })).type, 'DocumentFetched');
});

test('a document’s headers go to the server it names, and to no other that it is sent on to', async (t) => {
  const keys: Array<string | undefined> = [];
  const note: RequestListener = (incoming, response) => {
    keys.push(incoming.headers['x-key'] as string | undefined);
    response.end();
  };
  const other = await serve(t, note);
  const port = await serve(t, (incoming, response) => {
    if (incoming.url === '/here') return note(incoming, response);
    const location = incoming.url === '/away' ? `http://127.0.0.1:${other}/` : '/here';
    response.writeHead(307, { location }).end();
  });
  const headers = [{ name: 'X-Key', value: 'secret' }];
  for (const path of ['/stay', '/away'])
    await fetchFrom(t, `http://127.0.0.1:${port}${path}`, { purpose: 'curl', method: 'PUT', body: 'x', headers });
  assert.deepEqual(keys, ['secret', undefined]);
});

test('addresses that are neither public nor allowed are refused before anything is sent', async (t) => {
  let asked = 0;
  const count: RequestListener = (_, response) => {
    asked++;
    response.end();
  };
  const port = await serve(t, count, '0.0.0.0');
  const v6 = await serve(t, count, '::1');
  for (const url of [
    ...[`http://127.0.0.2:${port}/`, `http://[::1]:${v6}/`, `http://[::ffff:127.0.0.2]:${port}/`],
    ...[
      `http://both.test:${port}/`,
      `http://0.0.0.0:${port}/`,
      `http://2130706434:${port}/`,
      'http://169.254.169.254/',
    ],
  ])
    assert.equal(await refusal(t, url), 'refused-address 0', url);
  assert.equal(await refusal(t, `http://127.0.0.1:${port}/`, {}, '127.0.0.1:1'), 'refused-address 0');
  assert.equal(asked, 0);
  assert.equal(await refusal(t, `http://[::ffff:127.0.0.1]:${port}/`), 'fetched ');
  assert.equal(await refusal(t, `http://127.0.0.1:${port}/`, {}, `127.0.0.1:${port}`), 'fetched ');
});

test('a redirect is judged like a first address', async (t) => {
  const v6 = await serve(t, (_, response) => void response.end('secret'), '::1');
  const two = await serve(t, (_, response) => void response.end('secret'), '127.0.0.2');
  const targets: Record<string, string> = {
    '/v6': `http://[::1]:${v6}/`,
    '/two': `http://127.0.0.2:${two}/`,
    '/both': `http://both.test:${two}/`,
    '/file': 'file:///etc/passwd',
    '/loop': '/loop',
    '/fine': '/end',
  };
  const port = await serve(t, async (incoming, response) => {
    const location = targets[incoming.url!];
    if (location) response.writeHead(302, { location }).end();
    else response.end(`${incoming.method} ${await bodyOf(incoming)}`);
  });
  const of = (path: string, over = {}) => refusal(t, `http://127.0.0.1:${port}${path}`, over);
  assert.equal(await of('/v6'), 'refused-address 0');
  assert.equal(await of('/two'), 'refused-address 0');
  assert.equal(await of('/both'), 'refused-address 0');
  assert.equal(await of('/file'), 'bad-url 0');
  assert.equal(await of('/loop'), 'redirects 0');
  assert.equal(await of('/fine', { method: 'POST', body: '{}' }), 'fetched GET ');
});

test('307 keeps method and body', async (t) => {
  const port = await serve(t, async (incoming, response) => {
    if (incoming.url === '/a') response.writeHead(307, { location: '/b' }).end();
    else response.end(`${incoming.method} ${await bodyOf(incoming)}`);
  });
  assert.equal(await refusal(t, `http://127.0.0.1:${port}/a`, { method: 'POST', body: '{}' }), 'fetched POST {}');
});

test('each way a server can fail has its own reason', async (t) => {
  const port = await serve(t, (incoming, response) => {
    const drip = (): void => {
      if (response.destroyed) return;
      response.write('x');
      setTimeout(drip, 20);
    };
    const act: Record<string, () => void> = {
      '/never': () => {},
      '/500': () => response.writeHead(500).end('<h1>oops</h1>'),
      '/drip': drip,
      '/big': () => response.end('x'.repeat(64 * 1024 + 1)),
      '/bomb': () => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('x'.repeat(200_000))),
      '/broken': () => response.writeHead(200, { 'content-length': '10' }).write('x', () => response.destroy()),
      '/html': () => response.writeHead(200, { 'content-type': 'text/html' }).end('<html></html>'),
      '/zipped': () => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('<a/>')),
    };
    act[incoming.url!]!();
  });
  const of = (path: string) => refusal(t, `http://127.0.0.1:${port}${path}`, { timeoutMs: 250 });
  assert.equal(await of('/never'), 'timeout 0');
  assert.equal(await of('/500'), 'http 500');
  assert.equal(await of('/drip'), 'timeout 0');
  assert.equal(await of('/big'), 'too-large 200');
  assert.equal(await of('/bomb'), 'too-large 200');
  assert.equal(await of('/broken'), 'connect 0');
  assert.equal(await of('/html'), 'fetched <html></html>'); // Whether it is a document is the flow's to judge.
  assert.equal(await of('/zipped'), 'fetched <a/>');
  assert.equal(await refusal(t, 'http://127.0.0.1:1/'), 'connect 0');
  assert.equal(await refusal(t, 'http://nowhere.test/'), 'connect 0');
  assert.equal(await refusal(t, 'no url'), 'bad-url 0');
  assert.equal(await refusal(t, 'ftp://good.test/'), 'bad-url 0');
});

test('a server with too many requests under way makes later ones wait, within their own time', async (t) => {
  let most = 0;
  let now = 0;
  const port = await serve(t, async (_, response) => {
    most = Math.max(most, ++now);
    await sleep(30);
    now--;
    response.end('ok');
  });
  const of = { ...fetching(t), gate: createGate({ ...GATE_LIMITS, total: 10, perServer: 3, waitingPerServer: 4 }) };
  const url = `http://127.0.0.1:${port}/`;
  const facts = await Promise.all(Array.from({ length: 8 }, () => fetchDocument(of, request(url), 'acme', never)));
  assert.equal(facts.filter((f) => f.type === 'DocumentFetched').length, 7);
  assert.equal(most, 3);
  const key = { account: 'acme', server: `app http://127.0.0.1:${port}` };
  const stuck = await of.gate.enter(key, 1);
  const more = await Promise.all([1, 2].map(() => of.gate.enter(key, 1)));
  const late = await fetchDocument(of, request(url, { timeoutMs: 50 }), 'acme', never);
  assert.equal(late.type === 'DocumentFailed' && late.reason, 'timeout');
  for (const leave of [stuck, ...more]) leave();
});

test('an ask is answered by a fact under its seq, and a log line without the query’s values', async (t) => {
  const port = await serve(t, (_, response) => void response.end('<Response/>'));
  const reported: unknown[] = [];
  const link = { report: async (key: string, payload: Uint8Array) => void reported.push([key, decodeEvent(payload)]) };
  const documents = createDocuments({ ...fetching(t), link: () => link, log });
  const ask = (seq: number, url: string) => ({ key: 'c1', seq, account: 'acme', payload: encodeEvent(request(url)) });
  documents.ask(ask(9, `http://127.0.0.1:${port}/?token=hunter2`));
  assert.deepEqual(documents.held(), ['c1']);
  while (documents.underWay() > 0) await sleep(2);
  const [[key, fact]] = reported as [[string, { type: string; requestId: number }]];
  assert.deepEqual([key, fact.type, fact.requestId], ['c1', 'DocumentFetched', 9]);
  assert.deepEqual(documents.held(), []);
  assert.match(lines.join(''), /DocumentFetched/);
  assert.doesNotMatch(lines.join(''), /hunter2/);
});

test('a prompt is streamed with what is needed to cache it, and refused as a document would be', async (t) => {
  const port = await serve(t, (incoming, response) => {
    if (incoming.url === '/huge') {
      response.writeHead(200);
      const more = () => void (response.destroyed || response.write(Buffer.alloc(1 << 20), more));
      more();
    } else if (incoming.headers['if-none-match'] === '"1"') response.writeHead(304, { etag: '"1"' }).end();
    else response.writeHead(200, { etag: '"1"', 'content-type': 'audio/wav', 'set-cookie': 'x' }).end('RIFF');
  });
  const { door, gate } = fetching(t);
  const prompts = await servePrompts({ door, gate, log, host: '127.0.0.1', token: 'tok' });
  t.after(() => {
    prompts.server.closeAllConnections();
    prompts.server.close();
  });
  const get = (url: string, headers = {}) =>
    fetch(`http://127.0.0.1:${prompts.port}/prompt?url=${encodeURIComponent(url)}`, {
      headers: { authorization: 'Bearer tok', ...headers },
    });
  const fine = await get(`http://127.0.0.1:${port}/a.wav`);
  assert.deepEqual([fine.status, fine.headers.get('etag'), fine.headers.get('set-cookie')], [200, '"1"', null]);
  assert.equal(await fine.text(), 'RIFF');
  assert.equal((await get(`http://127.0.0.1:${port}/a.wav`, { 'if-none-match': '"1"' })).status, 304);
  const refused = await get(`http://127.0.0.2:${port}/a.wav`);
  assert.equal(refused.status, 403);
  assert.equal(((await refused.json()) as { reason: string }).reason, 'refused-address');
  assert.equal((await get('x', { authorization: 'Bearer no' })).status, 401);
  const huge = await get(`http://127.0.0.1:${port}/huge`);
  await assert.rejects(huge.arrayBuffer());
  // Media leaves in the middle: nothing stays under way.
  const socket = connect(prompts.port, '127.0.0.1', () =>
    socket.write(
      `GET /prompt?url=${encodeURIComponent(`http://127.0.0.1:${port}/huge`)} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer tok\r\n\r\n`,
    ),
  );
  await sleep(50);
  socket.destroy();
  for (let i = 0; gate.busy() > 0 && i < 200; i++) await sleep(5);
  assert.equal(gate.busy(), 0);
});

test('the query that a customer wrote arrives byte for byte, and credentials as they stand', async (t) => {
  const seen: IncomingMessage[] = [];
  const port = await serve(t, (incoming, response) => {
    seen.push(incoming);
    response.end('<Response/>');
  });
  const written = "/x?exp=1~acl=/live/*&name=a%20b&flag&q=(x)'!&t=%7e&from=1";
  assert.equal(await refusal(t, `http://ops:50%off@127.0.0.1:${port}${written}`), 'fetched <Response/>');
  assert.equal(await refusal(t, `http://:token@127.0.0.1:${port}/`), 'fetched <Response/>');
  assert.equal(seen[0]!.url, written);
  const pairs = seen.map(({ headers }) => Buffer.from(headers.authorization!.slice(6), 'base64').toString());
  assert.deepEqual(pairs, ['ops:50%off', ':token']);
});

test('an empty answer is empty whatever its coding; letters come in the encoding that the answer names, or not at all', async (t) => {
  const port = await serve(t, (incoming, response) => {
    const [, status, coding] = incoming.url!.split('/');
    if (status === 'latin1') response.writeHead(200, { 'content-type': 'text/xml; charset=ISO-8859-1' });
    if (status === 'latin1' || status === 'unsaid')
      return void response.end(Buffer.from('<Say>Orléans</Say>', 'latin1'));
    response.writeHead(Number(status), { 'content-encoding': coding }).end();
  });
  for (const path of ['204/gzip', '200/gzip', '200/br', '200/deflate', '204/identity'])
    assert.equal(await refusal(t, `http://127.0.0.1:${port}/${path}`), 'fetched ', path);
  assert.equal(await refusal(t, `http://127.0.0.1:${port}/latin1`), 'fetched <Say>Orléans</Say>');
  assert.equal(await refusal(t, `http://127.0.0.1:${port}/unsaid`), 'charset 200');
});

test('a prompt that is served compressed is passed on as it sounds', async (t) => {
  const audio = Buffer.from('RIFF'.repeat(5000));
  const bodies: Record<string, [string, Buffer]> = {
    '/gzip': ['gzip', gzipSync(audio)],
    '/br': ['br', brotliCompressSync(audio)],
    '/bare': ['deflate', deflateRawSync(audio)],
    '/empty': ['gzip', Buffer.alloc(0)],
    '/lie': ['gzip', audio],
    '/bomb': ['gzip', gzipSync(Buffer.alloc(20 << 20))],
    '/unknown': ['compress', audio],
  };
  const port = await serve(t, (incoming, response) => {
    const [coding, body] = bodies[incoming.url!]!;
    response.writeHead(200, { 'content-encoding': coding, 'content-length': body.length, etag: '"1"' }).end(body);
  });
  const { door, gate } = fetching(t);
  const prompts = await servePrompts({ door, gate, log, host: '127.0.0.1', token: undefined });
  t.after(() => {
    prompts.server.closeAllConnections();
    prompts.server.close();
  });
  const get = (path: string) =>
    fetch(`http://127.0.0.1:${prompts.port}/prompt?url=${encodeURIComponent(`http://127.0.0.1:${port}${path}`)}`);
  for (const path of ['/gzip', '/br', '/bare']) {
    const answer = await get(path);
    assert.deepEqual([answer.status, answer.headers.get('etag')], [200, '"1"']);
    assert.ok(audio.equals(Buffer.from(await answer.arrayBuffer())), path);
  }
  assert.equal((await (await get('/empty')).arrayBuffer()).byteLength, 0);
  for (const path of ['/lie', '/bomb'])
    await assert.rejects(
      get(path).then((answer) => answer.arrayBuffer()),
      path,
    );
  const unknown = await get('/unknown');
  assert.equal(unknown.status, 502);
  assert.match(((await unknown.json()) as { detail: string }).detail, /compress/);
  for (let i = 0; gate.busy() > 0 && i < 200; i++) await sleep(5);
  assert.equal(gate.busy(), 0);
});
