/**
 * What today's code would choose in a past call: each fact is learned again, in the state that the story had before it, and
 * what follows is compared with what followed then. One difference never leads to another.
 */
import { type CallEvent, decodeEvent, encodeEvent, type Reported } from '@opentact/proto';
import { isObserved } from '@opentact/proto/observations';
import { newCall } from '../domain/call.ts';
import { evolve } from '../domain/evolve.ts';
import { stepWith } from '../domain/step.ts';
import { parseDocument } from '../xml/document.ts';
import { canonical } from './story.ts';

/** The fact after which something else is chosen now; `failed` where today's code can't take it at all. */
export type Difference = { fact: CallEvent; then: CallEvent[]; now: CallEvent[]; failed?: string };

/** Every difference, in the order of the story; empty where nothing differs. */
export function redecide(events: CallEvent[]): Difference[] {
  const step = stepWith(parseDocument);
  const differences: Difference[] = [];
  let call = newCall(events[0]?.callId ?? '');
  for (let at = 0; at < events.length; ) {
    const fact = events[at]!;
    let next = at + 1;
    while (next < events.length && !isObserved(events[next]!)) next++;
    const then = events.slice(at + 1, next);
    try {
      const now = step(call, reported(fact), fact.at).events.slice(1);
      if (meaning(then) !== meaning(asThen(now, then))) differences.push({ fact, then, now });
    } catch (error) {
      differences.push({ fact, then, now: [], failed: (error as Error).message });
    }
    try {
      call = events.slice(at, next).reduce(evolve, call);
    } catch (error) {
      // No later fact has a state to be learned in.
      return [...differences, { fact, then, now: [], failed: (error as Error).message }];
    }
    at = next;
  }
  return differences;
}

function reported({ callId: _, seq: __, at: ___, ...fact }: CallEvent): Reported {
  return fact as unknown as Reported;
}

/** What the events say, as they would be read from the log, without their places. */
function meaning(events: CallEvent[]): string {
  return events
    .map((event) => {
      const { callId: _, seq: __, at: ___, ...said } = decodeEvent(encodeEvent(event));
      return canonical(plain(said as CallEvent));
    })
    .join('\n');
}

/** What requests to media say since media judges by it, and verbs of themselves; stories from before say nothing of it. */
const TOLD_LATER = ['peer', 'early', 'described', 'silenceMs', 'element'];

function asThen(now: CallEvent[], then: CallEvent[]): CallEvent[] {
  return now.map((event, n) => {
    const before = then[n];
    if (before?.type !== event.type) return event;
    const kept = Object.entries(event).filter(([name]) => !TOLD_LATER.includes(name) || isSaid(before, name));
    return Object.fromEntries(kept) as CallEvent;
  });
}

const isSaid = (event: CallEvent, name: string) => (event as Record<string, unknown>)[name] !== undefined;

/** Older events leave out what has a meaning by default; the parse is compared as data, not as text. */
function plain(event: CallEvent): unknown {
  if (event.type === 'DocumentAccepted') return { ...event, verbs: JSON.parse(event.verbs) };
  if (event.type !== 'PlayRequested') return event;
  const items = event.items.map((item) =>
    item.kind === 'say' ? { kind: 'say', value: { ...item.value, kind: item.value.kind || 'Standard' } } : item,
  );
  return { ...event, items };
}
