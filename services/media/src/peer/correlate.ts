// Is this audio in that one, and where? Normalised cross-correlation, so that level doesn't matter.
// It refuses templates beyond four seconds: the middle of a longer one is taken.

const TEMPLATE_MAX = 4 * 8000;

/** `peak` -1 … 1, at `atMs` of `heard` counted from the template's first sample. */
export type Found = { peak: number; atMs: number };

/** Looks for `template` in `heard`, from `fromMs` on; both 8 kHz. */
export function correlate(heard: Int16Array, template: Int16Array, fromMs = 0): Found {
  const skip = Math.max(0, Math.floor((template.length - TEMPLATE_MAX) / 2));
  const wanted = Float64Array.from(template.subarray(skip, skip + TEMPLATE_MAX));
  const energy = Math.sqrt(wanted.reduce((sum, sample) => sum + sample * sample, 0));
  const from = Math.round(fromMs * 8) + skip;
  const best: Found = { peak: 0, atMs: -1 };
  if (energy === 0 || heard.length - from < wanted.length) return best;
  const samples = Float64Array.from(heard.subarray(from));
  let window = 0;
  for (let i = 0; i < wanted.length; i++) window += samples[i]! ** 2;
  for (let lag = 0; lag + wanted.length <= samples.length; lag++) {
    // An eighth of the products tells where to look closer.
    const rough = product(samples, wanted, lag, 7) * 7;
    const scale = energy * Math.sqrt(Math.max(window, 1));
    if (rough / scale > best.peak - 0.3) {
      const peak = product(samples, wanted, lag, 1) / scale;
      if (peak > best.peak) {
        best.peak = peak;
        best.atMs = Math.round((from + lag - skip) / 8);
      }
    }
    window += (samples[lag + wanted.length] ?? 0) ** 2 - samples[lag]! ** 2;
  }
  return best;
}

const PIECE = 400 * 8;

/**
 * How much of `template` is in `heard`, piece by piece of 400 ms in their order: 0 … 1. It forgives what a network or a
 * busy machine does between pieces (a jitter buffer that grows, a frame that is lost), as an ear does.
 */
export function resemblance(heard: Int16Array, template: Int16Array): number {
  let sum = 0;
  let count = 0;
  let fromMs = 0;
  for (let at = 0; at + PIECE / 2 <= template.length; at += PIECE) {
    const found = correlate(heard, template.subarray(at, at + PIECE), fromMs);
    if (found.peak > 0.5) fromMs = found.atMs;
    sum += found.peak;
    count++;
  }
  return count === 0 ? 0 : sum / count;
}

function product(samples: Float64Array, wanted: Float64Array, lag: number, step: number): number {
  let sum = 0;
  for (let i = 0; i < wanted.length; i += step) sum += samples[lag + i]! * wanted[i]!;
  return sum;
}
