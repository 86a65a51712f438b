/** Dial and Record: contracts.md, language 12 and 13. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tell } from '../../simulate/tell.ts';
import { parseDocument } from '../../xml/document.ts';

const DIAL = '<Dial><Sip>a@127.0.0.1:9</Sip><Error><Say>failed</Say></Error></Dial><Say>after</Say>';
const reason = (verbs: string) => {
  const parsed = parseDocument(`<Response>${verbs}</Response>`);
  return parsed.ok ? '' : parsed.reason;
};

test('an answered caller hears ringback, then the callee; when the callee leaves, the flow continues', () => {
  assert.deepEqual(tell(DIAL).words, ['tone ringback', 'the callee', 'after']);
});

test('an unanswered Dial relays 180, and the callee’s answer answers the caller', () => {
  const told = tell(DIAL, { autoAnswer: false });
  assert.equal(told.of('RingRequested').length, 1);
  const [answer] = told.of('AnswerRequested');
  assert.ok(answer!.seq > told.of('LegAnswered').find((e) => e.leg === 1)!.seq);
  const taken = told.of('SessionChanged').find((e) => e.leg === 1)!;
  assert.ok(answer!.seq > taken.seq, 'media took the answer of the callee before the caller is answered');
});

test('a busy callee takes Error, then the flow continues', () => {
  assert.deepEqual(tell(DIAL, { callee: 'busy' }).words, ['failed', 'after']);
});

test('nobody answers within the timeout: the ringing leg is cancelled', () => {
  const told = tell('<Dial timeout="20"><Sip>a@127.0.0.1:9</Sip></Dial>', { callee: 'silent' });
  assert.equal(told.verbs[0], 'Dial[0] no-answer');
  const [ring] = told.of('TimerSet').filter((e) => e.purpose === 'dial');
  assert.equal(ring!.dueAt - ring!.at, 20_000, 'below 1000 it is seconds');
  assert.equal(told.of('HangupRequested').filter((e) => e.leg === 1).length, 1);
});

test('several targets ring at once; the first that answers is connected and the others are let go', () => {
  const told = tell('<Dial><Sip>a@127.0.0.1:9</Sip><Sip>b@127.0.0.1:9</Sip></Dial>');
  assert.equal(told.of('DialRequested').length, 2);
  assert.deepEqual(
    told.of('BridgeRequested').map((e) => e.legB),
    [1],
  );
  assert.ok(told.of('HangupRequested').some((e) => e.leg === 2));
});

test('the caller hangs up: the dialled leg is released', () => {
  const told = tell(DIAL, { hangupAfterMs: 4_000 });
  assert.equal(told.ended, 'caller bye');
  assert.ok(told.of('HangupRequested').some((e) => e.leg === 1));
  assert.equal(told.of('SessionReleased').length, 2);
});

test('To takes numbers and addresses, Sip addresses, Number numbers', () => {
  const target = (child: string) => tell(`<Dial>${child}</Dial>`).of('DialRequested')[0]!.target;
  assert.equal(target('<To>1000@pbx.test</To>'), 'sip:1000@pbx.test');
  assert.equal(target('<To>sip:1000@pbx.test:5070</To>'), 'sip:1000@pbx.test:5070');
  assert.equal(target('<To>+1 (212) 555-0199</To>'), 'tel:12125550199');
  assert.equal(target('<Number>18005550100</Number>'), 'tel:18005550100');
  assert.equal(target('<Sip>1000@127.0.0.1:9000</Sip>'), 'sip:1000@127.0.0.1:9000');
  assert.equal(target('<Number>(212) 555-0100</Number>'), 'tel:2125550100');
  assert.equal(target('<Number>tel:+1-212-555-0100;isub=1</Number>'), 'tel:12125550100');
  assert.equal(target('<Sip>tel:+1-212-555-0100</Sip>'), 'tel:12125550100');
  assert.equal(
    target('<Sip>sip:+12125550100@pbx.test;user=phone;transport=UDP</Sip>'),
    'sip:+12125550100@pbx.test;user=phone;transport=udp',
  );
  assert.equal(
    tell('<Dial>\u00A0+1\u00A0(212)\u00A0555\u20110100 </Dial>').of('DialRequested')[0]!.target,
    'tel:12125550100',
  );
});

test('from is a number as people write it, or a name', () => {
  const shown = (from: string) =>
    tell(`<Dial from="${from}"><To>1000@pbx.test</To></Dial>`).of('DialRequested')[0]!.fromUser;
  for (const from of ['+1 (800) 555-0100', 'tel:+1-800-555-0100', '+1-800-555-0100'])
    assert.equal(shown(from), '+18005550100');
  assert.equal(shown('front-desk.2'), 'front-desk.2');
  assert.equal(shown('10-2'), '10-2');
  assert.match(reason('<Dial from="a b"><To>1000@pbx.test</To></Dial>'), /must be a number or a user name/);
});

test('a target that could carry a header of its own is refused', () => {
  for (const bad of [
    '1000@h\r\nX-Evil: 1',
    '1000@h?Subject=x',
    'a b@h',
    '<1000@h>'.replace(/</g, '&lt;'),
    '1000@h:99999',
  ])
    assert.notEqual(reason(`<Dial><Sip>${bad}</Sip></Dial>`), '', bad);
  assert.match(reason(`<Dial>${'<Number>1</Number>'.repeat(11)}</Dial>`), /10 at most/);
  assert.match(reason('<Dial/>'), /nobody to call/);
});

test('an empty Record ends by #, five seconds of silence or its time', () => {
  const [asked] = tell('<Record timeout="45000"/>').of('RecordRequested');
  assert.deepEqual([asked!.maxMs, asked!.silenceMs, asked!.stopKeys], [45_000, 5_000, '#']);
  assert.equal(tell('<Record/>').of('RecordRequested')[0]!.maxMs, 60_000);
});

test('a block Record runs while its children do and ends with them', () => {
  const told = tell('<Record><Say>one</Say><Pause length="300"/></Record><Say>after</Say>');
  assert.deepEqual(told.verbs, [
    'Record[0].Say[0] finished',
    'Record[0].Pause[0] finished',
    'Record[0] stopped',
    'Say[0] finished',
  ]);
  assert.equal(told.of('RecordStopRequested').length, 1);
});

test('what leaves a block Record stops its recording', () => {
  const served = { server: () => ({ status: 200, body: '<Response><Pause length="2000"/></Response>' }) };
  const left = tell('<Record><Say>one</Say><Redirect>http://a.test/</Redirect></Record>', served);
  assert.equal(left.of('RecordStopRequested').length, 1);
  assert.ok(left.of('RecordStopRequested')[0]!.seq < left.of('VerbStarted').at(-1)!.seq);
  const failed = tell('<Record><Play record="none"/></Record><Error><Pause length="2000"/></Error>');
  assert.equal(failed.of('RecordStopRequested').length, 1);
});
