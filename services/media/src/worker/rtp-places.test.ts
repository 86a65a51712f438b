// Where RTP and RTCP go and whom they are believed from, with a socket for each who takes part:
// 127.0.0.1 signals, .2 stands for a private address that only the SDP names, .3 for a public one, .4 is in the trunk's
// range, .5 is a stranger.
import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, describe, it } from 'node:test';
import type { Fact, MediaPeer, Observed } from '@opentact/proto/events';
import { clipOf } from '../audio/clip.ts';
import { encodeAll } from '../codec/codec.ts';
import { PCMU } from '../codec/g711/g711.ts';
import { namedTone } from '../peer/index.ts';
import { UNPROVEN_MS } from '../rtp/latch.ts';
import { emptyHeader, readHeader, writeHeader } from '../rtp/packet.ts';
import { REPORT_BYTES_MAX, writeSenderReport } from '../rtp/rtcp.ts';
import { negotiate } from '../sdp/negotiate.ts';
import { PortPool } from '../session/port-pool.ts';
import { MediaSessions } from './media-sessions.ts';
import type { WorkerAsk } from './messages.ts';

const SIGNALS = '127.0.0.1';
const PRIVATE = '127.0.0.2';
const PUBLIC = '127.0.0.3';
const TRUNK = '127.0.0.4';
const STRANGER = '127.0.0.5';
const PEER: MediaPeer = { signallingAddress: SIGNALS, ranges: ['127.0.0.4/32'], fromAnywhere: false };

const recordings = mkdtempSync(join(tmpdir(), 'opentact-places-'));
after(() => rmSync(recordings, { recursive: true }));
const closing: (() => unknown)[] = [];
afterEach(() => Promise.all(closing.splice(0).map((close) => close())));
const later = (ms: number) => new Promise((go) => setTimeout(go, ms));
/** Waits until a place has got so many packets of RTP. */
async function gets(place: { address: string; got: { rtp: number } }, packets: number): Promise<void> {
  for (const end = Date.now() + 20_000; place.got.rtp < packets; await later(5))
    if (Date.now() > end) throw new Error(`${place.address}: ${place.got.rtp} packets of ${packets}`);
}

let streams = 0;

/** A socket that counts what comes: RTP packets, and others. */
async function place(address: string, port = 0) {
  const socket: Socket = createSocket('udp4');
  await new Promise<void>((bound) => socket.bind(port, address, bound));
  closing.push(() => socket.close());
  const header = emptyHeader();
  const got = { rtp: 0, rtcp: 0, bytes: 0 };
  const heard = { ssrc: 0, sequence: 0 };
  socket.on('message', (packet) => {
    got.bytes += packet.length;
    if (readHeader(packet, header)) {
      got.rtp++;
      heard.ssrc = header.ssrc;
      heard.sequence = header.sequence;
    } else got.rtcp++;
  });
  const ssrc = ++streams;
  let sequence = 0;
  return {
    got,
    heard,
    address,
    port: (socket.address() as AddressInfo).port,
    speak(to: number, payload: Buffer = Buffer.alloc(160, 0xff), payloadType = 0): void {
      const packet = Buffer.alloc(12 + payload.length);
      writeHeader(packet, payloadType, false, ++sequence, sequence * 160, ssrc);
      payload.copy(packet, 12);
      socket.send(packet, to, '127.0.0.1');
    },
    /** One key, its end alone. */
    key(to: number, code: number): void {
      this.speak(to, Buffer.from([code, 0x8a, 3, 32]), 101);
    },
    /** @param of what it says it heard: nothing, where it isn't said */
    report(to: number, of?: { ssrc: number; sequence: number } | Buffer): void {
      if (Buffer.isBuffer(of)) return void socket.send(of, to, '127.0.0.1');
      const block = of && { ssrc: of.ssrc, fractionLost: 0, lost: 0, highestSequence: of.sequence, jitter: 0 };
      const packet = Buffer.alloc(REPORT_BYTES_MAX);
      const length = writeSenderReport(packet, 7, Date.now(), 0, 1, 160, block);
      socket.send(packet.subarray(0, length), to, '127.0.0.1');
    },
  };
}

