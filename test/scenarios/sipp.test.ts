/**
 * A stranger's telephone calls and is called: Debian's SIPp, with its own captures of pressed keys, by both codecs, with
 * keys as events and as tones, with a delayed offer, on hold, over UDP and TCP.
 */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Codec, encodeAll } from '../../services/media/src/codec/codec.ts';
import { keyTone, openPeer, PCMA, PCMU } from '../../services/media/src/peer/index.ts';
import { freePorts } from '../kit/ports.ts';
import { all, openScene, outcome, type Scene, verbs } from '../kit/scene.ts';
import { assertTones } from '../kit/tones.ts';

const GATHER =
  '<Response><Gather numDigits="2" timeout="10000"><Say>Press two keys.</Say><Switch><Case dtmf="42"><Say>Right.</Say></Case></Switch></Gather></Response>';
const ENTERED = ['Gather[0] entered 42', 'Gather[0].Case[0].Say[0] finished'];
const FILES = fileURLToPath(new URL('./sipp/', import.meta.url));
const CAPTURES = '/usr/share/sip-tester/dtmf_2833_4.pcap';
const missing = spawnSync('sipp', ['-v']).error ? 'sipp (Debian: sip-tester) is not installed' : false;

let scene: Scene;

/** `ear`: a port of ours where SIPp lets its RTP be sent. */
type Options = { codec?: Codec; transport?: 'u1' | 't1'; user?: string; port?: number; ear?: number };

/** The payload type that SIPp's captures carry, so that the offer can name it. */
function eventsOfCaptures(): string {
  const capture = readFileSync(CAPTURES);
  const rtp = 24 + 16 + 14 + 20 + 8; // file, record, Ethernet, IP and UDP headers
  return String(capture[rtp + 1]! & 0x7f);
}

/** The tones of 4 and 2, as a file of bytes. */
function tones(codec: Codec): Uint8Array {
  const silence = new Int16Array(1_600);
  const parts = [silence, keyTone('4', 120)!, silence, keyTone('2', 120)!, silence, silence, silence];
  return encodeAll(codec, Int16Array.from(parts.flatMap((p) => [...p])));
}

