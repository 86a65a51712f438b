/** Tone: frequencies that sound together, on and off in turn, until they were heard often enough or for long enough. */
import { milliseconds } from '../language/attributes.ts';
import { type SyntaxRow, TAG } from '../language/syntax.ts';
import type { Tone } from '../language/verb.ts';
import { end, type Performer } from '../performer.ts';
import { LEG, playing, stopAll } from './playing.ts';
import { LOOP } from './say.ts';

const HZ_MAX = 4;
const CYCLES_MAX = 1000;
const LOWEST_HZ = 20;
const HIGHEST_HZ = 3999;

export const toneRow: SyntaxRow = {
  name: 'Tone',
  meaning: 'Plays a tone; without attributes the ringing tone of North America.',
  attributes: [
    {
      name: 'hz',
      kind: 'pattern',
      pattern: '\\d{2,4}(\\s*,\\s*\\d{2,4}){0,3}(\\s*x\\s*\\d{1,4})?',
      shape: 'one to four frequencies of 20 to 3999 Hz, perhaps repeated, like 480,620 or 480,620x3',
      default: '440,480',
      meaning: 'Frequencies that sound together; with xN they go on and off N times in one loop.',
    },
    { name: 'don', ...milliseconds(20, 60_000), default: '2000', meaning: 'Milliseconds on.' },
    { name: 'doff', ...milliseconds(0, 60_000), default: '4000', meaning: 'Milliseconds off.' },
    {
      name: 'volume',
      aliases: ['v'],
      kind: 'integer',
      min: -70,
      max: 0,
      default: '-13',
      meaning: 'Decibels: 0 is the loudest, -70 is hardly heard.',
    },
    LOOP,
    {
      name: 'timeout',
      ...milliseconds(1, 600_000),
      default: '30000',
      meaning: 'Milliseconds; then it ends, whatever loop says.',
    },
    LEG,
    TAG,
  ],
  children: [],
  text: false,
  build: (a, { index, refuse }) => {
    const [list, times = '1'] = a.text('hz').split('x');
    const hz = list!.split(',').map(Number);
    const wrong = hz.find((f) => f < LOWEST_HZ || f > HIGHEST_HZ);
    if (wrong !== undefined) refuse(`hz of <Tone> has ${wrong}: a telephone carries ${LOWEST_HZ} to ${HIGHEST_HZ} Hz`);
    if (hz.length > HZ_MAX) refuse(`hz of <Tone> has ${hz.length} frequencies; ${HZ_MAX} at most`);
    const cycles = Number(times);
    if (cycles < 1 || cycles > CYCLES_MAX) refuse(`hz of <Tone> repeats ${cycles} times; 1 to ${CYCLES_MAX}`);
    return {
      name: 'Tone',
      index,
      hz,
      onMs: a.integer('don'),
      offMs: a.integer('doff'),
      cycles,
      volumeDb: a.integer('volume'),
      loop: a.integer('loop'),
      timeoutMs: a.integer('timeout'),
      leg: a.text('leg').toLowerCase() as Tone['leg'],
      tag: a.text('tag'),
    };
  },
};

const played = playing<Tone>(({ hz, onMs, offMs, cycles, volumeDb }) => ({
  kind: 'pattern',
  value: { hz, onMs, offMs, cycles, volumeDb },
}));

/** How long it sounds by itself, ms; without end where it loops until hang-up. */
const lengthOf = ({ onMs, offMs, cycles, loop }: Tone) => (loop === 0 ? Infinity : (onMs + offMs) * cycles * loop);

export const tonePerformer: Performer<Tone> = {
  ...played,
  begin: (tone, call, running, at) => {
    const begun = played.begin(tone, call, running, at);
    if (lengthOf(tone) <= tone.timeoutMs || !begun.some((d) => d.type === 'PlayRequested')) return begun;
    return [...begun, { type: 'TimerSet', purpose: 'tone', dueAt: at + tone.timeoutMs }];
  },
  learn: (memory, event, tone) =>
    event.type === 'TimerSet' && event.purpose === 'tone'
      ? { ...memory, timer: event.seq }
      : played.learn!(memory, event, tone),
  on: (event, tone, call, running) => {
    const { timer } = running.memory;
    if (event.type === 'TimerFired' && event.timerId === timer)
      return [...stopAll(call, running), end(running, true, 'timeout')];
    const chosen = played.on(event, tone, call, running);
    const over = chosen.some((d) => d.type === 'VerbEnded') && timer !== undefined && call.timers[timer];
    return over ? [{ type: 'TimerCancelled', timerId: timer }, ...chosen] : chosen;
  },
};
