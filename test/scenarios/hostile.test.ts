/**
 * Customers' servers that fail in every way, callees that may not be reached: each ends in a named
 * event and an outcome with its owner, and a call that runs beside all of it notices nothing.
 */
import assert from 'node:assert/strict';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { after, before, describe, it } from 'node:test';
import type { PhoneCall } from '@opentact/phone';
import type { CallEvent } from '@opentact/proto';
import type { Reply } from '../kit/customer.ts';
import { freePorts } from '../kit/ports.ts';
import { all, openScene, outcome, type Scene, verbs } from '../kit/scene.ts';

const GAP_MAX_MS = 100;

const loop = monitorEventLoopDelay({ resolution: 10 });
let scene: Scene;
let bystander: PhoneCall;

const nested = (depth: number) => `${'<Gather>'.repeat(depth - 2)}<Say>deep</Say>${'</Gather>'.repeat(depth - 2)}`;
const padded = (bytes: number) => {
  const [head, tail] = ['<Response><!--', '--><Say>Large.</Say></Response>'];
  return head + 'x'.repeat(bytes - head.length - tail.length) + tail;
};
const elsewhere =
  (location: string): Reply =>
  (response) =>
    void response.writeHead(302, { location }).end();

type Case = { name: string; reply: Reply; reason: string; detail?: RegExp; status?: number };
/** What the server does, and how the story calls it. */
const SERVERS: Case[] = [
  { name: 'never answers', reply: () => undefined, reason: 'timeout' },
  {
    name: 'drips its answer byte by byte',
    reply: (response) => {
      response.writeHead(200, { 'content-type': 'application/xml' });
      const drip = setInterval(() => response.write('<'), 500);
      response.on('close', () => clearInterval(drip));
    },
    reason: 'timeout',
  },
  { name: 'answers 500', reply: 500, reason: 'http', status: 500 },
  { name: 'answers 404', reply: 404, reason: 'http', status: 404 },
  { name: 'breaks the connection', reply: (response) => void response.destroy(), reason: 'connect' },
  { name: 'redirects to 127.0.0.2', reply: elsewhere('http://127.0.0.2:8080/'), reason: 'refused-address' },
  { name: 'redirects to [::1]', reply: elsewhere('http://[::1]:8080/'), reason: 'refused-address' },
  { name: 'redirects to a cloud’s metadata', reply: elsewhere('http://169.254.169.254/'), reason: 'refused-address' },
  { name: 'redirects to a file', reply: elsewhere('file:///etc/passwd'), reason: 'bad-url' },
  { name: 'redirects to itself for ever', reply: elsewhere('?'), reason: 'redirects' },
  { name: 'answers one byte too much', reply: padded(64 * 1024 + 1), reason: 'too-large' },
];

/** What the server answers, and what is wrong with it. */
const DOCUMENTS: Array<{ name: string; reply: string; reason: RegExp }> = [
  {
    name: 'HTML',
    reply: '<!doctype html><html><body>It works!</body></html>',
    reason: /document types and entity declarations/,
  },
  { name: 'HTML without a doctype', reply: '<html><body>It works!</body></html>', reason: /html/i },
  { name: 'text', reply: 'It works!', reason: /./ },
  { name: 'XML cut short', reply: '<Response><Say>Hello</Say>', reason: /Response/ },
  {
    name: 'an entity bomb',
    reply:
      '<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]><Response><Say>&c;</Say></Response>',
    reason: /document types and entity declarations/,
  },
  { name: '33 levels', reply: `<Response>${nested(33)}</Response>`, reason: /32|deep|level/i },
  {
    name: '2,001 elements',
    reply: `<Response>${'<Pause/>'.repeat(2000)}</Response>`,
    reason: /2,?000|elements/i,
  },
];