/** Runs one scenario file once. @returns what it logged, a line each. @throws Error with SIPp's complaints */
async function sipp(
  name: string,
  { codec = PCMU, transport = 'u1', user = 'sipp', port, ear = 0 }: Options,
): Promise<string[]> {
  const cwd = mkdtempSync(join(tmpdir(), 'opentact-sipp-'));
  writeFileSync(join(cwd, 'tones.raw'), tones(codec));
  const [sip, media] = await freePorts(2);
  const keys = { payload: String(codec.payloadType), codec: codec.name, events: eventsOfCaptures(), ear: String(ear) };
  const args = [
    ...['-sf', join(FILES, `${name}.xml`), '-t', transport, '-s', user, '-i', '127.0.0.1', '-mi', '127.0.0.1'],
    ...['-p', String(port ?? sip), '-mp', String(media), '-m', '1', '-nostdin', '-timeout', '25s', '-timeout_error'],
    ...['-trace_logs', '-trace_err', ...Object.entries(keys).flatMap(([key, value]) => ['-key', key, value])],
    scene.platform.sip,
  ];
  try {
    const failed = await new Promise<Error | null>(
      (done) => void execFile('sipp', args, { cwd }, (error) => done(error)),
    );
    const files = readdirSync(cwd);
    const text = (end: string) =>
      files.filter((f) => f.endsWith(end)).map((f) => readFileSync(join(cwd, f), 'utf8'))[0] ?? '';
    if (failed) throw new Error(`SIPp ${name}: ${failed.message}\n${text('_errors.log')}`);
    return text('_logs.log').split('\n').filter(Boolean);
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

/** SIPp calls this document. @returns the story, and what SIPp logged */
async function calls(name: string, xml: string, options: Options = {}) {
  const { user } = await scene.platform.control.stage(xml, true);
  const logged = await sipp(name, { ...options, user });
  const callId = logged.find((l) => l.startsWith('call '))!.slice('call '.length);
  return { story: await scene.platform.ended(callId), logged };
}

describe('a stranger’s telephone', { skip: missing, concurrency: 2, timeout: 120_000 }, () => {
  before(
    async () => {
      scene = await openScene();
    },
    { timeout: 90_000 },
  );
  after(() => scene?.close());

  for (const codec of [PCMU, PCMA]) {
    it(`calls by ${codec.name}, and its keys are understood`, async () => {
      const { story } = await calls('keys', GATHER, { codec });
      assert.deepEqual(verbs(story), ENTERED);
      assert.equal(outcome(story), 'document: document-end');
      assert.match(all(story, 'AnswerRequested')[0]!.sdp, new RegExp(`m=audio \\d+ RTP/AVP ${codec.payloadType} `));
    });

    it(`offers no telephone events: its tones in ${codec.name} are understood, each key once`, async () => {
      const { story } = await calls(codec === PCMU ? 'tones' : 'tones-pcma', GATHER, { codec });
      assert.deepEqual(verbs(story), ENTERED);
      assert.equal(all(story, 'DigitPressed').length, 2);
      assert.doesNotMatch(all(story, 'AnswerRequested')[0]!.sdp, /telephone-event/);
    });
  }

  it('hears a Tone in PCMA: its frequencies, on and off as often as asked', async () => {
    const ear = await openPeer({ codec: PCMA });
    const tone = '<Response><Tone hz="480,620" don="250" doff="250" loop="4"/></Response>';
    const { story } = await calls('ear', tone, { codec: PCMA, ear: ear.port });
    assert.deepEqual(verbs(story), ['Tone[0] finished']);
    assertTones(ear.heard.pcm, [{ hz: [480, 620], onMs: 250, offMs: 250, times: 4 }]);
    await ear.close();
  });

  it('calls over TCP', async () => {
    const { story } = await calls('keys', GATHER, { transport: 't1' });
    assert.deepEqual(verbs(story), ENTERED);
    assert.equal(all(story, 'CallArrived')[0]!.transport, 'tcp');
  });

  it('leaves the offer to us, and answers in its ACK', async () => {
    const { story } = await calls('delayed-offer', GATHER);
    assert.equal(all(story, 'CallArrived')[0]!.sdp, '');
    assert.match(all(story, 'LegConfirmed')[0]!.sdp, /^v=0/);
    assert.deepEqual(verbs(story), ENTERED);
  });

  it('puts the call on hold and comes back to it', async () => {
    const { story } = await calls('hold', GATHER);
    assert.deepEqual(
      all(story, 'SessionChanged').map((e) => e.held),
      [true, false],
    );
    assert.equal(all(story, 'OfferAnswered').length, 2);
    assert.deepEqual(verbs(story), ENTERED);
  });

  it('is dialled, speaks with the caller, and hangs up: the flow goes on', async () => {
    const [port] = await freePorts(1);
    const callee = sipp('callee', { codec: PCMA, port: port! });
    const call = await scene.dial(
      `<Response><Dial><Sip>sipp@127.0.0.1:${port}</Sip></Dial><Say>Back.</Say></Response>`,
    );
    const story = await scene.platform.ended(call.platformCallId);
    assert.deepEqual(verbs(story), ['Dial[0] callee-hung-up', 'Say[0] finished']);
    assert.equal((await callee).length, 1);
    assert.ok(loudness(call.peer.heard.pcm) > 500, 'the caller heard SIPp’s voice, though it spoke the other codec');
    const bridged = all(story, 'BridgeStarted')[0]!.at;
    assert.ok(all(story, 'LegEnded').find((e) => e.leg === 1)!.at - bridged > 2_000);
  });

  it('is dialled over TCP', async () => {
    const [port] = await freePorts(1);
    const callee = sipp('callee', { codec: PCMU, port: port!, transport: 't1' });
    const call = await scene.dial(
      `<Response><Pause length="1000"/><Dial><Sip>sipp@127.0.0.1:${port};transport=tcp</Sip></Dial></Response>`,
    );
    const story = await scene.platform.ended(call.platformCallId);
    await callee;
    assert.deepEqual(verbs(story), ['Pause[0] finished', 'Dial[0] callee-hung-up']);
  });
});

/** Loudest sample but for the loudest hundredth. */
function loudness(pcm: Int16Array): number {
  const levels = pcm.map((s) => Math.abs(s)).sort();
  return levels[Math.floor(levels.length * 0.99)] ?? 0;
}
