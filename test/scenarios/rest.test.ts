/** From sign-up to a call: over HTTP alone an account is made, its app given a document, a number ordered and called. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openPhone, type Phone } from '../kit/phone.ts';
import { type Platform, startPlatform } from '../kit/platform.ts';
import { outcome, verbs } from '../kit/scene.ts';

const XML = '<Response><Say>Welcome to my own number.</Say></Response>';
let platform: Platform;
let phone: Phone;

type Answer<P> = { success: boolean; payload: P; message?: string };
async function ask<P>(
  method: string,
  path: string,
  of: { token?: string; basic?: string; body?: unknown } = {},
): Promise<P> {
  const headers: Record<string, string> = {
    ...(of.token && { 'x-auth-token': of.token }),
    ...(of.basic && { authorization: `Basic ${Buffer.from(of.basic).toString('base64')}` }),
  };
  const isForm = of.body instanceof FormData;
  if (of.body && !isForm) headers['content-type'] = 'application/json';
  const body = isForm ? (of.body as FormData) : of.body ? JSON.stringify(of.body) : null;
  const response = await fetch(`http://127.0.0.1:${platform.httpPort}/rest${path}`, { method, headers, body });
  const answer = (await response.json()) as Answer<P>;
  assert.ok(answer.success, `${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
  return answer.payload;
}

type Logged = { uuid: string; from: string; to: string; state: string; owner: string };

/** The call in the call log once it is over there: the log follows the journal. */
async function logged(token: string, callId: string): Promise<Logged> {
  for (const end = Date.now() + 5_000; ; await new Promise((r) => setTimeout(r, 50))) {
    const { data } = await ask<{ data: Logged[] }>('POST', '/call/search', { token, body: { state: 'offline' } });
    const found = data.find(({ uuid }) => uuid === callId);
    if (found) return found;
    if (Date.now() > end) throw new Error(`${callId} is not in the call log`);
  }
}

