/**
 * The little that can't survive an edge, and what the caller sees instead: a phone's own TCP connection breaks, and its
 * dialog is found again over the next one; a request that no edge had reported yet is sent again by the phone.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openPhone, type Phone } from '@opentact/phone';
import { openPeer } from '../../services/media/src/peer/index.ts';
import { callDocument } from '../kit/place-call.ts';
import { type Platform, startPlatform } from '../kit/platform.ts';
import { eventually, outcome } from '../kit/scene.ts';

const WAIT = '<Response><Pause length="20000"/></Response>';

let platform: Platform;
let phone: Phone;

before(
  async () => {
    [platform, phone] = await Promise.all([startPlatform(), openPhone()]);
  },
  { timeout: 90_000 },
);
after(async () => {
  await phone?.close();
  await platform?.stop();
});

/** A phone that speaks SIP over a connection it opened itself and can't be called back on. */
async function tcpPhone(uri: string) {
  const peer = await openPeer();
  const [callId, tag] = [`tcp-${Date.now()}@test`, `t${Date.now()}`];
  let socket: Socket;
  let heard = '';
  let toTag = '';
  let target = uri;
  let isClosed = false;
  const open = async () => {
    socket = connect(platform.sipPort, '127.0.0.1');
    isClosed = false;
    socket.on('data', (bytes) => {
      heard += bytes.toString('latin1');
    });
    socket.on('close', () => {
      isClosed = true;
    });
    socket.on('error', () => {});
    await once(socket, 'connect');
  };
  const send = (method: string, cseq: number, sdp = '') =>
    socket.write(
      [
        `${method} ${method === 'INVITE' ? uri : target} SIP/2.0`,
        `Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK${Math.random().toString(36).slice(2)};rport`,
        'Max-Forwards: 70',
        `From: <sip:tcp@127.0.0.1>;tag=${tag}`,
        `To: <${uri}>${toTag ? `;tag=${toTag}` : ''}`,
        `Call-ID: ${callId}`,
        `CSeq: ${cseq} ${method}`,
        'Contact: <sip:tcp@127.0.0.1:9;transport=tcp>',
        ...(sdp ? ['Content-Type: application/sdp'] : []),
        `Content-Length: ${sdp.length}`,
        '',
        sdp,
      ].join('\r\n'),
    );
  await open();
  send('INVITE', 1, peer.offer());
  await eventually(() => /SIP\/2\.0 200[\s\S]*?\r\n\r\nv=0/.test(heard), 'no 200 to the INVITE');
  const ok = heard.slice(heard.indexOf('SIP/2.0 200'));
  toTag = /^To:.*;tag=(\S+)\r$/im.exec(ok)![1]!;
  target = /^Contact: <([^>]+)>/im.exec(ok)![1]!;
  const id = /^X-Opentact-Call-Id: (\S+)\r$/im.exec(ok)![1]!;
  send('ACK', 1);
  peer.connect(ok.slice(ok.indexOf('v=0')));
  return {
    id,
    peer,
    send,
    open,
    isClosed: () => isClosed,
    answered: (cseq: number) => new RegExp(`SIP/2\\.0 200[^]*?CSeq: ${cseq} `).test(heard.slice(ok.length)),
    async close() {
      socket.destroy();
      await peer.close();
    },
  };
}

test('a phone’s TCP connection breaks with its edge; over the next one its dialog is there', {
  timeout: 60_000,
}, async (t) => {
  await platform.whole();
  const uri = `sip:${(await platform.control.stage(WAIT)).user}@${platform.sip}`;
  const tcp = await tcpPhone(uri);
  t.after(() => tcp.close());
  await platform.until(tcp.id, (e) => e.type === 'LegConfirmed');
  platform.kill(await platform.serving(tcp.id, 'sip-edge'));
  await eventually(() => tcp.isClosed(), 'the connection stands');
  await platform.until(tcp.id, (e) => e.type === 'LegAdopted');
  tcp.peer.heard.longestGapMs = 0;
  await tcp.open();
  tcp.send('BYE', 2);
  await eventually(() => tcp.answered(2), 'no 200 to the BYE');
  assert.equal(outcome(await platform.ended(tcp.id)), 'caller: bye');
});

test('a BYE that its edge never reported is sent again by the phone, and the call ends as it should', {
  timeout: 60_000,
}, async () => {
  await platform.whole();
  const call = await callDocument(platform, phone, WAIT);
  await platform.until(call.platformCallId, (e) => e.type === 'LegConfirmed');
  const edge = await platform.serving(call.platformCallId, 'sip-edge');
  platform.kill(edge, 'SIGSTOP');
  call.hangup();
  await sleep(100); // It lies in the frozen edge's socket and dies with it.
  platform.kill(edge);
  assert.equal(outcome(await platform.ended(call.platformCallId)), 'caller: bye');
});

test('an INVITE that its edge never reported is sent again by the phone, and answered once', {
  timeout: 60_000,
}, async () => {
  await platform.whole();
  const uri = `sip:${(await platform.control.stage(WAIT)).user}@${platform.sip}`;
  const edges = platform.named('sip-edge');
  for (const edge of edges) platform.kill(edge, 'SIGSTOP');
  const call = await phone.call(uri);
  await sleep(100); // One of the two has it.
  for (const edge of edges) platform.kill(edge);
  await call.until('answered', 20_000);
  call.hangup();
  const story = await platform.ended(call.platformCallId);
  assert.equal(outcome(story), 'caller: bye');
  assert.equal(story.filter((e) => e.type === 'AnswerRequested').length, 1);
});
