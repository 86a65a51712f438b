import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { serveHealth } from '@opentact/runtime';
import { answerMessages } from './http.ts';

const ID = '0197a3b1-1111-8222-8333-444455550000';

test('health, readiness and the SIP messages of a call are served; nothing else is', async () => {
  const message = { at: 1, direction: 'in' as const, peer: '127.0.0.1:5060', text: 'OPTIONS' };
  const messages = answerMessages((id) => (id === ID ? [message] : undefined));
  const http = await serveHealth(0, { link: () => 'no engine' }, messages);
  const get = (path: string) => fetch(`http://127.0.0.1:${http.port}${path}`);
  assert.equal((await get('/health')).status, 200);
  assert.equal((await get('/ready')).status, 503);
  assert.deepEqual(await (await get(`/calls/${ID.slice(0, -1)}7/sip`)).json(), {
    callId: `${ID.slice(0, -1)}7`,
    messages: [message],
  });
  assert.equal((await get(`/calls/${ID.replace('1', '2')}/sip`)).status, 404);
  assert.equal((await get('/calls/../../etc/passwd/sip')).status, 404);
  assert.equal((await fetch(`http://127.0.0.1:${http.port}/calls/${ID}/sip`, { method: 'DELETE' })).status, 404);
  await http.close();
});

test('its socket file is open to its own user alone: SIP messages are no other user’s', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'opentact-http-'));
  const http = await serveHealth(
    join(folder, 'edge.health'),
    {},
    answerMessages(() => undefined),
  );
  const { mode } = await stat(join(folder, 'edge.health'));
  await http.close();
  await rm(folder, { recursive: true });
  assert.equal(mode & 0o777, 0o600);
});
