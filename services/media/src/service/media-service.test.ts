import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import type { CallEvent, Fact, Observed, PlayItem } from '@opentact/proto/events';
import { parseAllowList } from '@opentact/runtime';
import { heardOf } from '../audio/clip.ts';
import { wavFile } from '../audio/wav-header.ts';
import { readWav } from '../audio/wav-read.ts';
import {
  correlate,
  openPeer,
  PCMA,
  PCMU,
  type PeerOptions,
  type RtpPeer,
  resemblance,
  soundsIn,
  tonesIn,
} from '../peer/index.ts';
import type { FetchPrompt } from '../prompt/fetch.ts';
import { fliteSpeaker } from '../speech/speaker.ts';
import { createMedia } from './create-media.ts';

const later = (ms: number) => new Promise((go) => setTimeout(go, ms));
const home = mkdtempSync(join(tmpdir(), 'opentact-media-'));
const PORTS = { first: 24_000, last: 24_019 };

function heardIn(heard: Int16Array, wanted: Int16Array): void {
  const found = resemblance(heard, wanted);
  assert.ok(found > 0.8, `resemblance ${found.toFixed(2)}`);
}

function melody(ms: number, step: number): Int16Array {
  return Int16Array.from({ length: ms * 8 }, (_, n) => {
    const note = 300 + 170 * ((Math.floor(n / 400) * step) % 11);
    return 8000 * Math.sin((2 * Math.PI * note * n) / 8000);
  });
}