const offerOf = (address: string, port: number, ...more: string[]) =>
  [
    ...['v=0', `o=- 1 1 IN IP4 ${address}`, 's=-', `c=IN IP4 ${address}`, 't=0 0', `m=audio ${port} RTP/AVP 0 101`],
    ...['a=rtpmap:101 telephone-event/8000', ...more, ''],
  ].join('\r\n');

/** The port that every test binds first is even, and its neighbour is RTCP's. */
let firstPort = 24_000;

function media(silentMs = 60_000) {
  const facts: Observed[] = [];
  firstPort += 20;
  const board = new MediaSessions({
    ...{ bind: SIGNALS, advertise: SIGNALS, recordings, silentMs, legsMax: () => 4 },
    ports: new PortPool(firstPort, firstPort + 19),
    allowed: [],
    isPublic: (address) => address === PUBLIC,
    report: (_, fact) => facts.push(fact),
  });
  closing.push(() => board.shut());
  let seq = 0;
  const ask = (wish: Extract<Fact, { type: WorkerAsk['type'] }>) =>
    board.ask({ ...wish, callId: 'c', seq: ++seq, at: 0 } as WorkerAsk).then(() => seq);
  return {
    facts,
    ask,
    /** @returns our RTP port */
    async open(offer: string, peer: MediaPeer | null = PEER, leg = 0): Promise<number> {
      await ask({ type: 'SessionRequested', leg, offer, sdpId: 1, sdpVersion: 1, ...(peer && { peer }) });
      const ready = facts.pop();
      assert.ok(ready?.type === 'SessionReady', JSON.stringify(ready));
      const agreed = negotiate(ready.sdp);
      assert.ok(agreed.ok);
      return agreed.media.port;
    },
    async play(early = false, leg = 0): Promise<void> {
      const items = [{ kind: 'tone' as const, value: 'ringback' }];
      const play = await ask({ type: 'PlayRequested', leg, items, loop: 0, ...(early && { early }) });
      await board.piece('c', leg, play, 0, { kind: 'clip', clip: clipOf(namedTone('ringback')!) });
    },
    keys: () => facts.flatMap((fact) => (fact.type === 'DigitPressed' ? [fact.digit] : [])).join(''),
  };
}

