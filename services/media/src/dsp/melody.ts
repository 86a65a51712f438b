// The music of a call on hold: a melody of our own over broken chords, on plucked strings, 20 seconds that loop.
// It refuses to end: what still sounds at the last beat goes on over the first, so that the loop has no seam.

const RATE = 8000;
/** Samples: 96 beats a minute. */
const EIGHTH = 2500;
const BAR = 8 * EIGHTH;
const LOUDEST = 6000;
/** How long a string sounds, and how fast: amplitude falls to a third in `FADES`. Samples. */
const SOUNDS = 2.4 * RATE;
const FADES = 0.55 * RATE;
const ATTACK = 40;
/** Level of the fundamental and its overtones. */
const OVERTONES = [1, 0.35, 0.12];

/** One bar: the bass, the chord that is broken, and the tune by eighths. Notes are MIDI numbers, 0 is a rest. */
type Bar = { bass: number; chord: readonly number[]; tune: readonly number[] };

// In D: I iii vi IV, ii V I V. The tune leans on the beats that the bass leaves alone.
const BARS: readonly Bar[] = [
  { bass: 50, chord: [62, 66, 69], tune: [78, 0, 0, 76, 74, 0, 0, 0] },
  { bass: 54, chord: [61, 66, 69], tune: [73, 0, 74, 0, 0, 76, 0, 0] },
  { bass: 47, chord: [62, 66, 71], tune: [78, 0, 0, 81, 0, 0, 78, 0] },
  { bass: 55, chord: [62, 67, 71], tune: [76, 0, 74, 0, 71, 0, 0, 0] },
  { bass: 52, chord: [64, 67, 71], tune: [79, 0, 78, 0, 76, 0, 0, 0] },
  { bass: 57, chord: [61, 64, 69], tune: [73, 0, 0, 76, 0, 81, 0, 0] },
  { bass: 50, chord: [62, 66, 69], tune: [78, 0, 0, 0, 74, 0, 0, 0] },
  { bass: 57, chord: [61, 64, 67], tune: [0, 0, 73, 0, 71, 0, 73, 0] },
];

/** It is struck within 5 ms, and gone within its last second. */
const SOFTLY = Float64Array.from({ length: SOUNDS }, (_, n) => Math.min(1, n / ATTACK, (SOUNDS - n) / RATE));

const frequencyOf = (note: number) => 440 * 2 ** ((note - 69) / 12);

/** Adds a plucked string to `sound` from `start` on, around its end to its beginning. */
function pluck(sound: Float64Array, note: number, start: number, level: number): void {
  for (const [index, overtone] of OVERTONES.entries()) {
    const step = (2 * Math.PI * frequencyOf(note) * (index + 1)) / RATE;
    if (step >= Math.PI) continue;
    // A decaying sine from its two last samples: y(n) = 2·d·cos(w)·y(n-1) - d²·y(n-2). Overtones fade faster.
    const decay = Math.exp(-(index + 1) / FADES);
    const turn = 2 * decay * Math.cos(step);
    let before = 0;
    let now = decay * Math.sin(step) * level * overtone;
    for (let n = 0, at = start; n < SOUNDS; n++, at = at + 1 === sound.length ? 0 : at + 1) {
      sound[at]! += now * SOFTLY[n]!;
      const next = turn * now - decay * decay * before;
      before = now;
      now = next;
    }
  }
}

/** The whole melody, 8 kHz; its last sample is followed by its first. */
export function holdMusic(): Int16Array {
  const sound = new Float64Array(BARS.length * BAR);
  for (const [index, { bass, chord, tune }] of BARS.entries()) {
    pluck(sound, bass, index * BAR, 0.9);
    for (const [eighth, note] of tune.entries()) {
      const start = index * BAR + eighth * EIGHTH;
      if (eighth > 0) pluck(sound, chord[(eighth - 1) % chord.length]!, start, 0.4);
      if (note > 0) pluck(sound, note, start, 0.7);
    }
  }
  const peak = sound.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  return Int16Array.from(sound, (sample) => Math.round((sample * LOUDEST) / peak));
}
