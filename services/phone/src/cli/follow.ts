/** Tells the story of a call as it grows, and presses its keys as Gathers begin to listen. */
import { status } from '@grpc/grpc-js';
import { type CallEvent, storyLine } from '@opentact/proto';
import type { PhoneCall } from '../phone-call.ts';
import type { Control } from './control.ts';
import type { Press } from './options.ts';
import { plainLine } from './plain-story.ts';

const AGAIN_MS = { first: 100, most: 1_000 };
/** So long nobody tells more of it before it is given up. */
const GIVE_UP_MS = 30_000;
/** A call that has just come may not be in the journal yet. */
const NOT_YET_MS = 5_000;
const REACTION_MS = 300;
const BETWEEN_KEYS_MS = 100;

export type Ending = Extract<CallEvent, { type: 'CallEnded' }>;

export type Following = {
  presses: Press[];
  /** Every event as the journal has it, instead of the short story. */
  verbose: boolean;
  print(line: string): void;
  /** Told of each event, once. */
  onEvent?(event: CallEvent): void;
  giveUpMs?: number;
};

/** What will not be better the next time. */
const FINAL = new Set([status.INVALID_ARGUMENT, status.UNAUTHENTICATED, status.PERMISSION_DENIED]);

/**
 * Until the call ended. Whoever told it may die, or be replaced: another is asked, from the last event on.
 * @returns its ending; undefined where nobody could tell more for half a minute. @throws ServiceError
 */
export async function follow(call: PhoneCall, control: Control, how: Following): Promise<Ending | undefined> {
  const { giveUpMs = GIVE_UP_MS } = how;
  const tell = teller(call, how);
  let seq = 0;
  let toldAt = Date.now();
  let wait = AGAIN_MS.first;
  for (;;) {
    try {
      for await (const event of control.follow(call.platformCallId, seq + 1)) {
        if (event.seq <= seq) continue;
        ({ seq } = event);
        toldAt = Date.now();
        wait = AGAIN_MS.first;
        tell(event);
        if (event.type === 'CallEnded') return event;
      }
    } catch (error) {
      const { code = status.UNKNOWN } = error as { code?: status };
      if (FINAL.has(code)) throw error;
      if (code === status.NOT_FOUND && seq === 0 && (call.ended || Date.now() - toldAt > NOT_YET_MS)) throw error;
    }
    if (Date.now() - toldAt > giveUpMs) return undefined;
    await new Promise((done) => setTimeout(done, wait));
    wait = Math.min(AGAIN_MS.most, 2 * wait);
  }
}

/** Says one event after the other, and presses a key for each Gather that begins. */
function teller(call: PhoneCall, { presses, verbose, print, onEvent }: Following): (event: CallEvent) => void {
  const waiting = presses.filter(({ when }) => when === 'gather');
  let startedAt = 0;
  return (event) => {
    startedAt ||= event.at;
    const line = verbose ? storyLine(withoutZeros(event), startedAt) : plainLine(event, startedAt);
    if (line !== undefined) print(line);
    const next = event.type === 'VerbStarted' && event.name === 'Gather' ? waiting.shift() : undefined;
    if (next) setTimeout(() => void pressAll(call, next.digits), REACTION_MS);
    onEvent?.(event);
  };
}

/** What is zero says nothing to people, and a dialog is no line for them. */
function withoutZeros(event: CallEvent): CallEvent {
  const told = Object.entries(event).filter(([name, value]) => name !== 'dialog' && value !== 0 && value !== false);
  return Object.fromEntries(told) as CallEvent;
}

/** Presses keys one after the other. */
export async function pressAll(call: PhoneCall, digits: string): Promise<void> {
  for (const digit of digits) {
    await call.peer.press(digit.toUpperCase());
    await new Promise((done) => setTimeout(done, BETWEEN_KEYS_MS));
  }
}
