import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type CallEvent, type Fact, readEvent } from '@opentact/proto';
import { project, type Told } from './project.ts';
import type { PublicCall } from './public-call.ts';

const CALLS = fileURLToPath(new URL('../../../../test/replay/calls/', import.meta.url));

function tell(events: CallEvent[]): { told: Told[]; call: PublicCall | undefined } {
  let call: PublicCall | undefined;
  const told = events.flatMap((event) => {
    // What lies in a snapshot is JSON: a fold must not notice.
    const projected = project(call && JSON.parse(JSON.stringify(call)), event);
    call = projected.call;
    return projected.told;
  });
  return { told, call };
}

function storyOf(name: string): CallEvent[] {
  const [, ...lines] = readFileSync(`${CALLS}${name}.story`, 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const [bytes, schema] = line.split(' ').reverse();
    return readEvent(Buffer.from(bytes!, 'base64'), schema);
  });
}

const CALL = '00000000-0000-8000-8000-000000000000';
const written = (...facts: Fact[]): CallEvent[] =>
  facts.map((fact, n) => ({ ...fact, callId: CALL, seq: n + 1, at: 1_700_000_000_000 + n * 1000 }) as CallEvent);

const inWords = ({ type, call, payload }: Told) =>
  type === 'call_flow'
    ? `${payload.path} ${payload.success ? 'done' : payload.reason}`
    : `${call.direction} ${payload.state}`;

test('a caller who is connected to somebody: the states of both, the verbs between them', () => {
  const { told, call } = tell(storyOf('seed-key-2'));
  assert.deepEqual(told.map(inWords), [
    'in init',
    'in live',
    'Say[0] done',
    'Record[0] done',
    'Gather[0] done',
    'Gather[0].Case[1].Say[0] done',
    'out init',
    'out ringing',
    'out live',
    'in bridged',
    'out bridged',
    'out hangup',
    'out destroyed',
    'Gather[0].Case[1].Dial[0] done',
    'Hangup[0] done',
    'in hangup',
    'in destroyed',
  ]);
  assert.equal(call, undefined);
});

test('a busy callee is a leg that ends with its cause and a verb that failed', () => {
  const { told } = tell(storyOf('seed-key-2-busy'));
  const dial = told.find(({ payload }) => payload.command === 'Dial')!;
  assert.equal(dial.message, 'Dial success: false, reason: busy, path: Gather[0].Case[1].Dial[0]');
  assert.deepEqual([dial.callFlow?.state, dial.callFlow?.name], ['failed', 'Dial']);
  const ended = told.find(({ call, payload }) => call.direction === 'out' && payload.state === 'hangup')!.call;
  assert.deepEqual([ended.q850_cause, ended.q850_cause_string], [17, 'USER_BUSY']);
  assert.equal((ended.parent as { uuid: string }).uuid, CALL);
  assert.equal(ended.uuid, '00000000-0000-8000-8000-000000000001');
});

test('the call object says who, when and how long, and lists what was done', () => {
  const { told } = tell(storyOf('seed-key-2'));
  const last = told.at(-1)!.call as Record<string, never>;
  assert.equal(told[0]!.message, 'CallSCA in 12125550199 > 18005550100 - init');
  assert.deepEqual([last.type, last.state, last.duration, last.q850_cause], ['CallSCA', 'destroyed', 20, 16]);
  for (const time of ['init_on', 'answer_on', 'hangup_on', 'destroy_on', 'finished_on'])
    assert.match(last[time]!, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, time);
  assert.equal(last.ring_on, null);
  assert.deepEqual(
    (last.logs as unknown as Array<{ path: string }>).map(({ path }) => path),
    ['Say[0]', 'Record[0]', 'Gather[0]', 'Gather[0].Case[1].Say[0]', 'Gather[0].Case[1].Dial[0]', 'Hangup[0]'],
  );
  assert.deepEqual(
    (last.records as unknown as Array<{ duration: number }>).map(({ duration }) => duration),
    [5],
  );
  assert.equal((last.children as unknown as unknown[]).length, 1);
});

const arrival = storyOf('seed-hangup')[0]!;

test('legs that are still up when the call is over end with it, the caller’s last', () => {
  const { told } = tell(
    written(
      arrival,
      { type: 'DialRequested', leg: 1, target: 'sip:+4930@h', accountId: '', fromUser: '+1', sdp: '' },
      { type: 'CallEnded', owner: 'us', reason: 'fault', q850: 41, durationMs: 0 },
      { type: 'LegEnded', leg: 1, by: 'us', status: 0, q850: 16, reason: 'late' },
    ),
  );
  assert.deepEqual(told.map(inWords), [
    'in init',
    'out init',
    'out hangup',
    'out destroyed',
    'in hangup',
    'in destroyed',
  ]);
  assert.deepEqual([told[1]!.call.from, told[1]!.call.to], ['+1', '4930']);
});

test('what happens twice after losses is told once, and what is out of its order not at all', () => {
  const { told } = tell(
    written(
      arrival,
      { type: 'BridgeRequested', legA: 0, legB: 1, recordingId: '' },
      { type: 'LegAnswered', requestId: 0, leg: 0, sdp: '', dialog: undefined },
      { type: 'LegRang', requestId: 0, leg: 0, status: 180 },
      { type: 'LegAnswered', requestId: 0, leg: 0, sdp: '', dialog: undefined },
      { type: 'BridgeStarted', requestId: 2 },
      { type: 'BridgeStarted', requestId: 2 },
      { type: 'LegEnded', leg: 7, by: 'peer', status: 0, q850: 16, reason: 'bye' },
    ),
  );
  assert.deepEqual(told.map(inWords), ['in init', 'in live', 'in bridged']);
});

test('of a call whose beginning was not read nothing is told', () => {
  assert.deepEqual(tell(storyOf('seed-key-2').slice(1)), { told: [], call: undefined });
});

test('a call that goes on for ever is remembered in little', () => {
  const verb = { document: 1, path: `Say[0]${'x'.repeat(50_000)}`, name: 'Say', tag: 'x'.repeat(60_000) };
  const ended = { ...verb, type: 'VerbEnded', success: true, reason: 'finished', branch: '', skip: 0 } as const;
  const legs = Array.from({ length: 500 }, (_, n): Fact[] => [
    { type: 'DialRequested', leg: n + 1, target: 'sip:a@h', accountId: '', fromUser: '', sdp: '' },
    { type: 'DialFailed', requestId: 0, leg: n + 1, status: 486, q850: 17, reason: 'busy' },
    { type: 'VerbStarted', ...verb, path: `Say[${n}]` },
    ended,
  ]).flat();
  const { call, told } = tell(written(arrival, ...legs));
  assert.ok(JSON.stringify(call).length < 40_000, `${JSON.stringify(call).length} bytes`);
  assert.ok(Math.max(...told.map((one) => JSON.stringify(one).length)) < 100_000);
});
