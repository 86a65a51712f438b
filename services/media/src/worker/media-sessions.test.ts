import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, describe, it } from 'node:test';
import type { Fact, Observed } from '@opentact/proto/events';
import { parseAllowList } from '@opentact/runtime';
import { clipOf } from '../audio/clip.ts';
import { UNFINISHED } from '../audio/recording-file.ts';
import { readWav } from '../audio/wav-read.ts';
import {
  correlate,
  namedTone,
  openPeer,
  PCMA,
  PCMU,
  type PeerOptions,
  type RtpPeer,
  resemblance,
} from '../peer/index.ts';
import { PortPool } from '../session/port-pool.ts';
import { MediaSessions } from './media-sessions.ts';
import type { WorkerAsk } from './messages.ts';

const recordings = mkdtempSync(join(tmpdir(), 'opentact-sessions-'));
after(() => rmSync(recordings, { recursive: true }));
mkdirSync(join(recordings, UNFINISHED));

/** Something that resembles nothing but itself: a tone that climbs. */
function chirp(ms: number, from = 400, to = 1800): Int16Array {
  let phase = 0;
  return Int16Array.from({ length: ms * 8 }, (_, n) => {
    phase += (2 * Math.PI * (from + ((to - from) * n) / (ms * 8))) / 8000;
    return 9000 * Math.sin(phase);
  });
}

function heardIn(heard: Int16Array, wanted: Int16Array): void {
  const found = resemblance(heard, wanted);
  assert.ok(found > 0.8, `resemblance ${found.toFixed(2)}`);
}

type Ask = Extract<Fact, { type: WorkerAsk['type'] }>;

/** An engine's half: numbers the asks, keeps the facts. */
function engine(silentMs = 60_000, firstSeq = 0, recordedBytesMax?: number) {
  const facts: Observed[] = [];
  const ports = new PortPool(23_000, 23_039, Math.random());
  let seq = firstSeq;
  const board = new MediaSessions({
    bind: '127.0.0.1',
    advertise: '127.0.0.1',
    recordings,
    ports,
    silentMs,
    allowed: parseAllowList('127.0.0.1'),
    legsMax: () => 4,
    ...(recordedBytesMax && { recordedBytesMax }),
    report: (_, fact) => facts.push(fact),
  });
  const ask = (wish: Ask, callId = 'c', at = 0): number => {
    seq++;
    void board.ask({ ...wish, callId, seq, at } as WorkerAsk);
    return seq;
  };
  async function fact<T extends Observed['type']>(type: T, ms = 20_000): Promise<Extract<Observed, { type: T }>> {
    for (const until = performance.now() + ms; performance.now() < until; ) {
      const found = facts.findIndex((one) => one.type === type);
      if (found >= 0) return facts.splice(found, 1)[0] as Extract<Observed, { type: T }>;
      await new Promise((later) => setTimeout(later, 5));
    }
    throw new Error(`no ${type} in ${ms} ms; there are ${JSON.stringify(facts)}`);
  }
  async function leg(number: number, options: PeerOptions = {}): Promise<RtpPeer> {
    const phone = await openPeer(options);
    phones.push(phone);
    ask({ type: 'SessionRequested', leg: number, offer: phone.offer(), sdpId: 7, sdpVersion: 1 });
    phone.connect((await fact('SessionReady')).sdp);
    return phone;
  }
  function play(number: number, samples: Int16Array, loop = 1): number {
    const seq = ask({ type: 'PlayRequested', leg: number, loop, items: [{ kind: 'tone', value: '' }] });
    void board.piece('c', number, seq, 0, { kind: 'clip', clip: clipOf(samples) });
    return seq;
  }
  boards.push(board);
  return { ask, fact, facts, leg, play, board, ports };
}

const phones: RtpPeer[] = [];
const boards: MediaSessions[] = [];
afterEach(async () => {
  await Promise.all(phones.splice(0).map((phone) => phone.close()));
  await Promise.all(boards.splice(0).map((board) => board.shut()));
});

const later = (ms: number) => new Promise((go) => setTimeout(go, ms));

