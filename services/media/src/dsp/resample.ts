// Any common rate to 8 kHz through a windowed-sinc low-pass, one polyphase bank per rate.
// It refuses rates outside 4 to 192 kHz and those whose bank would be too large (191,999 Hz shares no period with 8 kHz),
// and never decimates without the filter: that would fold hiss into speech.

export const RATE = 8000;
const RATE_MIN = 4000;
const RATE_MAX = 192_000;
/** The bank of 11,025 Hz has 21,760; that of 191,999 Hz would have nine million, which take seconds. */
const WEIGHTS_MAX = 200_000;
const BANKS_KEPT = 16;
/** Half the kernel in periods of the lower rate: -6 dB at 3.7 kHz, 60 dB down where aliases would fall below 3.4 kHz. */
const HALF_PERIODS = 24;
const CUTOFF = 0.925;
const KAISER_BETA = 6;

type Bank = { phases: number; step: number; taps: number; weights: Float32Array };

const banks = new Map<number, Bank>();

/** Between the lowest and the highest rate, but for odd ones, whose bank would be too large. */
export function canResample(rate: number): boolean {
  if (!Number.isInteger(rate) || rate < RATE_MIN || rate > RATE_MAX) return false;
  return rate === RATE || phasesOf(rate) * tapsOf(rate) <= WEIGHTS_MAX;
}

const phasesOf = (rate: number) => RATE / greatestCommonDivisor(rate, RATE);
const tapsOf = (rate: number) => 2 * Math.ceil(HALF_PERIODS * Math.max(1, rate / RATE));

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function besselI0(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; k < 25; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

/** Weights for each of the positions that an output sample can have between two input samples. */
function buildBank(rate: number): Bank {
  const phases = phasesOf(rate);
  const scale = (Math.min(rate, RATE) / rate) * CUTOFF;
  const taps = tapsOf(rate);
  const half = taps / 2;
  const weights = new Float32Array(phases * taps);
  for (let phase = 0; phase < phases; phase++) {
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) {
      const distance = tap - half + 1 - phase / phases;
      const x = Math.PI * scale * distance;
      const window = besselI0(KAISER_BETA * Math.sqrt(Math.max(0, 1 - (distance / half) ** 2)));
      const weight = (x === 0 ? 1 : Math.sin(x) / x) * window;
      weights[phase * taps + tap] = weight;
      sum += weight;
    }
    for (let tap = 0; tap < taps; tap++) weights[phase * taps + tap]! /= sum;
  }
  return { phases, step: (rate * phases) / RATE, taps, weights };
}

function bankOf(rate: number): Bank {
  const known = banks.get(rate);
  if (known) return known;
  if (banks.size >= BANKS_KEPT) banks.delete(banks.keys().next().value!);
  const bank = buildBank(rate);
  banks.set(rate, bank);
  return bank;
}

/** `input` is mono, -1 … 1, at `rate` Hz (see `canResample`); the result is linear 16-bit at 8 kHz. */
export function toEightKilohertz(input: Float32Array, rate: number): Int16Array {
  const output = new Int16Array(Math.floor((input.length * RATE) / rate));
  if (output.length === 0) return output;
  if (rate === RATE) {
    for (let n = 0; n < output.length; n++) output[n] = toSample(input[n]!);
    return output;
  }
  const { phases, step, taps, weights } = bankOf(rate);
  const half = taps / 2;
  for (let n = 0; n < output.length; n++) {
    const at = n * step;
    const base = Math.floor(at / phases) - half + 1;
    const row = (at % phases) * taps;
    const from = Math.max(0, -base);
    const to = Math.min(taps, input.length - base);
    let value = 0;
    for (let tap = from; tap < to; tap++) value += input[base + tap]! * weights[row + tap]!;
    output[n] = toSample(value);
  }
  return output;
}

function toSample(value: number): number {
  return Math.max(-32_768, Math.min(32_767, Math.round(value * 32_768)));
}