describe('the media service', () => {
  const reported: { callId: string; fact: Observed }[] = [];
  const forgotten: string[] = [];
  const fetched: string[] = [];
  const phones: RtpPeer[] = [];
  const speaker = fliteSpeaker();
  let media: ReturnType<typeof createMedia>;
  let seq = 0;

  const fetchPrompt: FetchPrompt = async (url) => {
    fetched.push(url);
    if (url.includes('missing')) throw new Error('404');
    return { unchanged: false, bytes: wavFile(melody(500, 3)), etag: '"1"' };
  };

  before(() => {
    mkdirSync(join(home, 'recordings'), { recursive: true });
    mkdirSync(join(home, 'prompts', 'acme'), { recursive: true });
    writeFileSync(join(home, 'prompts', 'acme', 'tune.wav'), wavFile(melody(400, 5)));
    const quiet = () => {};
    media = createMedia({
      home,
      bind: '127.0.0.1',
      advertise: '127.0.0.1',
      rtpPorts: PORTS,
      workers: 2,
      allowed: parseAllowList('127.0.0.1'),
      fetchPrompt,
      speaker,
      recogniser: { recognise: async (file, lang) => `${basename(file)} in ${lang}` },
      engines: {
        report: async (callId, fact) => void reported.push({ callId, fact }),
        forget: (callId) => void forgotten.push(callId),
      },
      log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      failed: (error) => assert.fail(String(error)),
    });
  });
  // A phone that goes on sending would be heard by whoever has its port next: there are few of them here.
  afterEach(() => Promise.all(phones.splice(0).map((phone) => phone.close())));
  after(async () => {
    await media.close();
    await allPortsAreFree();
    rmSync(home, { recursive: true });
  });

  function ask(callId: string, wish: Fact): number {
    media.service.ask({ ...wish, callId, seq: ++seq, at: 0 } as CallEvent);
    return seq;
  }
  async function fact<T extends Observed['type']>(callId: string, type: T): Promise<Extract<Observed, { type: T }>> {
    for (const until = performance.now() + 20_000; performance.now() < until; await later(5)) {
      const at = reported.findIndex((one) => one.callId === callId && one.fact.type === type);
      if (at >= 0) return reported.splice(at, 1)[0]!.fact as Extract<Observed, { type: T }>;
    }
    throw new Error(`no ${type} of ${callId}; there are ${JSON.stringify(reported)}`);
  }
  async function leg(callId: string, number: number, options: PeerOptions = {}): Promise<RtpPeer> {
    const phone = await openPeer(options);
    phones.push(phone);
    ask(callId, { type: 'SessionRequested', leg: number, offer: phone.offer(), sdpId: 1, sdpVersion: 1 });
    phone.connect((await fact(callId, 'SessionReady')).sdp);
    return phone;
  }
  /** What was sent is on its way for a while, longer where this thread is late. */
  async function hears(phone: RtpPeer, wanted: Int16Array): Promise<void> {
    for (const until = performance.now() + 20_000; performance.now() < until; await later(40))
      if (resemblance(phone.heard.pcm, wanted) > 0.8) return;
    heardIn(phone.heard.pcm, wanted);
  }
  async function release(callId: string, number: number): Promise<void> {
    ask(callId, { type: 'ReleaseRequested', leg: number });
    await fact(callId, 'SessionReleased');
  }
  async function allPortsAreFree(): Promise<void> {
    for (let port = PORTS.first; port <= PORTS.last; port++) {
      const probe = createSocket('udp4');
      await new Promise<void>((bound, failed) => probe.once('error', failed).bind(port, '127.0.0.1', bound));
      await new Promise<void>((closed) => probe.close(closed));
    }
  }

  it('items of every kind are heard in their order, gapless for the ear', async () => {
    const phone = await leg('all', 0);
    const play = ask('all', {
      type: 'PlayRequested',
      leg: 0,
      loop: 1,
      items: [
        { kind: 'say', value: { text: 'Welcome to Opentact.', voice: '', gender: 'FEMALE', lang: 'en-US' } },
        { kind: 'silenceMs', value: 200 },
        { kind: 'url', value: 'http://shop.example/jingle.wav' },
        { kind: 'prompt', value: 'acme/tune.wav' },
      ],
    });
    const finished = await fact('all', 'PlayFinished');
    await later(80);
    const spoken = await speaker.speak('Welcome to Opentact.', 'slt');
    assert.deepEqual([finished.requestId, finished.playedMs], [play, spoken.frames * 20 + 200 + 500 + 400]);
    const wanted = [heardOf(spoken, PCMU), melody(500, 3), melody(400, 5)];
    for (const one of wanted) heardIn(phone.heard.pcm, one);
    const places = wanted.map((one) => correlate(phone.heard.pcm, one.subarray(0, 3200)));
    assert.ok(places[0]!.atMs < places[1]!.atMs && places[1]!.atMs < places[2]!.atMs);
    // The promise is 100 ms; the phone of this test shares its thread with the test.
    assert.ok(phone.heard.longestGapMs < 300, `${phone.heard.longestGapMs} ms without a packet`);
    await release('all', 0);
    await later(20);
    assert.ok(forgotten.includes('all'));
  });

  it('what is hinted is ready when it is asked for', async () => {
    const verbs = JSON.stringify({ verbs: [{ name: 'Say', text: 'Soon to be heard.', gender: 'MALE', lang: '' }] });
    await media.service.hint('hinted', {
      type: 'DocumentAccepted',
      document: 1,
      requestId: 0,
      purpose: 'flow',
      languageVersion: 1,
      verbs,
      warnings: [],
    });
    const phone = await leg('hinted', 0);
    const from = performance.now();
    const value = { text: 'Soon to be heard.', voice: '', gender: 'MALE', lang: '' };
    ask('hinted', { type: 'PlayRequested', leg: 0, loop: 1, items: [{ kind: 'say', value }] });
    while (!phone.heard.pcm.some((sample) => Math.abs(sample) > 1000) && performance.now() - from < 20_000)
      await later(5);
    assert.ok(performance.now() - from < 1_000, `${performance.now() - from} ms`);
    await release('hinted', 0);
  });

  it('the voice that spoke is named where the one asked for is not there', async () => {
    await leg('voices', 0);
    const say = (text: string, voice: string, kind = '') =>
      ({ kind: 'say', value: { text, voice, gender: 'MALE', lang: 'en-GB', kind } }) as const;
    const play = (items: PlayItem[], loop = 1) => ask('voices', { type: 'PlayRequested', leg: 0, loop, items });
    play([say('one', 'en-GB-Wavenet-B'), say('two', 'kal', 'WaveNet'), say('three', 'slt', 'Standard')]);
    assert.equal((await fact('voices', 'PlayFinished')).voice, 'kal');
    play([say('three', ''), { kind: 'silenceMs', value: 20 }]);
    assert.equal((await fact('voices', 'PlayFinished')).voice, undefined);
    const stopped = play([say('one', 'nobody'), { kind: 'silenceMs', value: 60_000 }, say('two', 'kal', 'WaveNet')]);
    await later(1500);
    ask('voices', { type: 'PlayStopRequested', leg: 0, play: stopped });
    assert.equal((await fact('voices', 'PlayStopped')).voice, 'awb', 'the second never spoke');
    await release('voices', 0);
  });

  it('a tone goes on and off as asked, without a seam where it is repeated, and an impossible one fails', async () => {
    const phone = await leg('tones', 0);
    const play = (hz: number[], loop: number) =>
      ask('tones', {
        type: 'PlayRequested',
        leg: 0,
        loop,
        items: [{ kind: 'pattern', value: { hz, onMs: 110, offMs: 70, cycles: 2, volumeDb: -10 } }],
      });
    play([480, 620], 3);
    assert.equal((await fact('tones', 'PlayFinished')).playedMs, 1080);
    await later(60);
    const sounds = soundsIn(phone.heard.pcm);
    assert.equal(sounds.length, 6);
    for (const [n, { fromMs, toMs }] of sounds.entries()) {
      assert.ok(Math.abs(fromMs - sounds[0]!.fromMs - 180 * n) <= 20 && Math.abs(toMs - fromMs - 110) <= 20);
      const tones = tonesIn(phone.heard.pcm.subarray(fromMs * 8, toMs * 8)).map(({ hz }) => hz);
      assert.ok(tones.length === 2 && Math.abs(tones[0]! - 480) < 5 && Math.abs(tones[1]! - 620) < 7, `${tones}`);
    }
    play([5000], 1);
    assert.equal((await fact('tones', 'PlayFailed')).reason, 'format');
    await release('tones', 0);
  });

  it('words of a recording are told after the session is gone, and then the call is forgotten', async () => {
    await leg('words', 0);
    await release('words', 0);
    await later(20);
    const before = forgotten.filter((callId) => callId === 'words').length;
    const recordingId = '0a0a0a0a-0000-8000-8000-000000000001';
    const request = ask('words', { type: 'TranscriptRequested', recordingId, tag: '', lang: 'en-US' });
    assert.deepEqual(media.service.held(), ['words']);
    const ready = await fact('words', 'TranscriptReady');
    assert.deepEqual([ready.requestId, ready.text], [request, `${recordingId}.wav in en-US`]);
    await later(20);
    assert.deepEqual(media.service.held(), []);
    assert.equal(forgotten.filter((callId) => callId === 'words').length, before + 1);
  });

  it('what can not be had fails the play with its reason, after what came before it was heard', async () => {
    const phone = await leg('missing', 0);
    ask('missing', {
      type: 'PlayRequested',
      leg: 0,
      loop: 1,
      items: [
        { kind: 'prompt', value: 'acme/tune.wav' },
        { kind: 'url', value: 'http://shop.example/missing.wav' },
      ],
    });
    const failed = await fact('missing', 'PlayFailed');
    assert.deepEqual([failed.reason, failed.detail], ['fetch', '404']);
    await hears(phone, melody(400, 5));
    await release('missing', 0);
  });

  it('the legs of a call meet in one worker, and a recording of the call can be played to it', async () => {
    const [a, b] = [await leg('pair', 0), await leg('pair', 1, { codec: PCMA })];
    const recordingId = '0a0a0a0a-0000-8000-8000-000000000001';
    ask('pair', { type: 'BridgeRequested', legA: 0, legB: 1, recordingId: '' });
    await fact('pair', 'BridgeStarted');
    ask('pair', { type: 'RecordRequested', leg: 1, recordingId, tag: '', maxMs: 0, silenceMs: 0, stopKeys: '' });
    await later(60);
    await b.say(melody(600, 4));
    await later(200);
    ask('pair', { type: 'RecordStopRequested', leg: 1, record: seq });
    const finished = await fact('pair', 'RecordFinished');
    assert.equal(finished.reason, 'stopped');
    const file = readWav(readFileSync(join(home, 'recordings', `${recordingId}.wav`)));
    heardIn(file, melody(600, 4));
    heardIn(a.heard.pcm, melody(600, 4));
    ask('pair', { type: 'BridgeStopRequested', bridge: seq - 2 });
    assert.equal((await fact('pair', 'BridgeEnded')).reason, 'stopped');
    const before = a.heard.pcm.length / 8;
    ask('pair', { type: 'PlayRequested', leg: 0, loop: 1, items: [{ kind: 'recording', value: recordingId }] });
    await fact('pair', 'PlayFinished');
    await later(60);
    heardIn(a.heard.pcm.subarray(8 * Math.floor(before)), melody(600, 4));
    await release('pair', 1);
    await release('pair', 0);
  });

  it('a leg moves beside another call to be bridged with it, and what its call leaves behind is released', async () => {
    const host = await leg('host', 0);
    // On the other worker, with a leg that it will not take along.
    await leg('guest', 0);
    await leg('guest', 1);
    const phone = await openPeer();
    phones.push(phone);
    ask('guest', { type: 'ReleaseRequested', leg: 0 });
    const moved = { type: 'SessionRequested', leg: 0, offer: phone.offer(), sdpId: 1, sdpVersion: 2 } as const;
    ask('guest', { ...moved, beside: 'host' });
    phone.connect((await fact('guest', 'SessionReady')).sdp);
    await fact('guest', 'SessionReleased');
    ask('host', { type: 'BridgeRequested', legA: 0, legB: 0, recordingId: '', callB: 'guest' });
    await fact('host', 'BridgeStarted');
    await later(60);
    await phone.say(melody(600, 4));
    await later(200);
    heardIn(host.heard.pcm, melody(600, 4));
    await release('guest', 1);
    await release('guest', 0);
    assert.equal((await fact('host', 'BridgeEnded')).reason, 'released');
    await release('host', 0);
  });

  it('a call that is nobody’s is released without a word', async () => {
    const phone = await leg('orphan', 0);
    await later(60);
    assert.deepEqual(media.service.held(), ['orphan']);
    media.service.gone('orphan');
    await later(80);
    const packets = phone.heard.packets;
    await later(100);
    assert.equal(phone.heard.packets, packets);
    assert.deepEqual(media.service.held(), []);
  });

  it('nothing is left: no session, no fact untold, no stray file', async () => {
    await later(600);
    assert.deepEqual(
      reported.filter(({ fact }) => fact.type !== 'DigitPressed'),
      [],
    );
    assert.equal(media.service.pool.loadPercent, 0);
    for (const { legs, freePorts } of media.service.pool.loads) assert.deepEqual([legs, freePorts], [0, 5]);
    assert.equal(readdirSync(join(home, 'recordings'), { recursive: true }).length, 2, 'one recording, and a folder');
  });
});