describe('a session', () => {
  it('the caller hears the prompt, and its end is told with its length', async () => {
    const { fact, leg, play } = engine();
    const phone = await leg(0);
    const prompt = chirp(600);
    const seq = play(0, prompt);
    assert.deepEqual(await fact('PlayFinished'), { type: 'PlayFinished', requestId: seq, playedMs: 600 });
    await later(60);
    heardIn(phone.heard.pcm, prompt);
    assert.ok(phone.heard.longestGapMs < 300);
  });
  it('a digit is told once, a stop ends the play at once, and a second stop says nothing', async () => {
    const { ask, fact, facts, leg, play } = engine();
    const phone = await leg(0);
    const seq = play(0, chirp(5000), 0);
    await later(200);
    await phone.press('5', 80);
    const digit = await fact('DigitPressed');
    assert.deepEqual([digit.digit, digit.durationMs], ['5', 80]);
    ask({ type: 'PlayStopRequested', leg: 0, play: seq });
    const stopped = await fact('PlayStopped');
    assert.ok(stopped.requestId === seq && stopped.playedMs > 200 && stopped.playedMs < 800);
    ask({ type: 'PlayStopRequested', leg: 0, play: seq });
    await later(100);
    assert.deepEqual(facts, []);
  });
  it('a second play takes the place of the first', async () => {
    const { fact, leg, play } = engine();
    await leg(0);
    const first = play(0, chirp(2000));
    await later(60);
    const second = play(0, chirp(100));
    assert.equal((await fact('PlayStopped')).requestId, first);
    assert.equal((await fact('PlayFinished')).requestId, second);
  });
  it('keys in the audio count where no events were agreed, and only there', async () => {
    const { fact, facts, leg, play } = engine();
    const plain = await leg(0, { events: -1, codec: PCMA });
    play(0, namedTone('ringback')!);
    await later(100);
    await plain.press('8', 100);
    assert.equal((await fact('DigitPressed')).digit, '8');
    const modern = await leg(1);
    await modern.say(chirp(100));
    const { keyTone } = await import('../peer/index.ts');
    await modern.say(keyTone('3', 100)!);
    await later(200);
    assert.equal(facts.filter(({ type }) => type === 'DigitPressed').length, 0);
  });
  it('silence from the peer is told once, and not while it holds', async () => {
    const { ask, fact, facts, leg } = engine(300);
    const phone = await leg(0);
    await later(150);
    phone.mute();
    assert.equal((await fact('MediaSilent')).silentMs, 300);
    await later(400);
    assert.deepEqual(facts, []);
    phone.mute(false);
    ask({ type: 'SessionChangeRequested', leg: 0, sdp: phone.offer('sendonly'), isOffer: true, sdpVersion: 2 });
    assert.equal((await fact('SessionChanged')).held, true);
    phone.mute();
    await later(500);
    assert.deepEqual(facts, []);
  });
  it('a peer that was never heard is silent too, and that is said for as long as nothing flows', async () => {
    const { fact, facts, leg } = engine(200);
    await leg(0, { silence: false });
    assert.equal((await fact('MediaSilent')).silentMs, 200);
    assert.equal((await fact('MediaSilent')).silentMs, 200);
    assert.deepEqual(facts, []);
  });
  it('a held peer hears nothing more, and is heard again after it', async () => {
    const { ask, fact, leg, play } = engine();
    const phone = await leg(0);
    play(0, chirp(3000));
    await later(150);
    ask({ type: 'SessionChangeRequested', leg: 0, sdp: phone.offer('inactive'), isOffer: true, sdpVersion: 2 });
    const changed = await fact('SessionChanged');
    assert.match(changed.sdp, /^o=opentact 7 2 /m);
    assert.match(changed.sdp, /^a=inactive\r$/m);
    await later(50);
    const before = phone.heard.packets;
    await later(150);
    assert.ok(phone.heard.packets - before <= 1);
    ask({ type: 'SessionChangeRequested', leg: 0, sdp: phone.offer(), isOffer: true, sdpVersion: 3 });
    await later(150);
    assert.ok(phone.heard.packets - before > 4);
  });
  it('a change without a common codec is refused and the old session stays', async () => {
    const { ask, fact, leg, play } = engine();
    const phone = await leg(0);
    const sdp = phone.offer().replace('AVP 0 101', 'AVP 18').replace('PCMU', 'G729');
    ask({ type: 'SessionChangeRequested', leg: 0, sdp, isOffer: true, sdpVersion: 2 });
    assert.equal((await fact('SessionChangeFailed')).reason, 'no-codec');
    play(0, chirp(100));
    await fact('PlayFinished');
    assert.ok(phone.heard.packets > 3);
  });
  it('our own offer waits for the answer before anything is sent', async () => {
    const { ask, fact } = engine();
    const phone = await openPeer({ codec: PCMA });
    phones.push(phone);
    ask({ type: 'SessionRequested', leg: 1, offer: '', sdpId: 9, sdpVersion: 1 });
    const answer = phone.answer((await fact('SessionReady')).sdp);
    await later(100);
    assert.equal(phone.heard.packets, 0);
    ask({ type: 'SessionChangeRequested', leg: 1, sdp: answer, isOffer: false, sdpVersion: 1 });
    assert.equal((await fact('SessionChanged')).sdp, '');
    await later(150);
    assert.ok(phone.heard.packets > 3);
  });
});

