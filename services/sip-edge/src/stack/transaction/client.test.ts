import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OwnRequest } from '../message/own-request.ts';
import { arrivalFrom, manualClock, recordingPeer, responseOf } from '../testing/harness.ts';
import type { TransportName } from '../transport/peer.ts';
import { createTransactions } from './layer.ts';

const own = (method: string): OwnRequest => ({
  method,
  uriText: 'sip:bob@example.com',
  via: 'SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKone',
  from: '<sip:alice@example.com>;tag=alice',
  to: '<sip:bob@example.com>',
  callId: 'call-1',
  cseq: 1,
  routes: ['<sip:proxy;lr>'],
  lines: [['Contact', '<sip:alice@192.0.2.7>']],
  body: { type: 'application/sdp', bytes: Buffer.from('v=0\r\n') },
});

function given(method: string, transport: TransportName = 'udp') {
  const clock = manualClock();
  const peer = recordingPeer(transport);
  const strays: number[] = [];
  const heard: (number | string)[] = [];
  const layer = createTransactions(
    { request() {}, ack() {}, strayResponse: ({ status }) => strays.push(status), admit: () => true },
    clock,
  );
  const send = () =>
    layer.send(own(method), 'z9hG4bKone', peer, {
      response: ({ status }) => heard.push(status),
      failed: (why) => heard.push(why),
    });
  assert.ok(send());
  const receive = (status: number) => layer.receiveResponse(responseOf(status, method), arrivalFrom(peer));
  return { clock, peer, strays, heard, layer, receive, send };
}

test('an INVITE nobody hears is repeated at 0.5, 1.5, 3.5 … s and given up after 32 s', () => {
  const { clock, peer, heard, layer } = given('INVITE');
  for (const [ms, sent] of [
    [499, 1],
    [1, 2],
    [1_000, 3],
    [2_000, 4],
    [4_000, 5],
    [8_000, 6],
  ] as const) {
    clock.advance(ms);
    assert.equal(peer.sent.length, sent);
  }
  clock.advance(16_500);
  assert.deepEqual(heard, ['timeout']);
  assert.deepEqual([layer.count(), clock.waiting()], [0, 0]);
});

test('once it rings nothing is repeated, however long it rings', () => {
  const { clock, peer, heard, receive } = given('INVITE');
  receive(180);
  clock.advance(120_000);
  receive(180);
  assert.deepEqual([peer.sent.length, heard], [1, [180, 180]]);
});

test('a refusal is acknowledged each time it comes and told once', () => {
  const { clock, peer, heard, receive, layer } = given('INVITE');
  receive(486);
  receive(486);
  assert.deepEqual(heard, [486]);
  assert.deepEqual(peer.starts().slice(1), ['ACK sip:bob@example.com SIP/2.0', 'ACK sip:bob@example.com SIP/2.0']);
  const ack = peer.sent[1]!.toString();
  assert.match(ack, /branch=z9hG4bKone\r\n[\s\S]*To: <sip:bob@example.com>;tag=bob\r\n[\s\S]*CSeq: 1 ACK\r\n/);
  assert.match(ack, /Route: <sip:proxy;lr>\r\nContent-Length: 0\r\n\r\n$/);
  clock.advance(32_000);
  assert.equal(layer.count(), 0);
});

test('every 200 of every fork is told, for 32 s; what comes later is a stray', () => {
  const { clock, peer, heard, receive, strays } = given('INVITE');
  receive(200);
  receive(200);
  receive(180);
  assert.deepEqual([heard, peer.sent.length], [[200, 200], 1]);
  clock.advance(32_000);
  receive(200);
  assert.deepEqual([heard.length, strays], [2, [200]]);
});

test('a BYE is repeated at most every 4 s and given up after 32 s, even after a 100', () => {
  const { clock, peer, heard, receive, layer } = given('BYE');
  clock.advance(1_500);
  assert.equal(peer.sent.length, 3);
  receive(100);
  clock.advance(30_500);
  assert.deepEqual(heard, [100, 'timeout']);
  assert.deepEqual([layer.count(), clock.waiting()], [0, 0]);
});

test('an answered BYE absorbs repeated answers for 5 s', () => {
  const { clock, peer, heard, receive, layer, strays } = given('BYE');
  receive(200);
  receive(200);
  assert.deepEqual([heard, peer.sent.length, layer.count()], [[200], 1, 1]);
  clock.advance(5_000);
  assert.deepEqual([layer.count(), strays], [0, []]);
});

test('a broken connection fails the request at once', () => {
  const clock = manualClock();
  const peer = recordingPeer('tcp');
  peer.fail();
  const heard: string[] = [];
  const layer = createTransactions({ request() {}, ack() {}, strayResponse() {}, admit: () => true }, clock);
  layer.send(own('INVITE'), 'z9hG4bKone', peer, { response() {}, failed: (why) => heard.push(why) });
  assert.deepEqual([heard, layer.count(), clock.waiting()], [['transport-failed'], 0, 0]);
});

test('a request asked for twice is sent once', () => {
  const { send, peer } = given('INVITE');
  assert.equal(send(), false);
  assert.equal(peer.sent.length, 1);
});
