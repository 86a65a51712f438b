import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallEvent, Decided, Dialog, MediaPeer } from '@opentact/proto/events';
import { address } from './address.ts';
import { type Call, newCall } from './call.ts';
import { evolve } from './evolve.ts';

const NAMES = { localTag: 't', topBranch: 'b', requestUri: 'u', sipCallId: 'i', transport: 'udp' };
const APP = {
  ...{ appId: 'a', name: 'A', autoAnswer: true, callFlowUrl: '', callFlowMethod: 'GET', callFlowTimeoutMs: 0 },
  ...{ staticDocument: '', maxCallLengthMs: 0, timeZone: '' },
};
const TRUNK: MediaPeer = { signallingAddress: '198.51.100.7', ranges: ['203.0.113.0/24'], fromAnywhere: false };

function told(...facts: object[]): Call {
  return facts.reduce<Call>(
    (call, fact, n) => evolve(call, { callId: 'c', seq: n + 1, at: n, ...fact } as CallEvent),
    newCall('c'),
  );
}

const arrived = (more: object = {}, app: object = {}) => ({
  ...{ type: 'CallArrived', accountId: 'x', fromNumber: '1', toNumber: '2', invite: new Uint8Array(), sdp: 'offer' },
  ...{ app: { ...APP, ...app }, sourceAddress: '[2001:db8::7]:5060' },
  ...NAMES,
  ...more,
});
const SESSION = { type: 'SessionRequested', leg: 0, offer: 'o', sdpId: 1, sdpVersion: 1, to: { node: 'm', boot: 'b' } };
const change = (leg = 0): Decided => ({ type: 'SessionChangeRequested', leg, sdp: 's', isOffer: true, sdpVersion: 2 });
const play = (leg = 0): Decided => ({ type: 'PlayRequested', leg, items: [], loop: 1 });
const dialogAt = (peerAddress: string) => ({ peerAddress }) as Dialog;

function peerOf(call: Call, decided: Decided): MediaPeer | undefined {
  const asked = address(call, decided);
  return 'peer' in asked ? asked.peer : undefined;
}

test('what the edge said of the caller goes to media, with the setting of the app', () => {
  const call = told(arrived({ media: TRUNK }, { rtpFromAnywhere: true, silenceMs: 90_000 }));
  const asked = address(call, SESSION as Decided);
  assert.ok(asked.type === 'SessionRequested');
  assert.deepEqual(asked.peer, { ...TRUNK, fromAnywhere: true });
  assert.equal(asked.silenceMs, 90_000);
});

test('a story from before media was told of it names the source of its INVITE', () => {
  const call = told(arrived());
  assert.deepEqual(peerOf(call, SESSION as Decided), {
    ...{ signallingAddress: '2001:db8::7', ranges: [], fromAnywhere: false },
  });
  assert.equal(call.legs[0]?.media, undefined);
});

test('a callee is known by its answer, and by where its dialog moved since', () => {
  const dialled = told(arrived(), SESSION, { ...SESSION, leg: 1, offer: '' });
  assert.equal(peerOf(dialled, change(1)), undefined);
  const rang = evolve(dialled, {
    ...{ callId: 'c', seq: 4, at: 4, requestId: 0 },
    type: 'LegRang',
    leg: 1,
    status: 183,
    media: TRUNK,
  });
  assert.deepEqual(peerOf(rang, change(1)), TRUNK);
  const moved = { type: 'OfferReceived', leg: 1, sdp: '', transaction: 't', dialog: dialogAt('192.0.2.9:5060') };
  const call = evolve(rang, { callId: 'c', seq: 5, at: 5, ...moved } as CallEvent);
  assert.deepEqual(peerOf(call, change(1)), { ...TRUNK, signallingAddress: '192.0.2.9' });
});

test('what is asked before the answer is called early, and nothing after it', () => {
  const ringing = told(arrived(), SESSION);
  const bridge = { type: 'BridgeRequested', legA: 0, legB: 1, recordingId: '' } as Decided;
  for (const asked of [play(), change(), bridge])
    assert.equal((address(ringing, asked) as { early?: true }).early, true);
  const answered = told(arrived(), SESSION, { type: 'LegAnswered', requestId: 0, leg: 0, sdp: '' });
  for (const asked of [play(), change()]) assert.ok(!('early' in address(answered, asked)));
  assert.equal((address(answered, bridge) as { early?: true }).early, true, 'the callee still rings');
});

test('an offer from another session keeps the lines of the description before it, also when two nodes are lost', () => {
  const node = (name: string) => ({ node: name, boot: 'b' });
  const lost = (name: string) => ({ type: 'NodeLost', kind: 'media', ...node(name), recover: true });
  const ready = { type: 'SessionReady', requestId: 2, leg: 0, sdp: 'ours', from: { source: 'm', boot: 'b', n: 1 } };
  const once = told(arrived(), SESSION, ready, { type: 'LegAnswered', requestId: 0, leg: 0, sdp: '' }, lost('m'));
  assert.equal(once.legs[0]?.moving?.sdp, 'ours');
  const again = { ...SESSION, offer: '', sdpVersion: 2, described: 'ours', to: node('n') };
  const twice = [again, lost('n')].reduce<Call>(
    (call, fact, n) => evolve(call, { callId: 'c', seq: 6 + n, at: 6, ...fact } as CallEvent),
    once,
  );
  assert.equal(twice.legs[0]?.moving?.sdp, 'ours');
});
