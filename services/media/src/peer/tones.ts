// Which tones sound in what a test heard, how loud, and when they go on and off. It measures by Goertzel's filter under a
// bell-shaped window, and refuses to know what should be there.

/** A frequency that stands out; 0 dB is a sine that fills the scale. */
export type FoundTone = { hz: number; db: number };

const LOWEST = 60;
const HIGHEST = 3940;
/** Longer says no more, and takes longer. */
const SAMPLES_MAX = 4000;

/** The level of one frequency in 8 kHz audio, dB of full scale. */
export function levelAt(pcm: Int16Array, hz: number): number {
  const heard = pcm.subarray(0, SAMPLES_MAX);
  const turn = 2 * Math.cos((2 * Math.PI * hz) / 8000);
  let previous = 0;
  let before = 0;
  for (let n = 0; n < heard.length; n++) {
    const bell = 1 - Math.cos((2 * Math.PI * (n + 0.5)) / heard.length);
    const next = heard[n]! * bell + turn * previous - before;
    before = previous;
    previous = next;
  }
  const power = previous ** 2 + before ** 2 - turn * previous * before;
  return 10 * Math.log10(Math.max(power, 1e-9) / ((heard.length / 2) * 32_768) ** 2);
}

/** Every frequency that is a crest of the spectrum, no more than `withinDb` below the highest; the lowest first. */
export function tonesIn(pcm: Int16Array, withinDb = 20): FoundTone[] {
  const levels = Array.from({ length: HIGHEST - LOWEST + 1 }, (_, n) => levelAt(pcm, LOWEST + n));
  const highest = Math.max(...levels);
  return levels.flatMap((db, n) => {
    const isCrest = db >= (levels[n - 1] ?? -999) && db > (levels[n + 1] ?? -999);
    return isCrest && db > highest - withinDb ? [{ hz: LOWEST + n, db }] : [];
  });
}

/** From when to when something sounds, ms; silence of less than `gapMs` between is part of it. */
export function soundsIn(pcm: Int16Array, gapMs = 15): { fromMs: number; toMs: number }[] {
  const quiet = pcm.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0) / 20;
  const sounds: { fromMs: number; toMs: number }[] = [];
  for (let n = 0; n < pcm.length; n++) {
    if (Math.abs(pcm[n]!) <= quiet) continue;
    const last = sounds.at(-1);
    if (last && n / 8 - last.toMs < gapMs) last.toMs = (n + 1) / 8;
    else sounds.push({ fromMs: n / 8, toMs: (n + 1) / 8 });
  }
  return sounds;
}