describe('recording', () => {
  const id = (n: number) => `00000000-0000-8000-8000-${String(n).padStart(12, '0')}`;
  const limits = { tag: '', maxMs: 5000, silenceMs: 0, stopKeys: '#' };
  it('holds what the peer said, and not the tone of the key that ended it', async () => {
    const { ask, fact, leg } = engine();
    const phone = await leg(0, { events: -1 });
    const seq = ask({ type: 'RecordRequested', leg: 0, recordingId: id(1), ...limits });
    const speech = chirp(800);
    await phone.say(speech);
    await phone.say(new Int16Array(1600));
    await phone.press('#', 120);
    assert.equal((await fact('DigitPressed')).digit, '#');
    const finished = await fact('RecordFinished');
    assert.deepEqual([finished.requestId, finished.reason], [seq, 'key']);
    const file = readWav(readFileSync(join(recordings, `${id(1)}.wav`)));
    assert.equal(Math.round(file.length / 8), finished.durationMs);
    heardIn(file, speech);
    assert.ok(
      file.subarray(-800).every((sample) => Math.abs(sample) < 300),
      'no tone at the end',
    );
  });
  it('both sides are heard where both are wanted, in step, while another holds the caller alone', async () => {
    const { ask, fact, facts, leg, play } = engine();
    const phone = await leg(0);
    const both = ask({ type: 'RecordRequested', leg: 0, recordingId: id(5), ...limits, stopKeys: '', both: true });
    await later(100);
    const prompt = chirp(700, 2800, 1700);
    play(0, prompt);
    const one = ask({ type: 'RecordRequested', leg: 0, recordingId: id(6), ...limits });
    // Answered by an ear of its own: what is heard is said again as soon as it is recognised.
    while (!phone.heard.pcm.some((sample) => Math.abs(sample) > 2000)) await later(1);
    const answer = chirp(700);
    await phone.say(answer);
    await later(200);
    await phone.press('#', 80);
    const alone = await fact('RecordFinished');
    assert.deepEqual([alone.requestId, alone.reason], [one, 'key']);
    await fact('PlayFinished');
    ask({ type: 'RecordStopRequested', leg: 0, record: both });
    const finished = await fact('RecordFinished');
    assert.deepEqual([finished.requestId, finished.reason], [both, 'stopped']);
    const file = (n: number) => readWav(readFileSync(join(recordings, `${id(n)}.wav`)));
    const [told, said] = [correlate(file(5), prompt), correlate(file(5), answer)];
    assert.ok(told.peak > 0.6 && said.peak > 0.6, `${told.peak}, ${said.peak}`);
    // A frame until it was noticed, one until it was sent.
    const behindMs = said.atMs - told.atMs;
    assert.ok(Math.abs(behindMs - 20) <= 40, `${behindMs} ms`);
    heardIn(file(6), answer);
    assert.ok(resemblance(file(6), prompt) < 0.4, 'what the caller was told is not in it');
    assert.deepEqual(
      facts.map(({ type }) => type),
      ['DigitPressed'],
    );
  });
  it('where the disk has no room what is recorded ends, new ones are refused, and later ones are made again', async () => {
    const { ask, fact, leg, board } = engine();
    await leg(0);
    const wish = { type: 'RecordRequested', leg: 0, ...limits } as const;
    const first = ask({ ...wish, recordingId: id(31) });
    await later(300);
    board.diskIs(true);
    const finished = await fact('RecordFinished');
    assert.deepEqual([finished.requestId, finished.reason, finished.durationMs > 0], [first, 'disk', true]);
    ask({ ...wish, recordingId: id(32) });
    assert.equal((await fact('RecordFailed')).reason, 'disk');
    board.diskIs(false);
    const again = ask({ ...wish, recordingId: id(33) });
    ask({ type: 'RecordStopRequested', leg: 0, record: again });
    assert.equal((await fact('RecordFinished')).reason, 'stopped');
  });
  it('the recordings of one call take so many bytes together, and no more', async () => {
    const { ask, fact, leg } = engine(60_000, 0, 40 * 320);
    await leg(0);
    const wish = { type: 'RecordRequested', leg: 0, ...limits } as const;
    for (const n of [34, 35]) ask({ ...wish, recordingId: id(n) });
    const ended = [await fact('RecordFinished'), await fact('RecordFinished')];
    assert.deepEqual(
      ended.map(({ reason }) => reason),
      ['full', 'full'],
    );
    ask({ ...wish, recordingId: id(36) });
    assert.equal((await fact('RecordFailed')).reason, 'full');
    const bytes = [34, 35].map((n) => readFileSync(join(recordings, `${id(n)}.wav`)).length - 44);
    assert.ok(bytes[0]! + bytes[1]! <= 40 * 320, `${bytes}`);
  });
  it('a fifth at once is refused, and one that is asked for again goes on', async () => {
    const { ask, fact, facts, leg, board } = engine();
    await leg(0);
    const wish = { type: 'RecordRequested', leg: 0, ...limits } as const;
    const first = ask({ ...wish, recordingId: id(7) });
    void board.ask({ ...wish, recordingId: id(7), callId: 'c', seq: first, at: 0 });
    for (let n = 0; n < 3; n++) ask({ ...wish, recordingId: id(8).replace('-0000-', `-000${n}-`) });
    await later(100);
    assert.deepEqual(facts, []);
    const fifth = ask({ ...wish, recordingId: id(9) });
    assert.deepEqual(await fact('RecordFailed'), { type: 'RecordFailed', requestId: fifth, reason: 'full' });
    ask({ type: 'RecordStopRequested', leg: 0, record: first });
    assert.equal((await fact('RecordFinished')).requestId, first);
    ask({ type: 'ReleaseRequested', leg: 0 });
    await fact('SessionReleased');
    const ended = [await fact('RecordFinished'), await fact('RecordFinished'), await fact('RecordFinished')];
    assert.ok(ended.every(({ reason }) => reason === 'released'));
    assert.deepEqual(facts, []);
  });
  it('silence, even at the beginning, and the longest time end it', async () => {
    const { ask, fact, leg } = engine();
    await leg(0);
    ask({ type: 'RecordRequested', leg: 0, recordingId: id(2), ...limits, silenceMs: 400 });
    const silence = await fact('RecordFinished');
    assert.equal(silence.reason, 'silence');
    assert.ok(Math.abs(silence.durationMs - 400) <= 20);
    ask({ type: 'RecordRequested', leg: 0, recordingId: id(3), ...limits, maxMs: 300 });
    const timeout = await fact('RecordFinished');
    assert.deepEqual([timeout.reason, timeout.durationMs], ['timeout', 300]);
  });
  it('a release finishes it first, then frees the port', async () => {
    const { ask, facts, leg, ports, fact } = engine();
    const free = ports.available;
    await leg(0);
    ask({ type: 'RecordRequested', leg: 0, recordingId: id(4), ...limits });
    await later(300);
    ask({ type: 'ReleaseRequested', leg: 0 });
    await later(150);
    assert.deepEqual(
      facts.map(({ type }) => type),
      ['RecordFinished', 'SessionReleased'],
    );
    assert.equal((await fact('RecordFinished')).reason, 'released');
    assert.equal(ports.available, free);
    assert.ok(readWav(readFileSync(join(recordings, `${id(4)}.wav`))).length > 1000);
  });
});

