import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type CallEvent, type Fact, readStoryFile } from '@opentact/proto';
import type { PublicCall } from '@opentact/proto/call-view';
import { project } from './project.ts';
import type { PublicEvent } from './public-event.ts';

const CALLS = fileURLToPath(new URL('../../../../test/replay/calls/', import.meta.url));

function tell(events: CallEvent[]): { told: PublicEvent[]; call: PublicCall | undefined } {
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
  return readStoryFile(readFileSync(`${CALLS}${name}.story`, 'utf8')).events;
}

const CALL = '00000000-0000-8000-8000-000000000000';
const written = (...facts: Fact[]): CallEvent[] =>
  facts.map((fact, n) => ({ ...fact, callId: CALL, seq: n + 1, at: 1_700_000_000_000 + n * 1000 }) as CallEvent);

const inWords = ({ type, call, payload }: PublicEvent) =>
  type === 'call_flow'
    ? `${payload.path || payload.command} ${payload.success ? 'done' : payload.reason}`
    : type === 'call_state'
      ? `${call.direction} ${payload.state}`
      : type;

test('a caller who is connected to somebody: the states of both, the verbs between them', () => {
  const { told, call } = tell(storyOf('seed-key-2'));
  assert.deepEqual(told.map(inWords), [
    'in init',
    'in live',
    'Answer done',
    'Say[0] done',
    'call_record',
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

test('that a call is answered is told once: by its own verb where one is written, else before the first verb that runs', () => {
  const words = (...facts: Array<{ type: string } & Record<string, unknown>>) =>
    tell(written(...([storyOf('seed-hangup')[0], { type: 'LegAnswered', leg: 0 }, ...facts] as Fact[]))).told.map(
      inWords,
    );
  const verb = (type: string, name: string) => ({
    type,
    name,
    path: `${name}[0]`,
    document: 1,
    success: true,
    reason: '',
    tag: 'mine',
  });
  const ended = { type: 'CallEnded', owner: 'us', reason: 'x', q850: 16 };
  assert.deepEqual(words(verb('VerbStarted', 'Answer'), verb('VerbEnded', 'Answer'), verb('VerbStarted', 'Say')), [
    'in init',
    'in live',
    'Answer[0] done',
  ]);
  assert.deepEqual(words(verb('VerbStarted', 'Say'), verb('VerbStarted', 'Answer')), [
    'in init',
    'in live',
    'Answer done',
  ]);
  assert.deepEqual(words(ended), ['in init', 'in live', 'Answer done', 'in hangup', 'in destroyed']);
});

test('a leg that was refused is told as failed, and why; one that was answered or given up only why', () => {
  const { told } = tell(storyOf('seed-key-2-busy'));
  const ends = told.filter(({ payload }) => payload.state === 'hangup');
  assert.deepEqual(
    ends.map(({ call, payload }) => [call.direction, payload.status, payload.reason]),
    [
      ['out', 'failed', 'busy'],
      ['in', undefined, 'hangup'],
    ],
  );
  const [arrived] = storyOf('seed-hangup');
  const cancelled = written(
    arrived as Fact,
    { type: 'CallEnded', owner: 'caller', reason: 'cancelled', q850: 16 } as Fact,
  );
  assert.deepEqual(tell(cancelled).told.at(-1)!.payload.status, undefined);
  const refused = written(arrived as Fact, { type: 'CallEnded', owner: 'us', reason: 'balance', q850: 21 } as Fact);
  assert.deepEqual(
    tell(refused)
      .told.slice(1)
      .map(({ payload }) => [payload.status, payload.reason]),
    [
      ['failed', 'balance'],
      ['failed', 'balance'],
    ],
  );
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

const MEDIA = { node: 'media-1', boot: 'b' };
const OTHER = { node: 'media-2', boot: 'b' };
const fromMedia = { source: 'media-1', boot: 'b', n: 9 };
const id = (n: number) => `00000000-0000-8000-8000-00000000010${n}`;
const limits = { tag: '', maxMs: 0, silenceMs: 0, stopKeys: '', both: false, asr: false };
/** A call that is recorded, twice over, until the caller hangs up; `after` is what the engine hears of it then, from seq 10 on. */
const recordedUntilHangUp = (...after: Array<Fact & { from?: object; to?: object }>) =>
  written(
    arrival,
    { type: 'SessionRequested', leg: 0, offer: '', sdpId: 1, sdpVersion: 1, to: MEDIA } as Fact,
    { type: 'LegAnswered', requestId: 0, leg: 0, sdp: '', dialog: undefined },
    { type: 'RecordRequested', leg: 0, recordingId: id(1), ...limits, to: MEDIA } as Fact,
    { type: 'DialRequested', leg: 1, target: 'sip:+4930@h', accountId: '', fromUser: '+1', sdp: '' },
    { type: 'LegAnswered', requestId: 0, leg: 1, sdp: '', dialog: undefined },
    { type: 'BridgeRequested', legA: 0, legB: 1, recordingId: id(2), to: MEDIA } as Fact,
    { type: 'LegEnded', leg: 0, by: 'peer', status: 0, q850: 16, reason: 'bye' },
    { type: 'CallEnded', owner: 'caller', reason: 'bye', q850: 16, durationMs: 5000 },
    ...after,
  );
const release = { type: 'ReleaseRequested', leg: 0, to: MEDIA } as Fact;
const finished = (requestId: number, n: number, over: object = {}): Fact => {
  const made = { type: 'RecordFinished', requestId, recordingId: id(n), durationMs: 4000, reason: 'released' } as const;
  return { ...made, ...over };
};
const lastOf = ({ told }: ReturnType<typeof tell>) => {
  const { call, payload, seq } = told.at(-1)!;
  return { said: `${call.direction} ${payload.state}`, seq, records: (call.records as unknown[]).length };
};

test('a recording that the hang-up ends is told of with the call’s end', () => {
  const released: Fact = { type: 'SessionReleased', requestId: 10, leg: 0 };
  const late: Fact = { type: 'LegEnded', leg: 1, by: 'us', status: 0, q850: 16, reason: 'late' };
  const bridgeEnded: Fact = { type: 'BridgeEnded', requestId: 7, reason: 'released' };
  const all = tell(recordedUntilHangUp(release, late, finished(7, 2), bridgeEnded, finished(4, 1), released));
  assert.deepEqual(all.told.map(inWords).slice(-5), [
    'out hangup',
    'out destroyed',
    'call_record',
    'call_record',
    'in destroyed',
  ]);
  assert.deepEqual(lastOf(all), { said: 'in destroyed', seq: 14, records: 2 });
  assert.deepEqual([all.told.at(-1)!.payload.duration, all.call], [5, undefined]);
});

test('a call is forgotten in the end, whatever becomes of its recordings', () => {
  const failed: Fact = { type: 'RecordFailed', requestId: 4, reason: 'disk' };
  const ends: Array<[string, Fact[], number]> = [
    ['released without a word', [release, { type: 'SessionReleased', requestId: 10, leg: 0 }], 11],
    ['never released', [release, finished(7, 2), { type: 'RequestFailed', requestId: 10, reason: 'lost' }], 12],
    ['one of them failed', [release, failed, finished(7, 2)], 12],
    ['the node was lost', [release, { type: 'NodeLost', kind: 'media', ...MEDIA, recover: true }], 11],
    ['the engine ended it again', [{ type: 'CallEnded', owner: 'us', reason: 'fault', q850: 41, durationMs: 0 }], 10],
    // What another node says of them ends nothing here.
    ['another’s words', [release, { ...failed, from: { ...fromMedia, source: 'x' } } as Fact, finished(7, 2)], 0],
  ];
  for (const [name, after, seq] of ends) {
    const { told, call } = tell(recordedUntilHangUp(...after));
    const isOver = told.at(-1)!.payload.state === 'destroyed' && told.at(-1)!.call.direction === 'in';
    assert.deepEqual([isOver ? told.at(-1)!.seq : 0, call === undefined], [seq, seq > 0], name);
  }
});

test('nothing is waited for where no node records', () => {
  const lost: Fact = { type: 'NodeLost', kind: 'media', ...MEDIA, recover: true };
  const untilLost = recordedUntilHangUp().slice(0, 7);
  const then = (...facts: Fact[]) =>
    tell(written(...untilLost, lost, { type: 'ReleaseRequested', leg: 0, to: MEDIA } as Fact, ...facts));
  const ended: Fact = { type: 'CallEnded', owner: 'us', reason: 'fault', q850: 41, durationMs: 0 };
  assert.deepEqual(lastOf(then(ended)), { said: 'in destroyed', seq: 10, records: 0 });
  // Asked of another node: that one is waited for.
  const again = { type: 'SessionRequested', leg: 0, offer: '', sdpId: 1, sdpVersion: 2, to: OTHER } as Fact;
  const given: Fact[] = [again, ended, { type: 'ReleaseRequested', leg: 0, to: OTHER } as Fact];
  assert.equal(then(...given).call?.isOver, true);
  const told = then(...given, finished(4, 1), finished(7, 2));
  assert.deepEqual(lastOf(told), { said: 'in destroyed', seq: 14, records: 2 });
});

test('a call begins once: an INVITE heard again by another edge begins nothing', () => {
  const story = written(arrival, { type: 'LegAnswered', requestId: 0, leg: 0, sdp: '', dialog: undefined }, arrival);
  const { told, call } = tell(story);
  assert.deepEqual(told.map(inWords), ['in init', 'in live']);
  assert.equal(call?.legs[0]?.state, 'live');
  const ended: Fact = { type: 'CallEnded', owner: 'us', reason: 'bye', q850: 16, durationMs: 0 };
  const after = tell(written(arrival, ended, arrival));
  assert.deepEqual([after.told.map(inWords), after.call], [['in init', 'in hangup', 'in destroyed'], undefined]);
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

test('a call that runs verb after verb has its lists told so often and no more, and its end tells them again', () => {
  const [begin, ...others] = storyOf('seed-key-2');
  const verb = others.find((e) => e.type === 'VerbEnded')!;
  const hung = others.slice(others.findIndex((e) => e.type === 'HangupRequested'));
  const many = Array.from({ length: 2_000 }, () => verb);
  const { told } = tell([begin!, ...many, ...hung]);
  const flows = told.filter(({ type }) => type === 'call_flow');
  const sizeOf = (one: PublicEvent) => JSON.stringify(one).length;
  assert.equal(flows.length, 2_001); // with its Hangup
  assert.ok(sizeOf(flows[100]!) > 3_000 && sizeOf(flows[1_000]!) < 2_500, `${sizeOf(flows[1_000]!)}`);
  assert.equal((flows[1_000]!.call.logs as unknown[]).length, 0);
  assert.equal((told.at(-1)!.call.logs as unknown[]).length, 20);
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

const asked = { ...limits, tag: 'order', asr: true };
const spoken = (recordingId: string): Fact => ({
  type: 'TranscriptReady',
  requestId: 6,
  recordingId,
  text: 'two pizzas',
});
const wanted = { type: 'TranscriptRequested', recordingId: id(1), tag: 'order', lang: 'en-US' } as const;
const hungUp: Fact = { type: 'CallEnded', owner: 'caller', reason: 'bye', q850: 16, durationMs: 5000 };
const recorded: Fact[] = [
  arrival,
  { type: 'RecordRequested', leg: 0, recordingId: id(1), ...asked, to: MEDIA } as Fact,
];

test('a recording is told of with its tag and where it lies, and its words when they are known', () => {
  const { told } = tell(
    written(...recorded, finished(2, 1, { from: fromMedia }), { ...wanted, to: MEDIA } as Fact, spoken(id(1))),
  );
  assert.deepEqual(told.map(inWords), ['in init', 'call_record', 'call_transcript']);
  const [, record, transcript] = told;
  assert.deepEqual(record!.payload, {
    uuid: id(1),
    call: CALL,
    tag: 'order',
    url: `/recordings/${id(1)}.wav`,
    format: 'wav',
    duration: 4,
    created_on: new Date(record!.at).toISOString(),
    asr: true,
  });
  assert.equal(record!.message, 'CallSCA in 12125550199 > 18005550100 - record available');
  assert.deepEqual(transcript!.payload, { record: id(1), call: CALL, tag: 'order', lang: 'en-US', text: 'two pizzas' });
  assert.equal((record!.call.records as unknown[]).length, 1);
});

test('a recording of which a lost node tells, or of which is told again, is told of once', () => {
  const late = finished(2, 1, { durationMs: 1, from: { ...fromMedia, source: 'media-2' } });
  const { told } = tell(written(...recorded, late, finished(2, 1), finished(2, 1)));
  assert.deepEqual(told.map(inWords), ['in init', 'call_record']);
  assert.equal(told[1]!.payload.duration, 4);
});

test('the words of a recording that the hang-up ended are waited for, and the call’s end is told after them', () => {
  const ended = [...recorded, hungUp, finished(2, 1), wanted];
  const waiting = tell(written(...ended));
  assert.deepEqual(waiting.told.map(inWords), ['in init', 'in hangup', 'call_record']);
  assert.equal(waiting.call?.isOver, true);
  const lost: Fact = { type: 'NodeLost', kind: 'media', ...MEDIA, recover: true };
  assert.deepEqual(tell(written(...ended, lost)).told.length, 3);
  const ends: Array<[Fact, string[]]> = [
    [spoken(id(1)), ['call_transcript', 'in destroyed']],
    [{ type: 'TranscriptFailed', requestId: 5, recordingId: id(1), reason: 'timeout' }, ['in destroyed']],
    [{ type: 'NodeUnavailable', requestId: 6, kind: 'media' }, ['in destroyed']],
    [hungUp, ['in destroyed']],
  ];
  for (const [end, words] of ends) {
    const { told, call } = tell(written(...ended, end));
    assert.deepEqual(told.map(inWords).slice(3), words, end.type);
    assert.equal(call, undefined);
  }
  // Nothing was said that could have words.
  const silent = finished(2, 1, { durationMs: 0 });
  assert.deepEqual(
    tell(written(...recorded, hungUp, silent))
      .told.map(inWords)
      .slice(-2),
    ['call_record', 'in destroyed'],
  );
});

test('a command is told as it was parsed', () => {
  const ended = {
    ...{ document: 1, path: 'Say[0]', name: 'Say', tag: '', branch: '', skip: 0 },
    success: true,
    reason: '',
  };
  const { told } = tell(written(arrival, { type: 'VerbEnded', ...ended, element: '{"name":"Say","text":"Hi."}' }));
  assert.deepEqual(told[1]!.callFlow!.element, { name: 'Say', text: 'Hi.' });
});

test('a prompt of a Gather is told of like any verb, though nothing told of its beginning', () => {
  const prompt = { document: 1, path: 'Gather[0].Say[0]', name: 'Say', tag: 'ask', branch: '', skip: 0 };
  const { told } = tell(written(arrival, { type: 'VerbEnded', ...prompt, success: true, reason: 'finished' }));
  const { payload, callFlow, call } = told[1]!;
  const command = { name: 'Say', path: 'Gather[0].Say[0]', success: true, reason: 'finished', tag: 'ask', document: 1 };
  assert.deepEqual(payload, { command: 'Say', ...command });
  assert.deepEqual([callFlow!.state, callFlow!.element], ['success', null]);
  assert.equal((call.logs as Array<{ path: string }>)[0]!.path, 'Gather[0].Say[0]');
});
