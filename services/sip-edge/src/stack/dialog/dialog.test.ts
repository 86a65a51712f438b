import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatOwnRequest, type OwnRequest } from '../message/own-request.ts';
import { requestOf, responseOf } from '../testing/harness.ts';
import { answerSent, answerTransition } from './answer.ts';
import { acceptInDialogRequest, dialogOfCallee, dialogOfCaller, nextHopOf, requestWithin } from './dialog.ts';
import { type ForkOutput, forksOf, forkTransition } from './forks.ts';
import { glareWaitMs, NO_OFFER, peerOffers, weOffer } from './offers.ts';

const routes = ['Record-Route: <sip:p2.example.com;lr>, <sip:p1.example.com;lr>'];
const invite: OwnRequest = {
  method: 'INVITE',
  uriText: 'sip:bob@example.com',
  via: 'SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKone',
  from: '<sip:alice@example.com>;tag=alice',
  to: '<sip:bob@example.com>',
  callId: 'call-1',
  cseq: 16,
  routes: [],
  lines: [],
};

test('a callee talks back along the recorded route, with its own tag in From', () => {
  const dialog = dialogOfCallee(requestOf('INVITE', { lines: routes }), 'us');
  const bye = formatOwnRequest(requestWithin(dialog, { method: 'BYE', via: 'SIP/2.0/UDP h;branch=b', cseq: 32 }));
  assert.equal(
    bye.toString(),
    'BYE sip:alice@192.0.2.7:5060 SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=b\r\nMax-Forwards: 70\r\n' +
      'From: <sip:bob@example.com>;tag=us\r\nTo: <sip:alice@example.com>;tag=alice\r\nCall-ID: call-1\r\n' +
      'CSeq: 32 BYE\r\nRoute: <sip:p2.example.com;lr>\r\nRoute: <sip:p1.example.com;lr>\r\nContent-Length: 0\r\n\r\n',
  );
});

test('a caller travels the recorded route the other way round', () => {
  const dialog = dialogOfCaller(invite, responseOf(200, 'INVITE', { lines: routes }));
  assert.deepEqual(nextHopOf(dialog), {
    uriText: 'sip:bob@192.0.2.8:5070',
    routes: ['<sip:p1.example.com;lr>', '<sip:p2.example.com;lr>'],
    hopUri: 'sip:p1.example.com;lr',
  });
});

test('a router older than loose routing finds itself in the Request-URI', () => {
  const dialog = dialogOfCaller(invite, responseOf(200, 'INVITE', { lines: ['Record-Route: <sip:old.example.com>'] }));
  assert.deepEqual(nextHopOf(dialog), {
    uriText: 'sip:old.example.com',
    routes: ['<sip:bob@192.0.2.8:5070>'],
    hopUri: 'sip:old.example.com',
  });
});

test('a request that goes back in number is refused with 500', () => {
  const dialog = dialogOfCallee(requestOf('INVITE', { cseq: 10 }), 'us');
  const lower = acceptInDialogRequest(dialog, requestOf('BYE', { cseq: 9 }));
  assert.ok(!lower.ok && lower.status === 500);
  const higher = acceptInDialogRequest(dialog, requestOf('INVITE', { cseq: 11, lines: [] }));
  assert.ok(higher.ok && higher.dialog.remoteCSeq === 11);
});

test('an answer is repeated until its ACK, and after 32 s the caller is gone', () => {
  const sent = answerSent(Buffer.from('200'));
  const again = answerTransition(sent.state, { type: 'timer', timer: 'repeat' });
  assert.deepEqual(again.outputs[1], { type: 'start', timer: 'repeat', ms: 1_000 });
  const confirmed = answerTransition(again.state, { type: 'ack' });
  assert.deepEqual(confirmed.outputs, [{ type: 'stop' }, { type: 'confirmed' }]);
  assert.deepEqual(answerTransition(confirmed.state, { type: 'timer', timer: 'give-up' }).outputs, []);
  const gone = answerTransition(again.state, { type: 'timer', timer: 'give-up' });
  assert.deepEqual(gone.outputs, [{ type: 'stop' }, { type: 'no-ack' }]);
});

test('of several phones that answer, the first is kept and the others are hung up once', () => {
  let forks = forksOf(invite);
  const seen: string[] = [];
  const take = (status: number, toTag: string) => {
    const step = forkTransition(forks, responseOf(status, 'INVITE', { toTag }));
    forks = step.forks;
    for (const output of step.outputs) seen.push(describe(output));
  };
  take(100, '');
  take(180, 'one');
  take(180, 'two');
  take(200, 'two');
  take(200, 'one');
  take(200, 'one');
  take(200, 'two');
  assert.deepEqual(seen, ['rang', 'rang', 'answered two', 'drop one true', 'drop one false', 'acknowledge two']);
});

function describe(output: ForkOutput): string {
  if (output.type === 'drop') return `drop ${output.dialog.remoteTag} ${output.hangUp}`;
  return 'dialog' in output ? `${output.type} ${output.dialog.remoteTag}` : output.type;
}

test('two offers that cross are both told 491, and a second one of the peer 500', () => {
  const ours = weOffer(NO_OFFER, 7);
  assert.ok(ours.ok);
  assert.deepEqual(peerOffers(ours.offers, 't', 3), { ok: false, status: 491 });
  const theirs = peerOffers(NO_OFFER, 't', 3);
  assert.ok(theirs.ok);
  assert.deepEqual(weOffer(theirs.offers, 8), { ok: false, status: 491 });
  assert.deepEqual(peerOffers(theirs.offers, 'u', 3), { ok: false, status: 500, retryAfterS: 3 });
  assert.deepEqual([glareWaitMs(true, 0), glareWaitMs(true, 0.999), glareWaitMs(false, 0.999)], [2_100, 3_990, 1_990]);
});
