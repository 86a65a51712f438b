/** From sign-up to a call: over HTTP alone an account is made, its app given a document, a number ordered and called. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Answer, type Client, createClient } from '@opentact/client';
import { openPhone, type Phone } from '@opentact/phone';
import { checkedFetch } from '../../services/api/src/testing/contract.ts';
import { fromElsewhere } from '../kit/elsewhere.ts';
import { type Platform, startPlatform } from '../kit/platform.ts';
import { freePorts } from '../kit/ports.ts';
import { outcome, verbs } from '../kit/scene.ts';

const XML = '<Response><Say>Welcome to my own number.</Say></Response>';
let platform: Platform;
let phone: Phone;

let nobody: Client;

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const EXAMPLE = join(ROOT, 'services/api/client/example.ts');
const missing = spawnSync('sipp', ['-v']).error ? 'sipp (Debian: sip-tester) is not installed' : false;

/** SIPp calls a number and follows the seed document. @returns the platform's uuid of the call */
async function sipp(tn: number): Promise<string> {
  const [port, media] = await freePorts(2);
  const cwd = mkdtempSync(join(tmpdir(), 'opentact-sipp-'));
  // The payload type that the captured keys have, behind the headers of file, record, Ethernet, IP and UDP.
  const events = String(readFileSync('/usr/share/sip-tester/dtmf_2833_1.pcap')[24 + 16 + 14 + 20 + 8 + 1]! & 0x7f);
  const keys = { payload: '0', codec: 'PCMU', events };
  const args = [
    ...['-sf', join(ROOT, 'test/scenarios/sipp/seed.xml'), '-s', String(tn), '-i', '127.0.0.1', '-p', String(port)],
    ...['-mi', '127.0.0.1', '-mp', String(media), '-m', '1', '-nostdin', '-timeout', '40s', '-timeout_error'],
    ...['-trace_logs', '-log_file', join(cwd, 'logs'), platform.sip],
    ...Object.entries(keys).flatMap(([key, value]) => ['-key', key, value]),
  ];
  try {
    await promisify(execFile)('sipp', args, { cwd });
    return /call ([0-9a-f-]{36})/.exec(readFileSync(join(cwd, 'logs'), 'utf8'))![1]!;
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

/** Somebody who signed up and logged in. */
async function signedUp(email: string): Promise<Client> {
  const basic = { email, password: 'correct horse battery' };
  await nobody.createUser({ body: { ...basic, account: { name: 'Ann and Co' } } });
  const { token = '' } = await nobody.as({ basic }).auth();
  return nobody.as({ token });
}

/** The call in the call log once it is over there: the log follows the journal. */
async function logged(api: Client, callId: string): Promise<Answer<'searchCalls'>['data'][number]> {
  for (const end = Date.now() + 20_000; ; await new Promise((r) => setTimeout(r, 50))) {
    const { data } = await api.searchCalls({ body: { state: 'offline' } });
    const found = data.find(({ uuid }) => uuid === callId);
    if (found) return found;
    if (Date.now() > end) throw new Error(`${callId} is not in the call log`);
  }
}

describe('the REST API', { timeout: 120_000 }, () => {
  before(async () => {
    [platform, phone] = await Promise.all([startPlatform(), openPhone({ user: '12125550199' })]);
    const url = await fromElsewhere(platform.httpPort);
    nobody = createClient({ url, fetch: await checkedFetch(url) });
  });
  after(async () => {
    await phone?.close();
    await platform?.stop();
  });

  it('leads from a sign-up to a call that runs one’s own document', async () => {
    const api = await signedUp('ann@example.test');
    const app = await api.createSIPControlApp({ body: { name: 'Welcome', auto_answer: true } });
    await api.saveSIPControlAppStaticCallFlow({ uuid: app.uuid, file: XML });
    const { data: offers } = await api.search({ body: { pattern: '305*' } });
    const { tn } = offers[0]!;
    const order = await api.createOrder({ body: { items: [{ tn }] } });
    assert.equal(order.state, 'success');
    await api.modifyTNLease({ lease: String(tn), body: { sip_control_app: app.uuid } });
    const call = await phone.call(`sip:${tn}@${platform.sip}`);
    await call.until('answered');
    const story = await platform.ended(call.platformCallId);
    assert.deepEqual(verbs(story), ['Say[0] finished']);
    assert.equal(outcome(story), 'document: document-end');
    const page = await logged(api, call.platformCallId);
    assert.deepEqual(
      [page.from, page.to, page.state, page.owner],
      ['12125550199', String(tn), 'destroyed', 'document'],
    );
    const flow = await api.searchCallFlowLogs({ uuid: app.uuid });
    assert.deepEqual(
      flow.data.map(({ path, success, call: of }) => [path, success, of]),
      [['Say[0]', true, call.platformCallId]],
    );
    const [arrived] = story;
    assert.ok(arrived?.type === 'CallArrived' && arrived.app?.appId === app.uuid);
    await api.removeTNLeaseByUUID({ lease: String(tn) });
  });

  it('gives a live call another document, hangs it up, and shows it to nobody else', async () => {
    const api = await signedUp('eve@example.test');
    const app = await api.createSIPControlApp({ body: { name: 'Waits', auto_answer: true } });
    const tn = 13055550121;
    await api.createOrder({ body: { items: [{ tn }] } });
    await api.modifyTNLease({ lease: String(tn), body: { sip_control_app: app.uuid } });
    // An app without a document parks its calls until one comes by API.
    await api.saveSIPControlAppStaticCallFlow({ uuid: app.uuid, file: XML });
    await api.removeSIPControlAppStaticCallFlow({ uuid: app.uuid });
    const call = await (await phone.call(`sip:${tn}@${platform.sip}`)).until('answered');
    const uuid = call.platformCallId;
    await platform.until(uuid, (e) => e.type === 'LegAnswered');
    const seen = await api.getCall({ uuid });
    assert.deepEqual([seen.state, seen.to], ['live', String(tn)]);
    await api.runCallDocument({ uuid, file: '<Response><Hold timeout="60000"/></Response>' });
    const begun = await platform.until(uuid, (e) => e.type === 'VerbStarted');
    assert.deepEqual(begun.type === 'VerbStarted' && begun.name, 'Hold', 'it ran nothing before: the document is gone');
    await api.executeSIPControlAppCallExecuteCallFlow({ uuid, file: '<Response><Pause length="60000"/></Response>' });
    await platform.until(uuid, (e) => e.type === 'VerbStarted' && e.name === 'Pause');
    const other = await signedUp('bob@example.test');
    await assert.rejects(other.getCall({ uuid }), /404 no such call/);
    await assert.rejects(other.hangUpCall({ uuid }), /404 no such call/);
    await api.hangUpCall({ uuid });
    assert.equal(outcome(await platform.ended(uuid)), 'customer-server: api');
    await assert.rejects(api.hangUpCall({ uuid }), /409 call .* has ended/);
  });

  it('runs the seed document for a stranger’s telephone, and shows its traces to its account alone', {
    skip: missing,
  }, async () => {
    const { apiKey, appId } = JSON.parse(readFileSync(join(platform.home, 'demo.json'), 'utf8'));
    const seed = await nobody.as({ token: apiKey }).getSIPControlAppStaticCallFlow({ uuid: appId });
    const [api, other] = [await signedUp('seed@example.test'), await signedUp('stranger@example.test')];
    const app = await api.createSIPControlApp({ body: { name: 'Seed', auto_answer: true } });
    await api.saveSIPControlAppStaticCallFlow({ uuid: app.uuid, file: seed.xml });
    const { data: offers } = await api.search({ body: { pattern: '305*' } });
    const { tn } = offers.at(-1)!;
    await api.createOrder({ body: { items: [{ tn }] } });
    const { uuid: lease } = await api.getTNLeaseByUUID({ lease: String(tn) });
    assert.deepEqual((await api.assignTNLeasesToSIPControlApp({ uuid: app.uuid, body: { add: [lease] } })).length, 1);
    const uuid = await sipp(tn);
    const story = await platform.ended(uuid);
    assert.ok(verbs(story).includes('Gather[0] entered 1'), verbs(story).join('\n'));
    const { from, to, owner } = await logged(api, uuid);
    assert.deepEqual([from, to, owner], ['sipp', String(tn), 'document']);
    const flow = await api.searchCallFlowLogs({ uuid: app.uuid, body: { call: uuid } });
    const steps = flow.data.map(({ path }) => path).reverse();
    assert.deepEqual(steps.slice(0, 2), ['Say[0]', 'Record[0]']);
    assert.ok(steps.includes('Gather[0].Case[0].Callback[0]'), steps.join(' '));
    const [recording, ...more] = (await api.listRecordings()).data;
    assert.ok(recording?.call === uuid && recording.duration! > 0 && more.length === 0, JSON.stringify(recording));
    const sound = Buffer.from(await ((await api.getRecordingFile({ uuid: recording.uuid })) as Blob).arrayBuffer());
    assert.equal(sound.toString('latin1', 0, 4), 'RIFF');
    assert.ok(Math.abs(sound.length / 16_000 - recording.duration!) < 0.1, `${sound.length} ${recording.duration}`);

    for (const found of [other.searchCalls(), other.listRecordings(), other.searchTNLeases(), other.searchSCACalls()])
      assert.equal((await found).total, 0);
    for (const asked of [
      () => other.getRecordingFile({ uuid: recording.uuid }),
      () => other.removeRecording({ uuid: recording.uuid }),
      () => other.searchCallFlowLogs({ uuid: app.uuid }),
      () => other.getCall({ uuid }),
      () => other.getSIPControlAppStaticCallFlow({ uuid: app.uuid }),
      () => other.removeTNLeaseByUUID({ lease }),
    ])
      await assert.rejects(asked, { status: 404 });

    await api.removeTNLeaseByUUID({ lease });
    for (const end = Date.now() + 20_000; ; await new Promise((r) => setTimeout(r, 100))) {
      const again = await phone.call(`sip:${tn}@${platform.sip}`);
      if (await again.until('ended').then(() => again.ended?.status === 404)) break;
      assert.ok(Date.now() < end, 'a number that was given back still leads somewhere');
    }
  });

  it('is shown by README in lines that run', async () => {
    const [, ...lines] = readFileSync(EXAMPLE, 'utf8').split('\n');
    const shown = /```ts\n(import \{ createClient \}.*?)```/s.exec(readFileSync(join(ROOT, 'README.md'), 'utf8'));
    assert.equal(shown?.[1], lines.join('\n'), 'README.md and services/api/client/example.ts differ');
    const env = { ...process.env, OPENTACT_URL: `http://127.0.0.1:${platform.httpPort}` };
    const { stdout } = await promisify(execFile)(process.execPath, [EXAMPLE], { env, timeout: 40_000 });
    assert.match(stdout, /direction: 'in',/);
    assert.match(stdout, /direction: 'out',/);
    assert.match(stdout, /path: '(Say|Record)\[0\]',/);
    assert.match(stdout, /^[0-9a-f-]{36} Blob \{ size: \d{3,}, type: 'audio\/wav' \}$/m);
  });

  it('knows the demo account by the key that a first start prints', async () => {
    const { apiKey, email } = JSON.parse(readFileSync(join(platform.home, 'demo.json'), 'utf8'));
    assert.equal((await nobody.as({ token: apiKey }).getCurrentUser()).email, email);
  });

  it('leaves no credential in a log, nor anywhere else, however it came', async () => {
    const { apiKey } = JSON.parse(readFileSync(join(platform.home, 'demo.json'), 'utf8'));
    const marked = (name: string) => `${name}-${randomBytes(12).toString('hex')}`;
    const [password, strange, reset] = [marked('password'), marked('strange'), marked('reset')];
    const basic = { email: 'secret@example.test', password };
    await nobody.createUser({ body: basic });
    const { token = '' } = await nobody.as({ basic }).auth();
    const api = nobody.as({ token });
    const { token: key = '' } = await api.createToken({ body: { name: 'known' } });
    const domain = { domain: 'secret.example.test' };
    await api.createSIPDomain({ body: domain });
    const login = { login: 'ann', password: marked('sip') };
    await api.createSIPUser({ ...domain, body: login });
    const ha1b = createHash('md5').update(`ann@${domain.domain}:${domain.domain}:${login.password}`).digest('hex');
    const rest = `http://127.0.0.1:${platform.httpPort}/rest`;
    const json = { 'content-type': 'application/json' };
    const asked: Array<[path: string, init?: RequestInit, status?: number]> = [
      ['/user', { headers: { 'x-auth-token': key } }, 200],
      ['/user', { headers: { authorization: `Bearer ${token}` } }, 200],
      ['/app', { headers: { 'x-auth-ha1b-token': ha1b } }, 200],
      [`/app?ha1b=${ha1b}`, {}, 200],
      ...[apiKey, key, token].flatMap(
        (secret): Array<[string]> => [
          [`/user?jwt=${secret}`],
          [`/auth?bearer=${secret}`],
          [`/nothing?jwt=${secret}`],
          [`/nothing/${secret}`],
          [`/call/sca/x?jwt=${secret}`],
        ],
      ),
      [`/user?google_token=${strange}`],
      ['/user', { headers: { 'x-auth-facebook-token': strange } }],
      ['/user', { headers: { 'x-auth-token': strange } }],
      ['/user', { method: 'POST', headers: json, body: JSON.stringify({ email: 'no address', password }) }],
      ['/user', { method: 'POST', headers: json, body: `{"password":"${password}"` }],
      ['/user', { method: 'POST', headers: json, body: JSON.stringify({ password, more: 'x'.repeat(70_000) }) }],
      ['/user/password_reset', { method: 'POST', headers: json, body: JSON.stringify({ token: reset, password }) }],
      [`/token/${key}`, { method: 'DELETE', headers: { 'x-auth-token': token } }, 200],
    ];
    for (const [path, init, status] of asked) {
      const answer = await fetch(`${rest}${path}`, init);
      assert.ok(answer.status < 500 && (!status || answer.status === status), `${path}: ${answer.status}`);
      const said = await answer.text();
      if (path !== '/auth' && answer.status >= 400)
        for (const secret of [password, strange, reset]) assert.ok(!said.includes(secret), `${path} says ${secret}`);
    }
    const secrets = { apiKey, password, strange, reset, token, key, ha1b, sip: login.password };
    const files = readdirSync(platform.home, { recursive: true, withFileTypes: true })
      .filter((of) => of.isFile() && of.name !== 'demo.json')
      .map((of) => join(of.parentPath, of.name));
    for (const kind of [/\.log$/, /\/pg_wal\//])
      assert.ok(
        files.some((name) => kind.test(name)),
        `${kind}`,
      );
    for (const file of files) {
      const bytes = readFileSync(file);
      for (const [name, secret] of Object.entries(secrets)) assert.ok(!bytes.includes(secret), `${file} holds ${name}`);
    }
  });

  it('says where a document is wrong before any call runs it', async () => {
    const api = await signedUp('dan@example.test');
    const { uuid } = await api.createSIPControlApp({ body: { name: 'Wrong' } });
    await assert.rejects(
      api.saveSIPControlAppStaticCallFlow({ uuid, file: '<Response>\n  <Dail>1</Dail>\n</Response>' }),
      /line 2, column 3: <Dail> is no element of the language; did you mean <Dial>/,
    );
  });
});