describe('an SDP that names an address', () => {
  it('of a private network draws nothing there, though the call stands; RTP from the signalling source brings it, whenever it comes', async () => {
    const { open, play, facts } = media();
    const [named, phone] = [await place(PRIVATE), await place(SIGNALS)];
    const port = await open(offerOf(PRIVATE, named.port));
    await play();
    await later(UNPROVEN_MS + 700); // beyond any window
    assert.deepEqual(named.got, { rtp: 0, rtcp: 0, bytes: 0 });
    phone.speak(port);
    await gets(phone, 7);
    assert.equal(named.got.bytes, 0);
    assert.deepEqual(facts, []);
  });
  it('that is public draws two seconds and no more, until valid RTP comes from it', async () => {
    const { open, play } = media();
    const named = await place(PUBLIC);
    const port = await open(offerOf(PUBLIC, named.port));
    await play();
    await later(UNPROVEN_MS + 200);
    const { rtp } = named.got;
    assert.ok(rtp > 50 && rtp <= 101, `${rtp} packets`);
    await later(300);
    assert.equal(named.got.rtp, rtp);
    named.speak(port);
    await gets(named, rtp + 7);
  });
  it('that is public is proven by RTCP that knows our stream too, and not by noise, a blind one or a stranger’s', async () => {
    const { open, play } = media();
    const [named, stranger] = [await place(PUBLIC), await place(STRANGER)];
    const port = await open(offerOf(PUBLIC, named.port));
    await play();
    await later(UNPROVEN_MS + 100);
    const { rtp } = named.got;
    named.report(port + 1, Buffer.from('no report of anything'));
    named.report(port + 1, Buffer.from([0x80, 201, 0, 9, 0, 0, 0, 1])); // longer than it is
    named.speak(port, Buffer.alloc(160), 55); // nobody agreed on that type
    const { ssrc, sequence } = named.heard;
    named.report(port + 1);
    named.report(port + 1, { ssrc: (ssrc ^ 1) >>> 0, sequence });
    named.report(port + 1, { ssrc, sequence: (sequence + 1) & 0xffff });
    named.report(port + 1, { ssrc, sequence: (sequence - 200) & 0xffff });
    stranger.report(port + 1, named.heard);
    stranger.speak(port);
    await later(150);
    assert.equal(named.got.rtp, rtp);
    named.report(port + 1, named.heard);
    await gets(named, rtp + 7);
    assert.equal(stranger.got.bytes, 0);
  });
  it('that is public is not proven by what another address was sent before', async () => {
    const { ask, open, play } = media();
    const [own, named] = [await place(SIGNALS), await place(PUBLIC)];
    const port = await open(offerOf(SIGNALS, own.port));
    await play();
    await later(300);
    const { ssrc, sequence } = own.heard;
    const sdp = offerOf(PUBLIC, named.port);
    await ask({ type: 'SessionChangeRequested', leg: 0, sdp, isOffer: true, sdpVersion: 2, peer: PEER });
    await later(UNPROVEN_MS + 200);
    const { rtp } = named.got;
    assert.ok(rtp > 0 && named.heard.ssrc !== ssrc, 'a stream of its own');
    for (let n = 0; n < 200; n += 5) named.report(port + 1, { ssrc, sequence: (sequence + n) & 0xffff });
    await later(150);
    assert.equal(named.got.rtp, rtp);
  });
  it('of the trunk’s range, or the signalling source’s own, is sent to at once and before the answer', async () => {
    for (const address of [TRUNK, SIGNALS]) {
      const { open, play } = media();
      const named = await place(address);
      await open(offerOf(address, named.port));
      await play(true);
      await gets(named, 7);
    }
  });
  it('that is public draws no early media', async () => {
    const { open, play } = media();
    const named = await place(PUBLIC);
    const port = await open(offerOf(PUBLIC, named.port));
    await play(true);
    named.speak(port);
    await later(300);
    assert.equal(named.got.bytes, 0);
    await play();
    await gets(named, 7);
  });
  it('a story without a word on the leg: nothing but public addresses, two seconds', async () => {
    const { open, play } = media();
    const named = await place(SIGNALS);
    const port = await open(offerOf(SIGNALS, named.port), null);
    await play();
    named.speak(port);
    await later(200);
    assert.equal(named.got.bytes, 0);
  });
  it('RTCP goes nowhere that RTP does not', async () => {
    const { open, play } = media();
    const [rtp, rtcp] = [await place(PRIVATE), await place(PRIVATE)];
    await open(offerOf(PRIVATE, rtp.port, `a=rtcp:${rtcp.port} IN IP4 ${PRIVATE}`));
    await play();
    await later(3200);
    assert.deepEqual([rtp.got.bytes, rtcp.got.bytes], [0, 0]);
  });
});

