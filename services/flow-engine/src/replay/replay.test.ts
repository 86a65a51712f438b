/** Past calls are told again: folded, decided anew, and recorded without the people in them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CallEvent, encodeEvent, readStoryFile } from '@opentact/proto';
import { type Scenario, simulate } from '../simulate/simulate.ts';
import { redact } from './redact.ts';
import { redecide } from './redecide.ts';
import { foldOf, hashOf, readable, storyText } from './story.ts';

const DOCUMENT = `<Response>
  <Gather numDigits="1"><Say>Press 1, or call 212-555-0147.</Say>
    <Case dtmf="1"><Dial from="12125550143"><Number>+1 (212) 555-0147</Number></Dial></Case>
    <Error><Callback url="http://a.test/flow?for=12125550147"/></Error>
  </Gather>
  <Curl url="http://a.test/c" timeout="60000"><Header name="Authorization" value="Bearer s3cret-of-mine"/></Curl>
  <Call field="to" value="0"><Curl url="http://a.test/d"><Header name="X-Api-Key" value="never-sent-77"/></Curl></Call>
  <Hold timeout="3600000"/>
</Response>`;
const story = (more: Partial<Scenario> = {}) =>
  simulate({ xml: DOCUMENT, from: '+12125550143', to: '18005550100', press: ['1'], at: Date.UTC(2026, 4, 1), ...more })
    .events;
const textOf = (events: CallEvent[]) => Buffer.concat(events.map((e) => encodeEvent(e))).toString('latin1');

test('a story is the same after it was a file', () => {
  const events = story();
  const { hash, events: read } = readStoryFile(storyText(events));
  assert.equal(hash, hashOf(foldOf(events)));
  assert.equal(textOf(read), textOf(events));
  assert.throws(() => readStoryFile('hello'), /not a \.story file/);
});

test('nothing differs where the code is the same', () => {
  assert.deepEqual(redecide(story()), []);
  assert.deepEqual(redecide(readStoryFile(storyText(story({ press: [] }))).events), []);
});

test('a difference names its fact, what was chosen then and what is chosen now; what follows is not infected', () => {
  const events = story();
  const at = events.findIndex((e) => e.type === 'DialRequested');
  const changed = events.map((e, n) => (n === at ? { ...e, target: 'tel:1' } : e)) as CallEvent[];
  const [difference, ...more] = redecide(changed);
  assert.deepEqual(more, []);
  assert.equal(difference!.fact.type, 'SessionReady');
  assert.ok(difference!.then.some((e) => e.type === 'DialRequested' && e.target === 'tel:1'));
  assert.ok(difference!.now.some((e) => e.type === 'DialRequested' && e.target === 'tel:12125550147'));
});

test('a fact that today’s code can’t take is told as that', () => {
  const events = story();
  const odd = events.filter((e) => e.type !== 'DocumentAccepted');
  assert.equal(redecide(odd).at(-1)?.failed, 'no verb follows, but Gather[0] started');
});

test('redacted, a story holds no number, address or secret of it, and chooses the same', () => {
  const events = story().map((e) =>
    e.type === 'CallArrived'
      ? {
          ...e,
          invite: Buffer.from('INVITE sip:x From: "Ann Lee" <sip:+12125550143@203.0.113.9>'),
          sourceAddress: '203.0.113.9:5062',
          attribution: {
            account: { name: 'Lee and Sons', email: 'lee@a.test', level: 'Account', createdAt: 1, modifiedAt: 1 },
            number: { number: '18005550100' },
            connection: {
              connectionId: 'c',
              name: 'c',
              isActive: true,
              ip: '203.0.113.9',
              port: 1,
              createdAt: 1,
              modifiedAt: 1,
            },
          },
          sdp: 'v=0\r\no=ann 1 1 IN IP4 203.0.113.9\r\ns=Ann\r\nc=IN IP4 203.0.113.9\r\n',
        }
      : e,
  ) as CallEvent[];
  const before = redecide(events).length;
  const redacted = redact(events);
  const text = textOf(redacted);
  for (const secret of [
    '2125550143',
    '2125550147',
    '555-0147',
    '8005550100',
    '203.0.113',
    'ann',
    'Ann',
    'Lee',
    'lee@',
    's3cret',
    'never-sent',
  ])
    assert.ok(!text.includes(secret), secret);
  assert.ok(text.includes('timeout="3600000"'), 'times are no numbers of people');
  assert.ok(text.includes('http://a.test/flow'));
  assert.equal(redecide(redacted).length, before);
  const [arrived] = redacted;
  assert.ok(arrived?.type === 'CallArrived');
  const dialled = redacted.find((e) => e.type === 'DialRequested');
  assert.equal(dialled?.fromUser, arrived.fromNumber.replace('+', ''), 'the same number is the same number');
  assert.match(arrived.fromNumber, /^\+1\d{10}$/);
});

test('a short number and a name of the caller are found wherever they stand', () => {
  for (const from of ['5550143', 'ann.lee']) {
    const events = story({ from, press: [] });
    assert.ok(textOf(events).includes(from));
    const redacted = redact(events);
    assert.ok(!textOf(redacted).includes(from), from);
    assert.deepEqual(redecide(redacted), []);
  }
});

test('a state for people has no INVITE in it', () => {
  const events = story().map((e) =>
    e.type === 'CallArrived' ? { ...e, invite: Buffer.from('INVITE sip:a') } : e,
  ) as CallEvent[];
  const state = JSON.stringify(readable(foldOf(events.slice(0, 8))));
  assert.ok(state.includes('(12 bytes)') && !state.includes('INVITE sip'), state);
  assert.ok(!JSON.stringify(readable(events[0])).includes('73,78,86'));
});
