/**
 * What an outside reader finds in `events.public` of a platform that runs: the states and verbs of a call in their order,
 * each once, also where the notifier that writes them is killed.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type EventLog, postgresLog } from '@opentact/event-log';
import { partitionOf } from '@opentact/runtime';
import { environmentOf } from '../kit/environment.ts';
import { openScene, type Scene } from '../kit/scene.ts';

const TOPIC = 'events.public';

type Envelope = {
  uuid: string;
  type: string;
  payload: {
    state?: string;
    path?: string;
    command?: string;
    success?: boolean;
    url?: string;
    tag?: string;
    format?: string;
  };
  call: { uuid: string; direction: string; parent: { uuid: string } | null };
  account: { uuid: string };
  call_flow?: { element: { name: string } | null };
};

let scene: Scene;
let log: EventLog;

/** All events of a call, a moment after its last one: a second telling would be among them. */
async function told(callId: string): Promise<Envelope[]> {
  const signal = AbortSignal.timeout(15_000);
  for await (const { key, bytes } of log.follow(TOPIC, partitionOf(callId, log.partitions), 0, signal)) {
    const { call, payload }: Envelope = JSON.parse(Buffer.from(bytes).toString());
    if (key === callId && call.uuid === callId && payload.state === 'destroyed') break;
  }
  await new Promise((later) => setTimeout(later, 300));
  const events: Envelope[] = [];
  for await (const { bytes } of log.readKey(TOPIC, callId)) events.push(JSON.parse(Buffer.from(bytes).toString()));
  return events;
}

const inWords = ({ type, payload, call }: Envelope) =>
  type === 'call_flow'
    ? `${payload.path || payload.command} ${payload.success}`
    : type === 'call_state'
      ? `${call.direction} ${payload.state}`
      : `${type} ${payload.tag}`;

describe('what customers are told', { timeout: 120_000 }, () => {
  before(
    async () => {
      scene = await openScene();
      await scene.platform.whole();
      log = await postgresLog({ url: environmentOf(scene.platform, 'notifier-1', 'DATABASE_URL'), retainDays: 30 });
    },
    { timeout: 90_000 },
  );
  after(async () => {
    await log?.close();
    await scene?.close();
  });

  it('a call that is connected to somebody is told leg by leg and verb by verb', async () => {
    const dial = `<Dial><Sip>bob@127.0.0.1:${scene.callee.port}</Sip></Dial>`;
    const call = await scene.dial(`<Response><Say>Hello.</Say>${dial}</Response>`);
    await scene.platform.until(call.platformCallId, (e) => e.type === 'BridgeStarted');
    await call.hangup();
    const events = await told(call.platformCallId);
    assert.deepEqual(events.map(inWords), [
      'in init',
      'in live',
      'Answer true',
      'Say[0] true',
      'out init',
      'out ringing',
      'out live',
      'in bridged',
      'out bridged',
      'in hangup',
      'out hangup',
      'out destroyed',
      'in destroyed',
    ]);
    assert.equal(new Set(events.map(({ uuid }) => uuid)).size, events.length);
    const legs = events.filter(({ call: { direction } }) => direction === 'out');
    assert.ok(legs.every((e) => e.call.parent?.uuid === call.platformCallId));
    const accounts = new Set(events.map(({ account }) => account.uuid));
    assert.ok(accounts.size === 1 && !accounts.has(''), [...accounts].join());
  });

  it('a recording is told of, with its tag and where it can be fetched', async () => {
    const call = await scene.dial('<Response><Record tag="order"/><Gather><Say>Press.</Say></Gather></Response>');
    await scene.platform.until(call.platformCallId, (e) => e.type === 'RecordRequested');
    await new Promise((later) => setTimeout(later, 300));
    await call.peer.press('#');
    await scene.platform.until(call.platformCallId, (e) => e.type === 'VerbStarted' && e.name === 'Gather');
    await call.hangup();
    const events = await told(call.platformCallId);
    assert.deepEqual(events.map(inWords), [
      'in init',
      'in live',
      'Answer true',
      'call_record order',
      'Record[0] true',
      'in hangup',
      'in destroyed',
    ]);
    const [answered, ended] = events.flatMap(({ call_flow: flow }) => (flow ? [flow] : []));
    assert.equal(answered!.element, null, 'no command answered it');
    assert.partialDeepStrictEqual(ended!.element, { name: 'Record', timeout_ms: 60_000 });
    const { url, format } = events[3]!.payload;
    const headers = { authorization: `Bearer ${scene.platform.token}` };
    const fetched = await fetch(`http://127.0.0.1:${scene.platform.httpPort}${url}`, { headers });
    assert.deepEqual([fetched.status, fetched.headers.get('content-type'), format], [200, 'audio/wav', 'wav']);
    await fetched.arrayBuffer();
  });

  it('a call during which both notifiers are killed, one after the other, is told all the same, and once', async () => {
    const call = await scene.dial(
      `<Response>${'<Pause length="400"/>'.repeat(10)}<Gather numDigits="1" timeout="20000"/></Response>`,
    );
    const id = call.platformCallId;
    for (const [n, notifier] of ['notifier-1', 'notifier-2'].entries()) {
      const path = `Pause[${4 * n + 1}]`;
      await scene.platform.until(id, (e) => e.type === 'VerbEnded' && e.path === path);
      scene.platform.kill(notifier);
    }
    await scene.platform.until(id, (e) => e.type === 'VerbStarted' && e.name === 'Gather');
    await call.hangup();
    assert.deepEqual((await told(id)).map(inWords), [
      'in init',
      'in live',
      'Answer true',
      ...Array.from({ length: 10 }, (_, n) => `Pause[${n}] true`),
      'in hangup',
      'in destroyed',
    ]);
  });
});
