/** Say, Play, Pause and Answer: contracts.md, language 1, 2, 8 and 11. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tell } from '../../simulate/tell.ts';
import { parseDocument } from '../../xml/document.ts';

const parse = (verbs: string) => parseDocument(`<Response>${verbs}</Response>`);
const reason = (verbs: string) => {
  const parsed = parse(verbs);
  return parsed.ok ? '' : parsed.reason;
};

test('the content of Say wins over its text', () => {
  assert.deepEqual(tell('<Say text="no">yes</Say>').words, ['yes']);
  assert.deepEqual(tell('<Say text="yes"/>').words, ['yes']);
  assert.match(reason('<Say/>'), /nothing to speak/);
});

test('Say carries voice, gender and language to the speaker', () => {
  const [play] = tell('<Say gender="male" lang="de-DE" code="x">Hallo</Say>').of('PlayRequested');
  assert.deepEqual(play!.items, [{ kind: 'say', value: { text: 'Hallo', voice: 'x', gender: 'MALE', lang: 'de-DE' } }]);
});

test('loop repeats, and loop 0 goes on until the caller hangs up', () => {
  assert.equal(tell('<Say loop="3">again</Say>').of('PlayRequested')[0]!.loop, 3);
  const endless = tell('<Say loop="0">for ever</Say><Say>never</Say>', { hangupAfterMs: 60_000 });
  assert.deepEqual(endless.words, ['for ever']);
  assert.equal(endless.ended, 'caller bye');
});

test('what is heard before the answer is early media, once told with 183; what listens answers; the rest does neither', () => {
  const answered = (verbs: string) => tell(verbs, { autoAnswer: false }).of('AnswerRequested').length;
  const early = tell('<Say>hi</Say><Tone loop="1"/><Answer/><Say>more</Say>', { autoAnswer: false });
  assert.deepEqual(
    early.of('RingRequested').map((e) => e.sdp),
    ['answer'],
  );
  assert.equal(early.of('LegRang')[0]!.status, 183);
  assert.deepEqual(early.words, ['hi', 'tone 440+480 Hz', 'more']);
  assert.equal(early.of('AnswerRequested')[0]!.sdp, 'answer');
  assert.ok(early.of('AnswerRequested')[0]!.seq > early.of('PlayFinished')[1]!.seq);
  assert.equal(answered('<Say>hi</Say>'), 0);
  assert.equal(answered('<Answer/>'), 1);
  for (const listening of ['<Gather/>', '<Record/>', '<RecordStart/>', '<Hold timeout="1"/>'])
    assert.equal(answered(listening), 1, listening);
  for (const silent of ['<Reject/>', '<Hangup/>', '<Callback url="http://a.test/"/>'])
    assert.equal(answered(silent), 0, silent);
});

test('auto_answer answers at once, whatever the document holds', () => {
  for (const quick of [
    '',
    '<Geo><Meta name="a" value="b"/></Geo>',
    '<Call field="to" value="1"><Say>never</Say></Call>',
  ]) {
    const told = tell(quick, { autoAnswer: true });
    assert.equal(told.of('LegAnswered').length, 1, quick);
    assert.equal(told.of('LegEnded')[0]!.reason, 'bye', quick);
  }
  assert.equal(tell('<Callback url="http://a.test/"/>', { autoAnswer: true }).of('AnswerRequested').length, 1);
});

test('Answer waits after answering, before the next verb', () => {
  const [waited] = tell('<Answer delay="700"/><Say>hi</Say>', { autoAnswer: false }).heard;
  assert.ok(waited!.at >= 700 && waited!.at < 800, `${waited!.at}`);
});

test('Pause is in milliseconds and a key may end it', () => {
  const heard = (verbs: string, press?: string[]) => tell(`${verbs}<Say>on</Say>`, press && { press }).heard.at(-1)!.at;
  assert.ok(Math.abs(heard('<Pause length="2500"/>') - 2502) < 10);
  assert.equal(tell('<Pause/>').of('TimerSet').at(-1)!.dueAt - tell('<Pause/>').of('VerbStarted')[0]!.at, 1000);
  const parsed = parse('<Pause length="5"/>');
  assert.match(parsed.ok ? parsed.warnings[0]!.reason : '', /5 milliseconds/);
});

test('Play takes an address as content or attribute, a prompt of the account, or a recording of this call', () => {
  const item = (verbs: string) => tell(verbs).of('PlayRequested').at(-1)!.items[0];
  assert.deepEqual(item('<Play>http://a.test/x.wav</Play>'), { kind: 'url', value: 'http://a.test/x.wav' });
  assert.deepEqual(item('<Play url="http://a.test/x.wav"/>'), { kind: 'url', value: 'http://a.test/x.wav' });
  assert.deepEqual(item('<Play>prompt:hello.wav</Play>'), { kind: 'prompt', value: 'simulated/hello.wav' });
  const replayed = tell('<Record tag="mine"/><Play record="mine"/>');
  assert.deepEqual(replayed.of('PlayRequested')[0]!.items, [
    { kind: 'recording', value: replayed.of('RecordRequested')[0]!.recordingId },
  ]);
  for (const bad of [
    '<Play/>',
    '<Play>file:///etc/passwd</Play>',
    '<Play>prompt:../x.wav</Play>',
    '<Play record="a">http://a.test/</Play>',
  ])
    assert.notEqual(reason(bad), '', bad);
});

test('an Error of its own serves the verb that failed, then the flow goes on', () => {
  const told = tell('<Play record="none"><Error><Say>sorry</Say></Error></Play><Say>on</Say>');
  assert.deepEqual(told.verbs.slice(0, 3), [
    'Play[0] no-recording',
    'Play[0].Error[0].Say[0] finished',
    'Say[0] finished',
  ]);
});

test('an Error at Response level serves the first failure without a nearer one, once, then hangs up', () => {
  const told = tell('<Play record="none"/><Say>never</Say><Error><Say>sorry</Say></Error>');
  assert.deepEqual(told.words, ['sorry']);
  assert.equal(told.ended, 'document document-end');
});

test('without any Error the verb ends failed and the flow goes on', () => {
  assert.deepEqual(tell('<Play record="none"/><Say>on</Say>').words, ['on']);
});

test('after the last verb the platform hangs up', () => {
  assert.equal(tell('<Say>hi</Say>').ended, 'document document-end');
  assert.equal(tell('').ended, 'document document-end');
});
