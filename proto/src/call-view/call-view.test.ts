import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallEvent, Fact } from '../events.ts';
import { callObject, foldCall, isDestroyed, legOf, type PublicCall, wholeCallObject } from './index.ts';

const CALL = '00000000-0000-8000-8000-000000000000';
const app = { appId: 'app', name: 'Office', autoAnswer: true, maxCallLengthMs: 600_000 };

function fold(facts: Array<Partial<Fact> & { type: Fact['type'] }>): { call: PublicCall; told: string[] } {
  let call: PublicCall | undefined;
  const told: string[] = [];
  for (const [n, fact] of facts.entries()) {
    const event = { callId: CALL, seq: n + 1, at: 1_000 * (n + 1), ...fact } as CallEvent;
    const folded = foldCall(call, event);
    call = folded.call;
    told.push(
      ...folded.changes.map(
        ({ of, leg, ...change }) =>
          `${leg.leg} ${of === 'state' ? leg.state : of}${'with' in change ? ` ${change.with.slice(-4)}` : ''}`,
      ),
    );
  }
  return { call: call!, told };
}

const arrived = { type: 'CallArrived', accountId: 'acc', fromNumber: '1212', toNumber: '+1800', app } as never;
const ended = { type: 'CallEnded', owner: 'caller', q850: 16, reason: 'bye' } as never;
const verb = (type: 'VerbStarted' | 'VerbEnded', path: string, more = {}) =>
  ({ type, name: 'Say', path, document: 1, success: true, reason: '', tag: '', ...more }) as never;

test('a call from its arrival to its end, with what each event changed', () => {
  const { call, told } = fold([
    arrived,
    { type: 'LegRang', leg: 0 } as never,
    { type: 'LegAnswered', leg: 0 } as never,
    verb('VerbStarted', 'Say[0]'),
    verb('VerbEnded', 'Say[0]'),
    { type: 'DialRequested', leg: 1, target: 'sip:bob@h', fromUser: '1800' } as never,
    { type: 'LegAnswered', leg: 1 } as never,
    { type: 'BridgeRequested', legA: 0, legB: 1, recordingId: '', callB: '' } as never,
    { type: 'BridgeStarted', requestId: 8 } as never,
    ended,
  ]);
  assert.deepEqual(told, [
    '0 init',
    '0 ringing',
    '0 live',
    '0 answer',
    '0 verb',
    '1 init',
    '1 live',
    '0 bridge 0001',
    '1 bridge 0000',
    '1 hangup',
    '1 destroyed',
    '0 hangup',
    '0 destroyed',
  ]);
  assert.ok(isDestroyed(call));
  const object = wholeCallObject(call);
  assert.deepEqual(
    [object.state, object.owner, object.reason, object.verb, object.duration, object.to, object.q850_cause_string],
    ['destroyed', 'caller', 'bye', null, 7, '1800', 'NORMAL_CLEARING'],
  );
  assert.equal((object.children as unknown[]).length, 1);
  const child = callObject(call, legOf(call, 1)!);
  assert.deepEqual(
    [child.uuid, child.to, (child.parent as { uuid: string }).uuid],
    [`${CALL.slice(0, -1)}1`, 'bob', CALL],
  );
});

test('what runs is told by the path of the innermost verb', () => {
  const { call } = fold([arrived, verb('VerbStarted', 'Record[0]'), verb('VerbStarted', 'Record[0].Say[0]')]);
  assert.equal(wholeCallObject(call).verb, 'Record[0].Say[0]');
});

test('of a call whose beginning was not read nothing is known; what changes nothing gives the same object', () => {
  const event = { callId: CALL, seq: 5, at: 1, ...(ended as object) } as CallEvent;
  assert.equal(foldCall(undefined, event).call, undefined);
  const { call } = fold([arrived]);
  const timer = { callId: CALL, seq: 2, at: 1, type: 'TimerSet', purpose: 'x', dueAt: 1 } as CallEvent;
  assert.equal(foldCall(call, timer).call, call);
});

test('an event that arrives after the end, or twice, changes nothing', () => {
  const bridge = { type: 'BridgeRequested', legA: 0, legB: 1, recordingId: '', callB: '' } as never;
  const story = [arrived, { type: 'LegAnswered', leg: 0 } as never, bridge, ended];
  const before = fold(story);
  const after = fold([
    ...story,
    ended,
    { type: 'LegAnswered', leg: 0 } as never,
    { type: 'LegEnded', leg: 0, q850: 16, reason: '' } as never,
    { type: 'BridgeStarted', requestId: 3 } as never,
    { type: 'BridgeEnded', requestId: 3, reason: '' } as never,
  ]);
  assert.deepEqual(after.call, before.call);
  assert.equal(after.told.length, before.told.length);
});

const [createdAt, modifiedAt] = [1, 2];
const attribution = {
  account: { name: 'Acme', email: 'a@example.test', level: 'Account', city: 'Bonn', createdAt, modifiedAt },
  app: { isActive: true, shakenVerifyPolicy: 1, shakenMinimumAcceptedAttestLvl: 'B', createdAt, modifiedAt },
  number: {
    number: '1800',
    lease: { leaseId: 'lease', autorenew: true, expiresAt: 3, createdAt, modifiedAt },
  },
};

test('whose a call is and what it came by is told as it was when the call began', () => {
  const { call } = fold([{ ...(arrived as object), attribution } as never]);
  const object = wholeCallObject(call);
  const on = { created_on: '1970-01-01T00:00:00.001Z', modified_on: '1970-01-01T00:00:00.002Z' };
  const expired_on = '1970-01-01T00:00:00.003Z';
  assert.deepEqual(object.tn, {
    tn: '1800',
    ...on,
    deleted_on: null,
    tnlease: { uuid: 'lease', autorenew: true, expired_on, ...on },
  });
  const { uuid, name, city, phone } = object.account;
  assert.deepEqual([uuid, name, city, phone], ['acc', 'Acme', 'Bonn', null]);
  assert.deepEqual([object.sip_control_app.created_on, object.sip_domain], [on.created_on, null]);
});

test('a call by a domain has no number of ours; one of a story from before is taken to have what was called', () => {
  const domain = { domain: 'acme.test', createdAt, modifiedAt };
  const at = fold([{ ...(arrived as object), attribution: { domain } } as never]);
  assert.deepEqual([wholeCallObject(at.call).tn, wholeCallObject(at.call).sip_domain?.domain], [null, 'acme.test']);
  const before = wholeCallObject(fold([arrived]).call);
  assert.deepEqual([before.tn?.tn, before.tn?.created_on, before.account.name], ['1800', null, null]);
});

test('no text and no time of what a call came by can be too much to show', () => {
  const account = {
    ...attribution.account,
    name: '\u{1F600}'.repeat(200),
    createdAt: Number.MAX_SAFE_INTEGER,
    modifiedAt: -1,
  };
  const { call } = fold([{ ...(arrived as object), attribution: { account } } as never]);
  const shown = wholeCallObject(call).account;
  assert.ok(shown.name!.length === 255 && shown.name!.isWellFormed());
  assert.deepEqual([shown.created_on, shown.modified_on], ['+275760-09-13T00:00:00.000Z', '1970-01-01T00:00:00.000Z']);
});