describe('a bridge', () => {
  it('both sides hear each other across codecs, keys pass and are told, and the mix is recorded', async () => {
    const { ask, fact, facts, leg } = engine();
    const a = await leg(0, { codec: PCMU });
    const b = await leg(1, { codec: PCMA, events: 96 });
    const recordingId = '00000000-0000-8000-8000-000000000009';
    const seq = ask({ type: 'BridgeRequested', legA: 0, legB: 1, recordingId });
    assert.equal((await fact('BridgeStarted')).requestId, seq);
    const fromA = chirp(700, 400, 1500);
    const fromB = chirp(700, 2800, 1700);
    await Promise.all([a.say(fromA), b.say(fromB)]);
    await a.press('7', 100);
    assert.equal((await fact('DigitPressed')).digit, '7');
    await later(300);
    assert.equal(b.heard.keys, '7');
    heardIn(b.heard.pcm, fromA);
    heardIn(a.heard.pcm, fromB);
    ask({ type: 'ReleaseRequested', leg: 1 });
    await fact('SessionReleased');
    assert.deepEqual(
      facts.map(({ type }) => type),
      ['RecordFinished', 'BridgeEnded'],
    );
    const mix = readWav(readFileSync(join(recordings, `${recordingId}.wav`)));
    for (const voice of [fromA, fromB]) assert.ok(resemblance(mix, voice) > 0.6);
    const before = a.heard.packets;
    await later(100);
    assert.ok(a.heard.packets > before, 'the leg that stays is still sent to');
  });
});