describe('hostile', { concurrency: 6, timeout: 150_000 }, () => {
  before(
    async () => {
      scene = await openScene();
      loop.enable();
      bystander = await scene.dial('<Response><Say loop="0">Nothing of all this is heard here.</Say></Response>');
    },
    { timeout: 90_000 },
  );
  after(async () => {
    await scene?.close();
  });

  /** The document of a call comes from there, and nothing else could be run. */
  async function redirected(url: string): Promise<CallEvent[]> {
    // A document that fails at once may fail before the answer: 480 instead of BYE, the same story.
    const call = await scene.ring(`<Response><Redirect url="${url}"/></Response>`);
    return scene.platform.ended(call.platformCallId, 30_000);
  }

  for (const [i, { name, reply, reason, status }] of SERVERS.entries())
    it(`a customer’s server that ${name}: ${reason}`, async () => {
      scene.customer.on(`/server-${i}`, reply);
      const story = await redirected(`${scene.customer.url}/server-${i}`);
      const [failed] = all(story, 'DocumentFailed');
      assert.equal(failed?.reason, reason, failed?.detail);
      if (status !== undefined) assert.equal(failed.status, status);
      assert.equal(outcome(story), `customer-server: ${reason}`);
    });

  for (const [i, { name, reply, reason }] of DOCUMENTS.entries())
    it(`a customer’s server answers with ${name}: the document is rejected, with line and reason`, async () => {
      scene.customer.on(`/document-${i}`, reply);
      const story = await redirected(`${scene.customer.url}/document-${i}`);
      const [rejected] = all(story, 'DocumentRejected');
      assert.match(rejected?.reason ?? '', reason);
      assert.ok(rejected!.line >= 1 && rejected!.column >= 1, `${rejected!.line}:${rejected!.column}`);
      assert.equal(outcome(story), 'customer-server: document-rejected');
    });

  it('nobody listens where the document should be: connect', async () => {
    const [port] = await freePorts(1);
    assert.equal(outcome(await redirected(`http://127.0.0.1:${port}/`)), 'customer-server: connect');
  });

  it('a callback to a private address runs its Error, and the flow goes on', async () => {
    const call = await scene.dial(
      '<Response><Callback url="http://127.0.0.2/"><Error><Say>Sorry.</Say></Error></Callback><Say>On.</Say></Response>',
    );
    const story = await scene.platform.ended(call.platformCallId);
    assert.deepEqual(verbs(story), [
      'Callback[0] refused-address',
      'Callback[0].Error[0].Say[0] finished',
      'Say[0] finished',
    ]);
    assert.equal(outcome(story), 'document: document-end');
  });

  it('a Dial to an address that may not be reached fails at once', async () => {
    const call = await scene.dial(
      '<Response><Dial><Sip>x@127.0.0.2:5060</Sip><Error><Say>Refused.</Say></Error></Dial></Response>',
    );
    const story = await scene.platform.ended(call.platformCallId);
    assert.deepEqual(
      all(story, 'DialFailed').map((e) => e.reason),
      ['refused-address'],
    );
    assert.deepEqual(verbs(story), ['Dial[0] refused-address', 'Dial[0].Error[0].Say[0] finished']);
  });

  it('a Dial to nobody ends at its time-out', async () => {
    const [port] = await freePorts(1);
    const call = await scene.dial(
      `<Response><Dial timeout="2000"><Sip>x@127.0.0.1:${port}</Sip></Dial><Say>Nobody.</Say></Response>`,
    );
    const story = await scene.platform.ended(call.platformCallId, 45_000);
    assert.match(verbs(story)[0]!, /^Dial\[0\] (no-answer|unreachable)$/);
    assert.equal(verbs(story)[1], 'Say[0] finished');
    assert.equal(outcome(story), 'document: document-end');
  });

  it('a number without a trunk has no route', async () => {
    const call = await scene.dial('<Response><Dial><Number>12025550123</Number></Dial></Response>');
    const story = await scene.platform.ended(call.platformCallId);
    assert.deepEqual(
      all(story, 'DialFailed').map((e) => `${e.reason} ${e.q850}`),
      ['no-route 3'],
    );
  });
});

describe('beside all of it', () => {
  it('another call noticed nothing', () => {
    assert.equal(bystander.state, 'answered');
    const { longestGapMs, packets, firstPacketMs, lastPacketMs } = bystander.peer.heard;
    // What this process itself overslept on a busy machine is no pause of the platform's.
    const oversleptMs = loop.max / 1e6;
    // A packet comes each 20 ms, for as long as all of it took.
    const owed = (performance.now() - firstPacketMs) / 20;
    assert.ok(
      packets > owed * 0.5 && performance.now() - lastPacketMs < GAP_MAX_MS + oversleptMs,
      `${packets} packets of ${Math.round(owed)}`,
    );
    assert.ok(
      longestGapMs < GAP_MAX_MS + oversleptMs,
      `${Math.round(longestGapMs)} ms in ${packets} packets, of which we overslept ${Math.round(oversleptMs)} ms`,
    );
  });
});
