import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SipRequest } from '../message/message.ts';
import { arrivalFrom, manualClock, recordingPeer, requestOf } from '../testing/harness.ts';
import type { TransportName } from '../transport/peer.ts';
import { createTransactions, REPEATS_UNPROVEN } from './layer.ts';
import type { ServerTransaction } from './server.ts';

function given(transport: TransportName = 'udp') {
  const clock = manualClock();
  const peer = recordingPeer(transport);
  const opened: ServerTransaction[] = [];
  const acks: SipRequest[] = [];
  const layer = createTransactions(
    { request: (one) => opened.push(one), ack: (one) => acks.push(one), strayResponse() {}, admit: () => true },
    clock,
  );
  const receive = (request: SipRequest) => layer.receiveRequest(request, arrivalFrom(peer));
  return { clock, peer, opened, acks, layer, receive };
}

test('a repeated INVITE gets the last provisional answer and is no second call', () => {
  const { peer, opened, receive } = given();
  receive(requestOf('INVITE'));
  receive(requestOf('INVITE'));
  assert.equal(peer.sent.length, 0);
  opened[0]!.respond(180, { toTag: 'us' });
  receive(requestOf('INVITE'));
  assert.equal(opened.length, 1);
  assert.deepEqual(peer.starts(), ['SIP/2.0 180 Ringing', 'SIP/2.0 180 Ringing']);
});

test('a refusal is repeated at T1, 2·T1 … at most every 4 s, until its ACK', () => {
  const { clock, peer, opened, receive, layer } = given();
  layer.prove(peer);
  receive(requestOf('INVITE'));
  opened[0]!.respond(486);
  for (const [ms, sent] of [
    [499, 1],
    [1, 2],
    [1_000, 3],
    [2_000, 4],
    [4_000, 5],
    [4_000, 6],
  ] as const) {
    clock.advance(ms);
    assert.equal(peer.sent.length, sent);
  }
  const outcome: string[] = [];
  opened[0]!.listener = { over: (how) => outcome.push(how) };
  receive(requestOf('ACK'));
  assert.deepEqual(outcome, ['confirmed']);
  clock.advance(4_999);
  assert.equal(layer.count(), 1, 'repeated ACKs are still absorbed');
  clock.advance(1);
  assert.equal(layer.count(), 0);
  assert.equal(peer.sent.length, 6);
});

test('to a source that never acknowledged anything a refusal is repeated twice, and again whenever it asks', () => {
  const { clock, peer, opened, receive } = given();
  receive(requestOf('INVITE'));
  opened[0]!.respond(486);
  clock.advance(20_000);
  assert.equal(peer.sent.length, 1 + REPEATS_UNPROVEN);
  receive(requestOf('INVITE'));
  assert.equal(peer.sent.length, 2 + REPEATS_UNPROVEN);
});

test('whoever acknowledged an answer of ours by its tag is believed to be where it says', () => {
  const { clock, peer, opened, receive } = given();
  for (const [toTag, sent] of [
    ['guess', 1 + REPEATS_UNPROVEN],
    ['ours', 6],
  ] as const) {
    receive(requestOf('INVITE', { branch: `z9hG4bK${sent}a` }));
    opened.at(-1)!.identify('ours');
    opened.at(-1)!.respond(486);
    receive(requestOf('ACK', { branch: `z9hG4bK${sent}a`, toTag }));
    peer.sent.length = 0;
    receive(requestOf('INVITE', { branch: `z9hG4bK${sent}b` }));
    opened.at(-1)!.respond(486);
    clock.advance(11_500);
    assert.equal(peer.sent.length, sent, toTag);
    clock.advance(60_000);
  }
});

test('what is rejected leaves nothing behind, and its ACK begins nothing', () => {
  const { clock, peer, opened, receive, layer } = given();
  receive(requestOf('INVITE'));
  opened[0]!.reject(404);
  assert.equal(layer.count(), 0);
  receive(requestOf('ACK'));
  clock.advance(60_000);
  assert.deepEqual(peer.starts(), ['SIP/2.0 404 Not Found']);
});

test('the transactions of one source are bounded in bytes, and so are those of all', () => {
  const full: boolean[] = [];
  const layer = createTransactions(
    { request() {}, ack() {}, strayResponse() {}, admit: (_request, _arrival, isFull) => full.push(isFull) > 0 },
    manualClock(),
  );
  const large = 'x'.repeat(60_000);
  const send = (address: string, n: number) => {
    const peer = { ...recordingPeer(), address };
    layer.receiveRequest(requestOf('OPTIONS', { branch: `z9hG4bK${address}${n}`, body: large }), arrivalFrom(peer));
  };
  for (let n = 0; n < 400; n++) send('192.0.2.1', n);
  assert.deepEqual([full[0], full.at(-1)], [false, true]);
  send('192.0.2.2', 0);
  assert.equal(full.at(-1), false, 'another source has its share');
  for (let n = 0; n < 1_600; n++) send(`192.0.3.${n % 200}`, n);
  send('192.0.2.3', 0);
  assert.equal(full.at(-1), true, 'all together have no more');
});

