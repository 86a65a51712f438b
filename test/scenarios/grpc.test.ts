/**
 * CallControl as a customer's client sees it, one that has nothing of us but the .proto files; and what else looks in
 * from outside: readiness, recordings, and `npm run call`.
 */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { status } from '@grpc/grpc-js';
import { openControl, type WireEvent } from '../kit/control.ts';
import { openReflection } from '../kit/reflection.ts';
import { all, openScene, outcome, type Scene } from '../kit/scene.ts';
import { openWire } from '../kit/wire.ts';

const WAIT = '<Response><Pause length="60000"/></Response>';
const NOBODY = '00000000-0000-8000-8000-000000000000';
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let scene: Scene;

type GrpcError = { code: number; details: string };
const refused = (of: Promise<unknown>): Promise<GrpcError> =>
  of.then(
    () => assert.fail('it was not refused'),
    (error: GrpcError) => error,
  );

describe('a client with only the .proto files', { timeout: 120_000 }, () => {
  before(
    async () => {
      scene = await openScene();
      await scene.platform.whole();
    },
    { timeout: 90_000 },
  );
  after(() => scene?.close());

  it('reads a call’s state and its story, from any place, and follows it to its end', async () => {
    const { control } = scene.platform;
    const call = await scene.dial(WAIT);
    const id = call.platformCallId;
    await scene.platform.until(id, (e) => e.type === 'VerbStarted');
    assert.equal((await control.getCall(id)).state, 'live');
    assert.equal((await control.getCall(id)).verb, 'Pause[0]');
    const followed: WireEvent[] = [];
    const following = (async () => {
      for await (const event of control.events(id, { from: 3, follow: true })) followed.push(event);
    })();
    call.hangup();
    await following;
    const story = await scene.platform.ended(id);
    assert.equal(followed[0]!.seq, 3);
    assert.equal(followed.at(-1)!.body, 'call_ended');
    assert.deepEqual(
      followed.map((e) => e.seq),
      followed.map((_, i) => i + 3),
    );
    const whole: WireEvent[] = [];
    for await (const event of control.events(id)) whole.push(event);
    assert.deepEqual(
      whole.map((e) => e.seq),
      story.map((e) => e.seq),
    );
    const state = await control.getCall(id);
    assert.deepEqual([state.owner, state.reason, state.state], ['caller', 'bye', 'destroyed']);
  });

  it('hangs up once, however often it says so; an ended call can’t be hung up', async () => {
    const { control } = scene.platform;
    const call = await scene.dial(WAIT);
    await scene.platform.until(call.platformCallId, (e) => e.type === 'VerbStarted');
    await Promise.all([1, 2, 3].map(() => control.hangup(call.platformCallId, 'once').catch(() => undefined)));
    const story = await scene.platform.ended(call.platformCallId);
    assert.equal(all(story, 'HangupOrdered').length, 1);
    assert.equal(outcome(story), 'customer-server: api');
    const again = await refused(control.hangup(call.platformCallId, 'another'));
    assert.equal(again.code, status.FAILED_PRECONDITION);
    assert.match(again.details, /has ended/);
  });

  it('replaces the running document once per key', async () => {
    const { control } = scene.platform;
    const call = await scene.dial(WAIT);
    await scene.platform.until(call.platformCallId, (e) => e.type === 'VerbStarted');
    const next = '<Response><Say>Replaced.</Say></Response>';
    await control.runDocument(call.platformCallId, next, 'same');
    await control.runDocument(call.platformCallId, next, 'same');
    const story = await scene.platform.ended(call.platformCallId);
    assert.equal(all(story, 'DocumentOrdered').length, 1);
    assert.equal(outcome(story), 'document: document-end');
    const late = await refused(control.runDocument(call.platformCallId, next, 'late'));
    assert.equal(late.code, status.FAILED_PRECONDITION);
  });

  it('is told what it did wrong', async () => {
    const { control } = scene.platform;
    for (const ask of [
      () => control.getCall(NOBODY),
      () => control.hangup(NOBODY, 'k'),
      () => control.runDocument(NOBODY, '<Response/>', 'k'),
    ]) {
      const error = await refused(ask());
      assert.equal(error.code, status.NOT_FOUND);
      assert.match(error.details, new RegExp(NOBODY));
    }
    const events = (async () => {
      for await (const _ of control.events(NOBODY));
    })();
    assert.equal((await refused(events)).code, status.NOT_FOUND);
    const name = await refused(control.getCall('my call'));
    assert.equal(name.code, status.INVALID_ARGUMENT);
    assert.equal(name.details, 'call_id: "my call" is not the uuid of a call');
    const document = await refused(control.stage('<Response>\n  <Sya>Hello</Sya>\n</Response>'));
    assert.equal(document.code, status.INVALID_ARGUMENT);
    assert.match(document.details, /^xml: line 2, column \d+: .*Say/);
    const key = await refused(control.hangup(NOBODY, 'x'.repeat(129)));
    assert.equal(key.code, status.INVALID_ARGUMENT);
    assert.match(key.details, /^idempotency_key: /);
  });

  it('a staged document is run by one call and by no other', async () => {
    const uri = await scene.staged('<Response><Say>Once.</Say></Response>');
    const first = await (await scene.phone.call(uri)).until('answered');
    // The same phone within 32 s would be the same dialling, repeated.
    const second = await scene.callee.call(uri);
    await second.until('ended');
    assert.equal(second.ended?.status, 404);
    assert.equal(outcome(await scene.platform.ended(first.platformCallId)), 'document: document-end');
  });

  it('every response to an INVITE names the call', async () => {
    const wire = await openWire(scene.platform.sip);
    const named = (m: { headers: { get(name: string): string | undefined } }) =>
      /^[0-9a-f-]{36}$/.test(m.headers.get('x-opentact-call-id') ?? '');
    const refusals: Array<[string, number]> = [
      ['sip:19995550000@', 404],
      [`${(await scene.staged('<Response><Reject reason="busy"/></Response>', false)).split('@')[0]}@`, 486],
    ];
    for (const [user, code] of refusals) {
      wire.send(`${user}${scene.platform.sip}`, { sdp: wire.peer.offer() });
      const answer = await wire.response(code);
      assert.ok(named(answer), String(code));
      wire.send(`${user}${scene.platform.sip}`, { method: 'ACK', callId: answer.callId });
    }
    for (const { message } of wire.heard) if (message.cseq.method === 'INVITE') assert.ok(named(message));
    const call = await scene.dial('<Response><Say>Hello.</Say></Response>');
    await scene.platform.ended(call.platformCallId);
    for (const message of call.messages)
      if (message.kind === 'response' && message.cseq.method === 'INVITE') assert.ok(named(message));
    await wire.close();
  });

  it('reaches health and calls by reflection alone, with call_id as the proto says', async () => {
    const { grpcPort, token } = scene.platform;
    const reflected = await openReflection(`127.0.0.1:${grpcPort}`);
    assert.deepEqual(reflected.services.sort(), ['grpc.health.v1.Health', 'opentact.call.v1.CallControl']);
    const health = await reflected.client('grpc.health.v1.Health');
    assert.deepEqual(await health('Check', { service: '' }), { status: 'SERVING' });
    const call = await scene.dial(WAIT);
    const control = await reflected.client('opentact.call.v1.CallControl', token);
    const found = await control('GetCall', { call_id: call.platformCallId });
    assert.deepEqual([found.call_id, found.state, Number(found.created_at) > 0], [call.platformCallId, 'live', true]);
    call.hangup();
    reflected.close();
  });

  it('without the operator’s token nobody is told of a call, hangs one up or places one', async () => {
    const stranger = openControl(`127.0.0.1:${scene.platform.grpcPort}`);
    const call = await scene.dial('<Response><Pause length="5000"/></Response>');
    const { platformCallId } = call;
    for (const asked of [
      stranger.getCall(platformCallId),
      stranger.hangup(platformCallId, 'x'),
      stranger.place({ account_id: NOBODY, to: 'sip:a@127.0.0.1', xml: '<Response/>' }),
    ])
      assert.equal((await refused(asked)).code, status.UNAUTHENTICATED);
    stranger.close();
    call.hangup();
    await scene.platform.ended(platformCallId);
  });

  it('a recording is served over HTTP; what is none is not', async () => {
    const http = `http://127.0.0.1:${scene.platform.httpPort}`;
    const call = await scene.dial('<Response><Record/></Response>');
    await scene.platform.until(call.platformCallId, (e) => e.type === 'RecordRequested');
    await new Promise((r) => setTimeout(r, 500));
    await call.peer.press('#');
    const [finished] = all(await scene.platform.ended(call.platformCallId), 'RecordFinished');
    const headers = { authorization: `Bearer ${scene.platform.token}` };
    const path = `${http}/recordings/${finished!.recordingId}.wav`;
    assert.equal((await fetch(path)).status, 401, 'whoever else is on this machine');
    const found = await fetch(path, { headers });
    const wav = Buffer.from(await found.arrayBuffer());
    assert.equal(found.status, 200);
    assert.equal(wav.toString('latin1', 0, 4), 'RIFF');
    assert.equal(wav.readUInt32LE(24), 8000);
    assert.ok(Math.abs((wav.length - 44) / 16 - finished!.durationMs) < 100);
    for (const name of [`${NOBODY}.wav`, '..%2f..%2fdemo.json', '../demo.json'])
      assert.equal((await fetch(`${http}/recordings/${name}`, { headers })).status, 404);
  });

  it('/ready lists what a call needs, and says 503 without it', async () => {
    const http = `http://127.0.0.1:${scene.platform.httpPort}/ready`;
    const ready = await fetch(http);
    const body = await ready.text();
    assert.equal(ready.status, 200);
    for (const name of ['flow-engine', 'media', 'notifier', 'sip-edge']) assert.ok(body.includes(name), body);
    for (const name of scene.platform.named('notifier')) scene.platform.kill(name, 'SIGSTOP');
    try {
      const without = await fetch(http);
      assert.equal(without.status, 503);
      assert.match(await without.text(), /notifier/);
    } finally {
      for (const name of scene.platform.named('notifier')) scene.platform.kill(name, 'SIGCONT');
    }
    for (const end = Date.now() + 20_000; !(await scene.platform.ready()); await new Promise((r) => setTimeout(r, 50)))
      assert.ok(Date.now() < end, 'it is ready again');
  });

  describe('npm run call', { concurrency: 2 }, () => {
    /** @returns its exit code and what it printed */
    const run = (...args: string[]) => tool('call', ...args);
    /** The platform's ports are not told: its home says them. */
    function tool(...args: string[]): Promise<{ code: number; text: string }> {
      const env = { ...process.env, OPENTACT_HOME: scene.platform.home };
      return new Promise((done) =>
        execFile(
          process.execPath,
          [join(ROOT, 'services/standalone/src/entry.mjs'), ...args],
          { env, timeout: 60_000 },
          (error, out, err) => done({ code: error ? Number(error.code ?? -1) : 0, text: out + err }),
        ),
      );
    }
    const file = (name: string, xml: string) => {
      const path = join(scene.platform.home, name);
      writeFileSync(path, xml);
      return path;
    };

    it('ends 0 for a call that ended normally, with its story', async () => {
      const document = file(
        'ok.xml',
        '<Response><Gather><Say>Press one.</Say><Switch><Case dtmf="1"><Say>One.</Say></Case></Switch></Gather></Response>',
      );
      const { code, text } = await run('--document', document, '--press', '1', '--sip');
      assert.equal(code, 0, text);
      assert.match(text, /Ended: document-end \(owner: document\)/);
      assert.match(text, /Gather\[0\].*entered 1/);
      assert.match(text, /INVITE sip:/);
      assert.doesNotMatch(text, /PlayRequested/);
      const whole = await run('--document', document, '--press', '1', '--verbose');
      assert.equal(whole.code, 0, whole.text);
      assert.match(whole.text, /PlayRequested/);
    });

    it('finds the platform by its home, and so do flow, example and env', async () => {
      const { home, sipPort, httpPort, grpcPort, token } = scene.platform;
      const call = await scene.dial('<Response><Hangup/></Response>');
      await scene.platform.ended(call.platformCallId);
      const story = await tool('flow', 'replay', call.platformCallId);
      assert.equal(story.code, 0, story.text);
      assert.match(story.text, /CallEnded/);
      const { code, text } = await tool('env');
      assert.equal(code, 0, text);
      const { apiKey, accountId } = JSON.parse(readFileSync(join(home, 'demo.json'), 'utf8'));
      const script =
        'eval "$TOLD"; echo $OPENTACT_SIP_PORT $OPENTACT_URL $OPENTACT_GRPC $OPENTACT_ACCOUNT $OPENTACT_API_KEY $OPENTACT_GRPC_TOKEN';
      const shell = execFileSync('sh', ['-c', script], { env: { TOLD: text }, encoding: 'utf8' });
      assert.equal(
        shell.trim(),
        `${sipPort} http://127.0.0.1:${httpPort} 127.0.0.1:${grpcPort} ${accountId} ${apiKey} ${token}`,
      );
      const example = execFileSync(
        process.execPath,
        ['--import', join(ROOT, 'services/standalone/src/at-home.ts'), '-p', 'process.env.OPENTACT_URL'],
        { env: { PATH: process.env.PATH, OPENTACT_HOME: home }, encoding: 'utf8' },
      );
      assert.equal(example.trim(), `http://127.0.0.1:${httpPort}`);
    });

    it('kills the process that serves the call, and says what the caller lost', async () => {
      const document = file(
        'killed.xml',
        '<Response><Say>One moment, please.</Say><Pause length="3000"/><Say>Good bye.</Say></Response>',
      );
      const { code, text } = await run('--document', document, '--kill', 'media');
      assert.equal(code, 0, text);
      const [, name, pid] = /^killed (media-\d) \(pid (\d+)\) at VerbStarted$/m.exec(text) ?? [];
      assert.ok(name, text);
      assert.notEqual(scene.platform.pid(name), Number(pid));
      const [, lost] = /^the caller lost (\d+) ms/m.exec(text) ?? [];
      assert.ok(Number(lost) > 20 && Number(lost) < 3_000, text);
      assert.match(text, /^the call went on \(verbs ended behind it: [23]\)$/m);
      assert.equal((await run('--kill', 'phone')).code, 2);
      await scene.platform.whole();
    });

    it('ends 1 for a call that nobody answers, or that failed at the customer’s server', async () => {
      assert.equal((await run('--to', '19995550000')).code, 1);
      const failing = file('failing.xml', '<Response><Redirect url="http://127.0.0.2/"/></Response>');
      const { code, text } = await run('--document', failing);
      assert.equal(code, 1, text);
      assert.match(text, /Failed: refused-address \(owner: customer-server\)/);
    });

    it('ends 1 for a document that can’t be run and 2 for what it does not understand', async () => {
      const broken = file('broken.xml', '<Response><Sya/></Response>');
      const { code, text } = await run('--document', broken);
      assert.equal(code, 1);
      assert.match(text, /line 1, column \d+/);
      assert.equal((await run('--press', 'x')).code, 2);
      assert.equal((await run('--document', '/nowhere.xml')).code, 2);
    });
  });
});
