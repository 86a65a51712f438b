/** How one verb is performed, and the small vocabulary that performers share. */
import type { CallEvent, Decided, Owner } from '@opentact/proto/events';
import type { Call, Memory, Running } from './call.ts';
import { join } from './frames.ts';
import { toldElement } from './language/told-element.ts';
import type { Verb } from './language/verb.ts';

/** A pair of pure functions and what is learned between them. */
export type Performer<V extends Verb = Verb> = {
  /** Before it begins: media that the caller hears (early, where the call is not answered), or an answered call. */
  needs: 'nothing' | 'sound' | 'answer';
  /** What the verb asks for when it begins. */
  begin(verb: V, call: Call, running: Running, at: number): Decided[];
  /** What it makes of each later event, its own included. */
  on(event: CallEvent, verb: V, call: Call, running: Running): Decided[];
  /** What it remembers of an event (part of the fold). Absent: nothing. */
  learn?(memory: Memory, event: CallEvent, verb: V): Memory;
};

/** The end of the running verb. `branch` names the child block that runs next. */
export function end(
  running: Running,
  success: boolean,
  reason: string,
  more: { branch?: string; skip?: number } = {},
): Decided {
  return {
    type: 'VerbEnded',
    document: running.document,
    path: running.path,
    name: running.verb.name,
    success,
    reason,
    tag: running.verb.tag,
    branch: more.branch ?? '',
    skip: more.skip ?? 0,
    element: toldElement(running.verb),
  };
}

/** What became of the prompts that a running verb plays as one. They were never running themselves. */
export function promptsEnded(running: Running, prompts: readonly Verb[], success: boolean, reason: string): Decided[] {
  return prompts.map((verb) => {
    const path = join(running.path, `${verb.name}[${verb.index}]`);
    return end({ ...running, verb, path }, success, reason);
  });
}

/** The end of a verb that failed: its own Error, else the document's, else the flow goes on. */
export function fail(call: Call, running: Running, reason: string): Decided {
  const own = 'error' in running.verb && running.verb.error;
  const document = call.flow.responseError !== undefined || call.flow.frames.some((frame) => frame.error);
  const branch = own ? 'Error[0]' : document ? '/Error[0]' : '';
  return end(running, false, reason, { branch });
}

/** A wish to hang up the caller's leg. `status` counts only while our final answer is still owed. */
export function hangup(owner: Owner, reason: string, q850 = 16, status = 480): Decided {
  return { type: 'HangupRequested', leg: 0, status, q850, reason, owner };
}

/** A wish to end a dialled leg: CANCEL or BYE, as its state calls for. */
export function hangupLeg(leg: number, owner: Owner, reason: string, q850 = 16): Decided {
  return { type: 'HangupRequested', leg, status: 0, q850, reason, owner };
}

/** Timers that nothing waits for any more, by what they are for. */
export const cancelTimers = (call: Call, isOver: (purpose: string) => boolean): Decided[] =>
  Object.entries(call.timers).flatMap(([seq, { purpose }]) =>
    isOver(purpose) ? [{ type: 'TimerCancelled', timerId: Number(seq) } as const] : [],
  );