test('a caller that never acknowledges a refusal is given up after 32 s', () => {
  const { clock, opened, receive, layer } = given();
  receive(requestOf('INVITE'));
  const outcome: string[] = [];
  opened[0]!.listener = { over: (how) => outcome.push(how) };
  opened[0]!.respond(404);
  clock.advance(32_000);
  assert.deepEqual(outcome, ['timeout']);
  assert.deepEqual([layer.count(), clock.waiting()], [0, 0]);
});

test('over TCP nothing is repeated', () => {
  const { clock, peer, opened, receive, layer } = given('tcp');
  receive(requestOf('INVITE'));
  opened[0]!.respond(486);
  clock.advance(10_000);
  assert.equal(peer.sent.length, 1);
  receive(requestOf('ACK'));
  assert.equal(layer.count(), 0);
});

test('CANCEL before 200: both are answered, the INVITE with 487, and the 200 comes too late', () => {
  const { peer, opened, receive } = given();
  receive(requestOf('INVITE'));
  opened[0]!.identify('us', [['X-Story', 'one']]);
  let cancelled = 0;
  opened[0]!.listener = { cancelled: () => cancelled++ };
  receive(requestOf('CANCEL'));
  assert.deepEqual(peer.starts(), ['SIP/2.0 200 OK', 'SIP/2.0 487 Request Terminated']);
  assert.match(peer.sent[0]!.toString(), /To: .*;tag=us/);
  assert.match(peer.sent[1]!.toString(), /To: .*;tag=us\r\n[\s\S]*X-Story: one/);
  assert.equal(opened[0]!.respond(200), false);
  assert.deepEqual([cancelled, peer.sent.length], [1, 2]);
});

test('200 before CANCEL: the CANCEL is answered 200 and changes nothing', () => {
  const { peer, opened, receive } = given();
  receive(requestOf('INVITE'));
  opened[0]!.listener = { cancelled: () => assert.fail('too late') };
  assert.equal(opened[0]!.respond(200), true);
  receive(requestOf('CANCEL'));
  assert.deepEqual(peer.starts(), ['SIP/2.0 200 OK', 'SIP/2.0 200 OK']);
  assert.match(peer.sent[1]!.toString(), /CSeq: 1 CANCEL/);
});

test('a CANCEL for nothing goes to the user, who says 481', () => {
  const { opened, receive } = given();
  receive(requestOf('CANCEL'));
  assert.equal(opened[0]!.request.method, 'CANCEL');
});

test('after a 200 the INVITE is absorbed for 32 s and the ACK goes up', () => {
  const { clock, peer, opened, receive, layer, acks } = given();
  receive(requestOf('INVITE'));
  opened[0]!.respond(200);
  receive(requestOf('INVITE'));
  receive(requestOf('ACK', { branch: 'z9hG4bKother' }));
  assert.deepEqual([peer.sent.length, opened.length, acks.length], [1, 1, 1]);
  clock.advance(32_000);
  assert.equal(layer.count(), 0);
});

test('a repeated BYE gets its answer again, for 32 s over UDP and not at all over TCP', () => {
  const udp = given();
  udp.receive(requestOf('BYE'));
  udp.receive(requestOf('BYE'));
  udp.opened[0]!.respond(200);
  udp.receive(requestOf('BYE'));
  assert.deepEqual([udp.peer.sent.length, udp.opened.length], [2, 1]);
  assert.equal(udp.opened[0]!.respond(500), false);
  udp.clock.advance(32_000);
  assert.equal(udp.layer.count(), 0);
  const tcp = given('tcp');
  tcp.receive(requestOf('BYE'));
  tcp.opened[0]!.respond(200);
  assert.equal(tcp.layer.count(), 0);
});

test('callers older than RFC 3261 are matched by all that must not differ', () => {
  const { opened, receive, acks, peer } = given();
  receive(requestOf('INVITE', { branch: 'z9hG4bK' }));
  receive(requestOf('INVITE', { branch: 'z9hG4bK' }));
  receive(requestOf('INVITE', { branch: 'z9hG4bK', cseq: 2 }));
  assert.equal(opened.length, 2);
  opened[0]!.respond(486, { toTag: 'us' });
  receive(requestOf('ACK', { branch: 'z9hG4bK', toTag: 'us' }));
  assert.deepEqual([acks.length, peer.sent.length], [0, 1]);
});
