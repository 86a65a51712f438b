/**
 * Are these the tones that were asked for? Their frequencies, how long they sound and how long they are silent, measured
 * in what a phone heard. It forgives a frame that a busy machine lost, as an ear does.
 */
import assert from 'node:assert/strict';
import { soundsIn, tonesIn } from '../../services/media/src/peer/index.ts';

/** Frequencies that sound together, on and off so often. */
export type Beeps = { hz: number[]; onMs: number; offMs: number; times: number };

/** A frame, and the softness of an edge. */
const OFF_MS = 22;
/** Silence longer than two lost frames is silence. */
const GAP_MS = 45;

/** Asserts that exactly these were heard, one after the other. */
export function assertTones(heard: Int16Array, wanted: Beeps[]): void {
  const sounds = soundsIn(heard, GAP_MS);
  const told = sounds.map(({ fromMs, toMs }) => `${Math.round(fromMs)}-${Math.round(toMs)}`).join(' ');
  assert.equal(
    sounds.length,
    wanted.reduce((sum, { times }) => sum + times, 0),
    told,
  );
  for (const { hz, onMs, offMs, times } of wanted) {
    const beeps = sounds.splice(0, times);
    for (const [n, { fromMs, toMs }] of beeps.entries()) {
      const fromWanted = beeps[0]!.fromMs + n * (onMs + offMs);
      assert.ok(Math.abs(fromMs - fromWanted) <= OFF_MS, `${hz} begins at ${fromMs}, not ${fromWanted} ms: ${told}`);
      assert.ok(Math.abs(toMs - fromMs - onMs) <= OFF_MS, `${hz} lasts ${toMs - fromMs}, not ${onMs} ms: ${told}`);
      assertHeard(heard.subarray(Math.round(fromMs * 8), Math.round(toMs * 8)), hz);
    }
  }
}

/** These frequencies within 1 %, and no other within 20 dB of them, in the longest piece that has no hole. */
function assertHeard(sound: Int16Array, hz: number[]): void {
  const [piece] = soundsIn(sound).sort((a, b) => b.toMs - b.fromMs - (a.toMs - a.fromMs));
  const { fromMs, toMs } = piece!;
  const found = tonesIn(sound.subarray(Math.round(fromMs * 8), Math.round(toMs * 8))).map((tone) => tone.hz);
  const is = found.length === hz.length && found.every((one, n) => Math.abs(one - hz[n]!) <= hz[n]! / 100);
  assert.ok(is, `in ${Math.round(toMs - fromMs)} ms ${found} Hz were heard, not ${hz}`);
}
