/** What every codec of ours owes, whichever it is. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { composeOffer } from '../sdp/compose.ts';
import { codecsOf } from '../sdp/negotiate.ts';
import { parseSdp } from '../sdp/parse.ts';
import { decodeAll, encodeAll } from './codec.ts';
import { CODECS, staticCodec } from './codecs.ts';

for (const codec of CODECS)
  describe(codec.name, () => {
    it('keeps 35 dB of signal to noise of a sine', () => {
      const sine = Int16Array.from({ length: 8000 }, (_, n) => 12_000 * Math.sin((2 * Math.PI * 440 * n) / 8000));
      const heard = decodeAll(codec, encodeAll(codec, sine));
      let signal = 0;
      let noise = 0;
      for (let n = 0; n < sine.length; n++) {
        signal += sine[n]! ** 2;
        noise += (sine[n]! - heard[n]!) ** 2;
      }
      assert.ok(10 * Math.log10(signal / noise) > 35);
    });
    it('writes the frame where it is told to, and nothing beside it', () => {
      const frame = Int16Array.from({ length: codec.frameSamples }, (_, n) => 100 * n - 8000);
      const bytes = codec.frameSamples * codec.sampleBytes;
      const packet = new Uint8Array(bytes + 20).fill(0x55);
      codec.encode(frame, 0, codec.frameSamples, packet, 12);
      assert.deepEqual([packet[11], packet[12 + bytes]], [0x55, 0x55]);
      const heard = new Int16Array(codec.frameSamples + 2).fill(77);
      codec.decode(packet, 12, 12 + bytes, heard, 1);
      assert.deepEqual([heard[0], heard.at(-1)], [77, 77]);
      for (const [n, sample] of frame.entries()) assert.ok(Math.abs(heard[n + 1]! - sample) < 260, `${n}`);
    });
    it('silence is what nothing becomes', () => {
      const nothing = encodeAll(codec, new Int16Array(2));
      assert.ok(nothing.every((byte) => byte === codec.silence));
    });
    it('is offered, and known by its name and its payload type', () => {
      const sdp = composeOffer({ id: 1, version: 1, address: '192.0.2.1', port: 4000 }, codec);
      const [first] = codecsOf(parseSdp(sdp)!.media[0]!);
      assert.equal(first?.codec, codec);
      if (codec.payloadType !== undefined) assert.equal(staticCodec(codec.payloadType), codec);
    });
  });
