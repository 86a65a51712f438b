// Frequencies that sound together, on and off in turn, exact to the sample. It refuses to keep more than a second of
// them, however long they last: of whole Hz a second repeats without a seam. Soft edges are kept beside it.
import type { PlayItem } from '@opentact/proto/events';
import type { Codec } from '../codec/codec.ts';
import { type Clip, clipOf } from './clip.ts';

export type TonePattern = Extract<PlayItem, { kind: 'pattern' }>['value'];

/** Lengths in samples; `cycles` and `on` may be infinite. `clip`: a second, then the rising edge, then the falling one. */
export type Cadence = { clip: Clip; on: number; off: number; cycles: number };

const SECOND = 8000;
/** 2 ms of edge at either end, so that nothing clicks. */
const EDGE = 16;
const RISING = SECOND;
const FALLING = SECOND + EDGE;
/** The loudest that every codec of ours can say. */
const FULL_SCALE = 32_124;
const HZ_MAX = 4;

/** On and off in samples. Without a pause the cycles are one tone. @throws Error where it is no pattern of ours */
export function cadenceTimes({ hz, onMs, offMs, cycles, volumeDb }: TonePattern): Omit<Cadence, 'clip'> {
  if (hz.length < 1 || hz.length > HZ_MAX)
    throw new Error(`${hz.length} frequencies; 1 to ${HZ_MAX} can sound together`);
  if (!hz.every((one) => Number.isInteger(one) && one >= 20 && one < 4000))
    throw new Error('no frequency of 20 to 3999 Hz');
  if (!(onMs >= 1 && offMs >= 0 && cycles >= 1)) throw new Error('nothing would be heard');
  if (!(volumeDb <= 0 && volumeDb >= -70)) throw new Error('no volume of -70 to 0 dB');
  const [on, off] = [onMs * 8, offMs * 8];
  return off === 0 ? { on: on * cycles, off: 0, cycles: 1 } : { on, off, cycles };
}

/** A second of the tone and its edges; `on` says where in the second it ends. */
export function cadenceClip({ hz, volumeDb }: TonePattern, on: number): Clip {
  // The level is that of the whole: even where all crests meet, nothing clips.
  const amplitude = (FULL_SCALE * 10 ** (volumeDb / 20)) / hz.length;
  const sound = new Float64Array(SECOND + 2 * EDGE);
  for (let n = 0; n < SECOND; n++)
    for (const one of hz) sound[n]! += amplitude * Math.sin((2 * Math.PI * one * n) / SECOND);
  const edge = edgeOf(on);
  for (let n = 0; n < edge; n++) {
    sound[RISING + n] = sound[n]! * ((n + 0.5) / edge);
    if (on < Number.POSITIVE_INFINITY) sound[FALLING + n] = sound[(on - edge + n) % SECOND]! * (1 - (n + 0.5) / edge);
  }
  return clipOf(Int16Array.from(sound, Math.round));
}

const edgeOf = (on: number) => Math.min(EDGE, Math.floor(on / 2));

/** Frames of 20 ms until it is over. */
export const cadenceFrames = ({ on, off, cycles }: Cadence): number => Math.ceil(((on + off) * cycles) / 160);

/** Writes `count` samples of it, from its sample `from` on. `bytes`: its clip's, by that codec. No allocation. */
export function copyCadence(
  cadence: Cadence,
  codec: Codec,
  bytes: Buffer,
  from: number,
  target: Buffer,
  at: number,
  count: number,
): void {
  const { sampleBytes, silence } = codec;
  const cycle = cadence.on + cadence.off;
  for (let done = 0; done < count; ) {
    const position = from + done;
    const isOver = position >= cycle * cadence.cycles;
    const place = cycle < Number.POSITIVE_INFINITY ? position % cycle : position;
    const length = isOver ? count - done : Math.min(count - done, runLength(cadence.on, cycle, place));
    const source = isOver ? -1 : sourceOf(cadence.on, place);
    const to = at + done * sampleBytes;
    if (source < 0) target.fill(silence, to, to + length * sampleBytes);
    else bytes.copy(target, to, source * sampleBytes, (source + length) * sampleBytes);
    done += length;
  }
}

/** Where in the clip the sample at `place` of a cycle lies; -1: it is silent. */
function sourceOf(on: number, place: number): number {
  const edge = edgeOf(on);
  if (place < edge) return RISING + place;
  if (place < on - edge) return place % SECOND;
  return place < on ? FALLING + place - (on - edge) : -1;
}

/** How many samples from `place` on lie one after the other in the clip, or are silent. */
function runLength(on: number, cycle: number, place: number): number {
  const edge = edgeOf(on);
  if (place < edge) return edge - place;
  if (place < on - edge) return Math.min(on - edge - place, SECOND - (place % SECOND));
  return place < on ? on - place : cycle - place;
}

/** A play of one pattern and nothing else is heard without a seam between its rounds: they become cycles. */
export function withoutSeam<P extends { items: PlayItem[]; loop: number }>(play: P): P {
  const [item] = play.items;
  if (play.items.length !== 1 || item?.kind !== 'pattern') return play;
  const cycles = play.loop === 0 ? Number.POSITIVE_INFINITY : item.value.cycles * play.loop;
  return { ...play, loop: 1, items: [{ kind: 'pattern', value: { ...item.value, cycles } }] };
}