describe('what a node does that was never asked before', () => {
  const id = (n: number) => `00000000-0000-8000-8000-0000000000a${n}`;
  const limits = { tag: '', maxMs: 60_000, silenceMs: 0, stopKeys: '#' };
  it('goes on with the recordings that a lost node began, of a leg, of both its sides and of a bridge', async (t) => {
    const one = engine();
    const phone = await one.leg(0);
    const other = await one.leg(1);
    one.ask({ type: 'RecordRequested', leg: 0, recordingId: id(1), ...limits });
    one.ask({ type: 'BridgeRequested', legA: 0, legB: 1, recordingId: id(2) });
    one.ask({ type: 'RecordRequested', leg: 0, recordingId: id(6), ...limits, both: true });
    await one.fact('BridgeStarted');
    const before = chirp(1400, 400, 1500);
    await phone.say(before);
    await later(100);
    // Never shut: as far as anybody sees, it died here.
    boards.splice(boards.indexOf(one.board), 1);
    t.after(() => one.board.shut());

    const two = engine(60_000, 3);
    const offers = [phone.offer(), other.offer()];
    for (const leg of [0, 1]) two.ask({ type: 'SessionRequested', leg, offer: offers[leg]!, sdpId: 7, sdpVersion: 2 });
    phone.connect((await two.fact('SessionReady')).sdp);
    other.connect((await two.fact('SessionReady')).sdp);
    two.ask({ type: 'RecordRequested', leg: 0, recordingId: id(1), ...limits });
    two.ask({ type: 'BridgeRequested', legA: 0, legB: 1, recordingId: id(2) });
    two.ask({ type: 'RecordRequested', leg: 0, recordingId: id(6), ...limits, both: true });
    await later(100);
    const after = chirp(700, 2800, 1700);
    await phone.say(after);
    await later(100);
    two.ask({ type: 'ReleaseRequested', leg: 0 });
    const finished = await Promise.all([1, 2, 3].map(() => two.fact('RecordFinished')));
    assert.equal(new Set(finished.map(({ recordingId }) => recordingId)).size, 3);
    for (const { recordingId, durationMs } of finished) {
      const file = readWav(readFileSync(join(recordings, `${recordingId}.wav`)));
      assert.equal(Math.round(file.length / 8), durationMs);
      heardIn(file, before.subarray(0, 900 * 8));
      heardIn(file, after);
    }
    // The first one wakes up: it has nothing to say of recordings, and touches no file.
    one.facts.length = 0;
    for (const session of one.board.registry.ofCall('c')) session.hear(performance.now(), 200);
    one.ask({ type: 'ReleaseRequested', leg: 0 });
    await one.fact('SessionReleased');
    assert.deepEqual(one.facts, []);
  });
  it('a node that stalled and was never given up says how things end, once it was asked anything since', async () => {
    for (const [since, isTold] of [
      [2000, true],
      [-100, false],
    ] as const) {
      const { ask, fact, facts, leg, board } = engine();
      await leg(0);
      await leg(1);
      const recordingId = isTold ? id(4) : id(5);
      ask({ type: 'BridgeRequested', legA: 0, legB: 1, recordingId });
      await fact('BridgeStarted');
      await later(300);
      for (const session of board.registry.ofCall('c')) session.hear(performance.now(), 200);
      // What waited while it was away was chosen before; a release alone is no proof.
      ask({ type: 'PlayStopRequested', leg: 0, play: 99 }, 'c', Date.now() + since);
      ask({ type: 'ReleaseRequested', leg: 0 }, 'c', Date.now() + since + 5000);
      await fact('SessionReleased');
      const said = facts.map(({ type }) => type);
      assert.deepEqual(said, isTold ? ['RecordFinished', 'BridgeEnded'] : []);
      // Either way what was recorded can be heard.
      assert.ok(readWav(readFileSync(join(recordings, `${recordingId}.wav`))).length > 1000);
    }
  });
  it('a play waits for the negotiation, a recording for somebody to hear, a stop right behind still stops', async () => {
    const { ask, fact, facts, play } = engine();
    const phone = await openPeer();
    phones.push(phone);
    ask({ type: 'SessionRequested', leg: 0, offer: '', sdpId: 7, sdpVersion: 1 });
    ask({ type: 'SessionRequested', leg: 1, offer: '', sdpId: 8, sdpVersion: 1 });
    const answer = phone.answer((await fact('SessionReady')).sdp);
    await fact('SessionReady');
    const prompt = chirp(600);
    const seq = play(0, prompt);
    ask({ type: 'RecordRequested', leg: 0, recordingId: id(3), ...limits, silenceMs: 300 });
    ask({ type: 'BridgeRequested', legA: 0, legB: 1, recordingId: '' });
    await fact('BridgeStarted');
    await later(500);
    assert.deepEqual(facts, []);
    ask({ type: 'SessionChangeRequested', leg: 0, sdp: answer, isOffer: false, sdpVersion: 2 });
    await fact('SessionChanged');
    assert.deepEqual(await fact('PlayFinished'), { type: 'PlayFinished', requestId: seq, playedMs: 600 });
    await later(60);
    heardIn(phone.heard.pcm, prompt);
    assert.equal((await fact('RecordFinished')).reason, 'silence');

    const stopped = play(1, prompt);
    ask({ type: 'PlayStopRequested', leg: 1, play: stopped });
    assert.deepEqual(await fact('PlayStopped'), { type: 'PlayStopped', requestId: stopped, playedMs: 0 });
  });
});

describe('bounds', () => {
  it('beyond its legs the worker is full, unknown legs are lost, an unknown release is still settled', async () => {
    const { ask, fact, leg } = engine();
    for (let n = 0; n < 4; n++) await leg(n);
    const phone = await openPeer();
    phones.push(phone);
    const wish = { type: 'SessionRequested', leg: 0, offer: phone.offer(), sdpId: 1, sdpVersion: 1 } as const;
    ask(wish, 'another call');
    assert.equal((await fact('SessionFailed')).reason, 'full');
    ask({ ...wish, offer: 'v=1' }, 'c2');
    assert.match((await fact('SessionFailed')).reason, /full|bad-sdp/);
    ask({ type: 'PlayRequested', leg: 9, loop: 1, items: [] });
    assert.equal((await fact('PlayFailed')).reason, 'lost');
    const seq = ask({ type: 'ReleaseRequested', leg: 9 });
    assert.deepEqual(await fact('SessionReleased'), { type: 'SessionReleased', requestId: seq, leg: 9 });
  });
});
