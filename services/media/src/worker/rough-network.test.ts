import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, describe, it } from 'node:test';
import type { Fact, Observed } from '@opentact/proto/events';
import { parseAllowList } from '@opentact/runtime';
import { UNFINISHED } from '../audio/recording-file.ts';
import { readWav } from '../audio/wav-read.ts';
import { openPeer, type RtpPeer, resemblance } from '../peer/index.ts';
import { DigitReceiver } from '../rtp/digit-receiver.ts';
import { emptyHeader, readHeader } from '../rtp/packet.ts';
import { negotiate } from '../sdp/negotiate.ts';
import { PortPool } from '../session/port-pool.ts';
import { MediaSessions } from './media-sessions.ts';
import type { WorkerAsk } from './messages.ts';

const later = (ms: number) => new Promise((go) => setTimeout(go, ms));
const recordings = mkdtempSync(join(tmpdir(), 'opentact-rough-'));
mkdirSync(join(recordings, UNFINISHED));
after(() => rmSync(recordings, { recursive: true }));

function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Passes the phone's packets on to `port` and the others to the phone, loses 5 % and delays each by 0 to 40 ms. */
async function relay(phone: number, port: number): Promise<{ port: number; close(): void }> {
  const random = chance(11);
  const inward = createSocket('udp4');
  inward.on('message', (packet, from) => {
    const to = from.port === phone ? port : phone;
    if (random() > 0.05) setTimeout(() => open && inward.send(packet, to, '127.0.0.1'), random() * 40);
  });
  let open = true;
  await new Promise<void>((bound) => inward.bind(0, '127.0.0.1', bound));
  return {
    port: inward.address().port,
    close() {
      open = false;
      inward.close();
    },
  };
}

function speechLike(ms: number): Int16Array {
  const random = chance(3);
  let pitch = 120;
  let phase = 0;
  return Int16Array.from({ length: ms * 8 }, (_, n) => {
    if (n % 800 === 0) pitch = 90 + 120 * random();
    phase += (2 * Math.PI * pitch) / 8000;
    return 5000 * (Math.sin(phase) + 0.5 * Math.sin(2 * phase) + 0.3 * Math.sin(5 * phase));
  });
}

const closing: (() => unknown)[] = [];
afterEach(() => Promise.all(closing.splice(0).map((close) => close())));

async function session(phone: RtpPeer) {
  const facts: Observed[] = [];
  const board = new MediaSessions({
    bind: '127.0.0.1',
    advertise: '127.0.0.1',
    recordings,
    ports: new PortPool(25_000, 25_009),
    silentMs: 60_000,
    allowed: parseAllowList('127.0.0.1'),
    legsMax: () => 2,
    report: (_, fact) => facts.push(fact),
  });
  closing.push(
    () => phone.close(),
    () => board.shut(),
  );
  const ask = (seq: number, wish: Fact) => board.ask({ ...wish, callId: 'c', seq, at: 0 } as WorkerAsk);
  await ask(1, { type: 'SessionRequested', leg: 0, offer: phone.offer(), sdpId: 1, sdpVersion: 1 });
  const ready = facts.shift();
  assert.ok(ready?.type === 'SessionReady');
  return { ask, facts, sdp: ready.sdp };
}

describe('a rough network: 5 % loss and 40 ms of jitter', () => {
  it('the recording still holds the speech, and every key counts once', async () => {
    const phone = await openPeer();
    const { ask, facts, sdp } = await session(phone);
    const accepted = negotiate(sdp);
    assert.ok(accepted.ok);
    const between = await relay(phone.port, accepted.media.port);
    closing.push(between.close);
    phone.connect(sdp.replace(/m=audio \d+/, `m=audio ${between.port}`));
    const recordingId = '00000000-0000-8000-8000-00000000000a';
    await later(200);
    await ask(2, { type: 'RecordRequested', leg: 0, recordingId, tag: '', maxMs: 0, silenceMs: 0, stopKeys: '' });
    const speech = speechLike(2500);
    await phone.say(speech);
    for (const key of '4711*0#') await phone.press(key, 100);
    await later(400);
    await ask(3, { type: 'ReleaseRequested', leg: 0 });
    assert.equal(facts.flatMap((fact) => (fact.type === 'DigitPressed' ? fact.digit : [])).join(''), '4711*0#');
    const heard = readWav(readFileSync(join(recordings, `${recordingId}.wav`)));
    const found = resemblance(heard, speech);
    assert.ok(found > 0.8, `resemblance ${found.toFixed(2)}`);
  });
});

describe('a hostile network', () => {
  it('noise, foreign packets and a stranger after the window change nothing', async () => {
    const phone = await openPeer();
    const { facts, sdp } = await session(phone);
    phone.connect(sdp);
    await later(120);
    const accepted = negotiate(sdp);
    assert.ok(accepted.ok);
    const random = chance(5);
    const stranger = createSocket('udp4');
    for (let n = 0; n < 500; n++) {
      const packet = Buffer.from(Array.from({ length: Math.floor(random() * 200) }, () => random() * 256));
      if (n % 2 && packet.length > 12) packet.writeUInt16BE(n % 4 === 1 ? 0x8000 : 0x80_65, 0);
      stranger.send(packet, accepted.media.port + (n % 5 === 0 ? 1 : 0), '127.0.0.1');
    }
    const before = phone.heard.packets;
    await later(200);
    assert.ok(phone.heard.packets - before >= 8, 'the phone is still the one that is spoken to');
    assert.deepEqual(facts, []);
    stranger.close();
  });
  it('no mutation of an offer makes the negotiation throw', async () => {
    const phone = await openPeer();
    const offer = phone.offer();
    const random = chance(9);
    for (let n = 0; n < 3000; n++) {
      const at = Math.floor(random() * offer.length);
      const cut = Math.floor(random() * 12);
      negotiate(offer.slice(0, at) + String.fromCharCode(random() * 256).repeat(cut % 3) + offer.slice(at + cut));
    }
    await phone.close();
  });
});

const PCAPS = '/usr/share/sip-tester';

describe("SIPp's own recordings of keys", { skip: existsSync(PCAPS) ? false : 'sip-tester is not installed' }, () => {
  const names: Record<string, string> = { star: '*', pound: '#' };
  for (const file of existsSync(PCAPS) ? readdirSync(PCAPS).filter((name) => /^dtmf_2833_.*\.pcap$/.test(name)) : [])
    it(file, () => {
      const told: string[] = [];
      const receiver = new DigitReceiver((digit) => told.push(digit));
      const header = emptyHeader();
      const bytes = readFileSync(join(PCAPS, file));
      const link = bytes.readUInt32LE(20) === 113 ? 16 : 14;
      for (let at = 24, nowMs = 0; at < bytes.length; nowMs += 20) {
        const size = bytes.readUInt32LE(at + 8);
        const packet = bytes.subarray(at + 16 + link + 28, at + 16 + size);
        at += 16 + size;
        if (readHeader(packet, header)) receiver.receive(packet, header, nowMs);
      }
      receiver.tick(1e6);
      const key = /_(\w+)\.pcap$/.exec(file)![1]!.replace('2833_', '');
      assert.deepEqual(told, [names[key] ?? key]);
    });
});