describe('the first source', () => {
  it('at the signalling address is believed; a stranger before or after it never, and his key counts nothing', async () => {
    const { open, play, keys } = media();
    const [named, phone, stranger] = [await place(PRIVATE), await place(SIGNALS), await place(STRANGER)];
    const port = await open(offerOf(PRIVATE, named.port));
    await play();
    stranger.key(port, 9);
    await later(60);
    phone.key(port, 1);
    await later(60);
    stranger.key(port, 9);
    named.key(port, 8);
    const second = await place(SIGNALS);
    second.key(port, 7);
    await later(100);
    phone.key(port, 2);
    await later(150);
    assert.equal(keys(), '12');
    assert.ok(phone.got.rtp > 10);
    assert.deepEqual([stranger.got.bytes, named.got.bytes, second.got.bytes], [0, 0, 0]);
  });
  it('in the trunk’s range is believed', async () => {
    const { open, keys } = media();
    const [named, gateway] = [await place(PRIVATE), await place(TRUNK)];
    const port = await open(offerOf(PRIVATE, named.port));
    gateway.key(port, 3);
    await later(100);
    assert.equal(keys(), '3');
  });
  it('is anybody with the setting of the app', async () => {
    const { open, play, keys } = media();
    const [named, stranger, other] = [await place(PRIVATE), await place(STRANGER), await place(SIGNALS)];
    const port = await open(offerOf(PRIVATE, named.port), { ...PEER, fromAnywhere: true });
    await play();
    stranger.key(port, 4);
    await later(100);
    other.key(port, 5);
    await later(150);
    assert.equal(keys(), '4');
    assert.ok(stranger.got.rtp >= 5);
    assert.equal(other.got.bytes, 0);
  });
  it('is chosen anew after a re-INVITE with a new place, and the new place is judged like the first', async () => {
    const { open, play, ask, keys } = media();
    const [phone, elsewhere] = [await place(SIGNALS), await place(PRIVATE)];
    const port = await open(offerOf(SIGNALS, phone.port));
    await play();
    phone.key(port, 1);
    await later(80);
    const sdp = offerOf(PRIVATE, elsewhere.port);
    await ask({ type: 'SessionChangeRequested', leg: 0, sdp, isOffer: true, sdpVersion: 2, peer: PEER });
    const before = phone.got.rtp;
    await later(200);
    assert.ok(phone.got.rtp <= before + 1, 'nothing more to the old place');
    const moved = await place(SIGNALS);
    moved.key(port, 2);
    await gets(moved, 4);
    assert.equal(keys(), '12');
    assert.equal(elsewhere.got.bytes, 0);
  });
});

describe('a bridge', () => {
  it('relays nothing to an address that may not be sent to', async () => {
    const { open, ask } = media();
    const [speaker, victim] = [await place(SIGNALS), await place(PRIVATE)];
    const port = await open(offerOf(SIGNALS, speaker.port));
    await open(offerOf(PRIVATE, victim.port), PEER, 1);
    await ask({ type: 'BridgeRequested', legA: 0, legB: 1, recordingId: '' });
    const chosen = Buffer.from(
      encodeAll(
        PCMU,
        Int16Array.from({ length: 160 }, (_, n) => n * 100),
      ),
    );
    for (let n = 0; n < 15; n++) {
      speaker.speak(port, chosen);
      await later(20);
    }
    speaker.key(port, 5);
    await gets(speaker, 11); // who may be sent to hears
    assert.equal(victim.got.bytes, 0);
  });
});

describe('bounds of a leg', () => {
  it('6,000 keys in a moment are twenty events, and twenty a second after that', async () => {
    const { open, facts } = media();
    const phone = await place(SIGNALS);
    const port = await open(offerOf(SIGNALS, phone.port));
    const began = performance.now();
    for (let n = 0; n < 6000; n++) {
      phone.key(port, n % 10);
      if (n % 100 === 99) await later(5);
    }
    await later(200);
    const most = 21 + ((performance.now() - began) * 20) / 1000;
    assert.ok(facts.length >= 20 && facts.length <= most, `${facts.length} of ${most}`);
  });
  it('a phone that sends RTCP alone is no silent one, and a stranger’s RTCP keeps nobody’s call', async () => {
    const { open, play, facts } = media(400);
    const [phone, stranger] = [await place(SIGNALS), await place(STRANGER)];
    const port = await open(offerOf(SIGNALS, phone.port));
    await play();
    for (let n = 0; n < 8; n++) {
      phone.report(port + 1);
      await later(100);
    }
    assert.deepEqual(facts, []);
    for (let n = 0; n < 8; n++) {
      stranger.report(port + 1);
      await later(100);
    }
    assert.equal(facts.map(({ type }) => type).join(), 'MediaSilent');
  });
  it('an app’s own limit of silence is the leg’s', async () => {
    const { ask, facts, play } = media(200);
    const phone = await place(SIGNALS);
    const offer = offerOf(SIGNALS, phone.port);
    await ask({ type: 'SessionRequested', leg: 0, offer, sdpId: 1, sdpVersion: 1, peer: PEER, silenceMs: 90_000 });
    await play();
    await later(700);
    assert.deepEqual(
      facts.map(({ type }) => type),
      ['SessionReady'],
    );
  });
});
