/**
 * Hold: the caller hears music, or what the document gives, until an order begins with Unhold or the time is over. The
 * rest of such an order runs here, and then the flow goes on behind the Hold.
 */
import type { CallEvent, Decided, PlayItem } from '@opentact/proto/events';
import type { Call, Running } from '../call.ts';
import { milliseconds } from '../language/attributes.ts';
import { type SyntaxRow, TAG } from '../language/syntax.ts';
import type { Hold, Prompt, Unhold } from '../language/verb.ts';
import { end, type Performer } from '../performer.ts';
import { checkPrompts, sounds } from './prompts.ts';

export const holdRow: SyntaxRow = {
  name: 'Hold',
  meaning: 'Lets the caller wait with music, or with the prompts in it, until an order by API begins with Unhold.',
  attributes: [
    {
      name: 'timeout',
      ...milliseconds(1, 3_600_000),
      default: '300000',
      meaning: 'Milliseconds; then the flow goes on.',
    },
    TAG,
  ],
  children: ['Say', 'Play', 'Pause'],
  text: false,
  build: (a, { index, verbs, element, all, refuse }) => {
    const prompts = verbs({ ...element, children: all('Say', 'Play', 'Pause') }) as Prompt[];
    checkPrompts('Hold', prompts, refuse);
    return {
      name: 'Hold',
      index,
      timeoutMs: a.integer('timeout'),
      tag: a.text('tag'),
      ...(prompts.length > 0 && { prompts }),
    };
  },
};

const MUSIC: PlayItem = { kind: 'tone', value: 'hold-music' };

export const holdPerformer: Performer<Hold> = {
  needs: 'answer',
  begin: (hold, call, _running, at) => {
    const { prompts = [] } = hold;
    // The play itself repeats: an only prompt need not be written out.
    const items = prompts.flatMap((prompt) => sounds(prompt, call, prompts.length === 1 ? 1 : undefined));
    return [
      { type: 'PlayRequested', leg: 0, items: items.length > 0 ? items : [MUSIC], loop: 0 },
      { type: 'TimerSet', purpose: 'hold', dueAt: at + hold.timeoutMs },
    ];
  },
  learn: (memory, event) => {
    if (event.type === 'PlayRequested') return { ...memory, play: event.seq };
    return event.type === 'TimerSet' && event.purpose === 'hold' ? { ...memory, timer: event.seq } : memory;
  },
  on: (event, hold, call, running) => {
    // A prompt that can't be had: music in its place.
    if (event.type === 'PlayFailed' && event.requestId === running.memory.play && hold.prompts)
      return [{ type: 'PlayRequested', leg: 0, items: [MUSIC], loop: 0 }];
    if (event.type === 'TimerFired' && event.timerId === running.memory.timer)
      return [...silence(call, running), end(running, true, 'timeout')];
    return isUnhold(event) ? [...silence(call, running), ...inTime(call, running), end(running, true, 'unheld')] : [];
  },
};

const isUnhold = (event: CallEvent) => event.type === 'DocumentAccepted' && event.purpose === 'unhold';

function silence(call: Call, running: Running): Decided[] {
  const { play } = running.memory;
  return play !== undefined && call.outstanding[play] ? [{ type: 'PlayStopRequested', leg: 0, play }] : [];
}

function inTime(call: Call, running: Running): Decided[] {
  const { timer } = running.memory;
  return timer !== undefined && call.timers[timer] ? [{ type: 'TimerCancelled', timerId: timer }] : [];
}

export const unholdRow: SyntaxRow = {
  name: 'Unhold',
  meaning: 'First in a document that is sent to a live call, it ends the Hold that the call waits in.',
  attributes: [TAG],
  children: [],
  text: false,
  build: (a, { index }) => ({ name: 'Unhold', index, tag: a.text('tag') }),
};

export const unholdPerformer: Performer<Unhold> = {
  needs: 'nothing',
  // An order that ends a Hold runs below its path.
  begin: (_unhold, _call, running) => [
    end(running, true, /(^|\.)Hold\[\d+\]\.Unhold\[\d+\]$/.test(running.path) ? 'unheld' : 'not-held'),
  ],
  on: () => [],
};
