// Tones made of sines: call progress (North American plan), music on hold, the sixteen keys. It refuses unknown names.
// Levels leave headroom, so that a tone mixed with a voice doesn't clip.
import { holdMusic } from './melody.ts';

const AMPLITUDE = 5000;
const RATE = 8000;
const KEY_ROWS = [697, 770, 852, 941];
const KEY_COLUMNS = [1209, 1336, 1477, 1633];
const KEYPAD = '123A456B789C*0#D';

/** The two frequencies of a key in Hz (ITU-T Q.23); undefined for what is no key. */
export function keyFrequencies(digit: string): [number, number] | undefined {
  const at = digit.length === 1 ? KEYPAD.indexOf(digit) : -1;
  return at < 0 ? undefined : [KEY_ROWS[at >> 2]!, KEY_COLUMNS[at & 3]!];
}

/** The key at the crossing of a row and a column, each counted from 0. */
export function keyAt(row: number, column: number): string {
  return KEYPAD[row * 4 + column]!;
}

export const KEY_FREQUENCIES: readonly number[] = [...KEY_ROWS, ...KEY_COLUMNS];

function sum(frequencies: readonly number[], onMs: number, cycleMs: number): Int16Array {
  const samples = new Int16Array((cycleMs * RATE) / 1000);
  const on = (onMs * RATE) / 1000;
  for (let n = 0; n < on; n++) {
    let value = 0;
    for (const frequency of frequencies) value += Math.sin((2 * Math.PI * frequency * n) / RATE);
    samples[n] = AMPLITUDE * value;
  }
  return samples;
}

/** A named tone as it is repeated, whole frames of 8 kHz; undefined for an unknown name. */
export function namedTone(name: string): Int16Array | undefined {
  switch (name) {
    case 'ringback':
      return sum([440, 480], 2000, 6000);
    case 'busy':
      return sum([480, 620], 500, 1000);
    case 'hold-music':
      return holdMusic();
    default:
      return undefined;
  }
}

/** A key's tone of `durationMs`, 8 kHz; undefined for what is no key. */
export function keyTone(digit: string, durationMs: number): Int16Array | undefined {
  const pair = keyFrequencies(digit);
  return pair && sum(pair, durationMs, durationMs);
}
