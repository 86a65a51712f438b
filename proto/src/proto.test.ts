import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  branchOf,
  type CallEvent,
  callIdOfInvite,
  decodeEvent,
  encodeEvent,
  legUuid,
  localTag,
  parseLegUuid,
  verifyTag,
} from './index.ts';

const callId = callIdOfInvite('secret', 'abc@host', 'tag', 1);

test('an event survives the wire with its place and its items', () => {
  const event: CallEvent = {
    type: 'PlayRequested',
    callId,
    seq: 7,
    at: 1_700_000_000_000,
    leg: 0,
    loop: 1,
    early: undefined,
    items: [
      { kind: 'say', value: { text: 'Hi', voice: '', gender: 'FEMALE', lang: 'en-US', kind: 'WaveNet' } },
      { kind: 'silenceMs', value: 250 },
    ],
    to: { node: 'media-1', boot: 'b' },
  };
  assert.deepEqual(decodeEvent(encodeEvent(event)), event);
});

test('a retransmitted INVITE is the same call, another CSeq is not', () => {
  assert.equal(callIdOfInvite('secret', 'abc@host', 'tag', 1), callId);
  assert.notEqual(callIdOfInvite('secret', 'abc@host', 'tag', 2), callId);
  assert.notEqual(callIdOfInvite('other', 'abc@host', 'tag', 1), callId);
});

test('the uuid of any leg finds its story', () => {
  assert.deepEqual(parseLegUuid(legUuid(callId, 3)), { callId, leg: 3 });
  assert.equal(parseLegUuid('not-ours'), undefined);
});

test('a forged tag is nobody’s', () => {
  const tag = localTag('secret', callId, 2);
  assert.deepEqual(verifyTag('secret', tag), { callId, leg: 2 });
  assert.equal(verifyTag('other', tag), undefined);
  assert.equal(verifyTag('secret', `${tag.slice(0, -1)}x`), undefined);
  assert.notEqual(branchOf('secret', callId, 1, 0), branchOf('secret', callId, 1, 1));
});