describe('the REST API', { timeout: 60_000 }, () => {
  before(async () => {
    [platform, phone] = await Promise.all([startPlatform(), openPhone({ user: '12125550199' })]);
  });
  after(async () => {
    await phone?.close();
    await platform?.stop();
  });

  it('leads from a sign-up to a call that runs one’s own document', async () => {
    const [email, password] = ['ann@example.test', 'correct horse battery'];
    await ask('POST', '/user', { body: { email, password, account: { name: 'Ann and Co' } } });
    const { token } = await ask<{ token: string }>('GET', '/auth', { basic: `${email}:${password}` });
    const app = await ask<{ uuid: string }>('POST', '/sip/app', {
      token,
      body: { name: 'Welcome', auto_answer: true },
    });
    const form = new FormData();
    form.append('file', new Blob([XML], { type: 'application/xml' }), 'flow.xml');
    await ask('POST', `/sip/app/call/flow/${app.uuid}`, { token, body: form });
    const { data } = await ask<{ data: Array<{ tn: number }> }>('POST', '/tn/search', {
      token,
      body: { pattern: '305*' },
    });
    const { tn } = data[0]!;
    const order = await ask<{ state: string }>('POST', '/order', { token, body: { items: [{ tn }] } });
    assert.equal(order.state, 'success');
    await ask('PATCH', `/lease/tn/${tn}`, { token, body: { sip_control_app: app.uuid } });
    const call = await phone.call(`sip:${tn}@${platform.sip}`);
    await call.until('answered');
    const story = await platform.ended(call.platformCallId);
    assert.deepEqual(verbs(story), ['Say[0] finished']);
    assert.equal(outcome(story), 'document: document-end');
    const page = await logged(token, call.platformCallId);
    assert.deepEqual([page.from, page.to, page.state, page.owner], ['12125550199', String(tn), 'hangup', 'document']);
    const flow = await ask<{ data: Array<{ path: string; success: boolean; call: string }> }>(
      'POST',
      `/sip/app/${app.uuid}/logs`,
      { token },
    );
    assert.deepEqual(
      flow.data.map(({ path, success, call: of }) => [path, success, of]),
      [['Say[0]', true, call.platformCallId]],
    );
    const [arrived] = story;
    assert.ok(arrived?.type === 'CallArrived' && arrived.app?.appId === app.uuid);
    await ask('DELETE', `/lease/tn/${tn}`, { token });
  });

  it('gives a live call another document, hangs it up, and shows it to nobody else', async () => {
    const own = await ask<{ token: string }>('GET', '/auth', { basic: 'ann@example.test:correct horse battery' });
    const { token } = own;
    const app = await ask<{ uuid: string }>('POST', '/sip/app', { token, body: { name: 'Waits', auto_answer: true } });
    const tn = 13055550121;
    await ask('POST', '/order', { token, body: { items: [{ tn }] } });
    await ask('PATCH', `/lease/tn/${tn}`, { token, body: { sip_control_app: app.uuid } });
    // An app without a document parks its calls until one comes by API.
    const call = await (await phone.call(`sip:${tn}@${platform.sip}`)).until('answered');
    const callId = call.platformCallId;
    const path = `/call/sca/${callId}`;
    const seen = await ask<{ state: string; to: string }>('GET', path, { token });
    assert.deepEqual([seen.state, seen.to], ['live', String(tn)]);
    const form = new FormData();
    form.append('file', new Blob(['<Response><Hold timeout="60000"/></Response>']), 'flow.xml');
    await ask('POST', path, { token, body: form });
    await platform.until(callId, (e) => e.type === 'VerbStarted' && e.name === 'Hold');
    await ask('POST', '/user', { body: { email: 'bob@example.test', password: 'correct horse battery' } });
    const other = await ask<{ token: string }>('GET', '/auth', { basic: 'bob@example.test:correct horse battery' });
    for (const method of ['GET', 'DELETE'])
      await assert.rejects(ask(method, path, { token: other.token }), /404.*no such call/);
    await ask('DELETE', path, { token });
    assert.equal(outcome(await platform.ended(callId)), 'customer-server: api');
    await assert.rejects(ask('DELETE', path, { token }), /409.*has ended/);
  });

  it('knows the demo account by the key that a first start prints', async () => {
    const { apiKey, email } = JSON.parse(readFileSync(join(platform.home, 'demo.json'), 'utf8'));
    assert.equal((await ask<{ email: string }>('GET', '/user', { token: apiKey })).email, email);
  });

  it('writes no credential into a log, however it came', async () => {
    const { apiKey } = JSON.parse(readFileSync(join(platform.home, 'demo.json'), 'utf8'));
    const { token } = await ask<{ token: string }>('GET', `/auth?bearer=${apiKey}`);
    for (const path of [
      `/user?jwt=${token}`,
      `/nothing?jwt=${token}`,
      `/user?google_token=${token}`,
      `/call/sca/x?jwt=${token}`,
    ])
      await fetch(`http://127.0.0.1:${platform.httpPort}/rest${path}`);
    const logs = readdirSync(join(platform.home, 'logs')).map((name) =>
      readFileSync(join(platform.home, 'logs', name), 'utf8'),
    );
    assert.ok(logs.length > 0);
    for (const text of logs) assert.ok(!text.includes(token) && !text.includes(apiKey));
  });

  it('says where a document is wrong before any call runs it', async () => {
    const { token } = await ask<{ token: string }>('GET', '/auth', { basic: 'ann@example.test:correct horse battery' });
    const app = await ask<{ uuid: string }>('POST', '/sip/app', { token, body: { name: 'Wrong' } });
    const form = new FormData();
    form.append('file', new Blob(['<Response>\n  <Dail>1</Dail>\n</Response>']), 'flow.xml');
    const answer = ask('POST', `/sip/app/call/flow/${app.uuid}`, { token, body: form });
    await assert.rejects(answer, /line 2, column 3: <Dail> is no element of the language; did you mean <Dial>/);
  });
});
