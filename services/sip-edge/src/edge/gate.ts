// Everything that happens to an edge comes through here: messages, asks, timers. One that was frozen may have lost its
// legs to others meanwhile; then all of it waits until the owners said what is still held here. Shut, nothing passes.

import type { Clock } from '../stack/transaction/clock.ts';

/** An edge that was still for longer has slept. It is called lost after 3 s of silence. */
export const SLEPT_MS = 2_000;
const BEAT_MS = 500;
/** Messages beyond this are lost while it waits, as the network might have lost them. Timers never are. */
const WAITING_MAX = 20_000;

export type Gate = {
  /** Runs it, now or once it is known what is still held; `droppable` where it may be lost as well. */
  pass(run: () => void, droppable?: boolean): void;
  /** A clock whose timers come through here. */
  readonly clock: Clock;
  /** Nothing passes any more. */
  shut(): void;
};

/**
 * @param woken looks at what is still held. @param nowMs goes on while the process is frozen.
 * @param beaten is called every half second.
 */
export function createGate(
  clock: Clock,
  nowMs: () => number,
  woken: (sleptMs: number) => Promise<void>,
  beaten = () => {},
): Gate {
  let seenAt = nowMs();
  let waiting: (() => void)[] | undefined;
  let isShut = false;
  const beat = setInterval(() => {
    look();
    if (!waiting) beaten();
  }, BEAT_MS).unref();

  function look(): void {
    const now = nowMs();
    const sleptMs = now - seenAt;
    seenAt = now;
    if (sleptMs <= SLEPT_MS || waiting) return;
    waiting = [];
    woken(sleptMs).finally(open);
  }

  function open(): void {
    const held = waiting ?? [];
    waiting = undefined;
    for (const run of held) pass(run);
  }

  function pass(run: () => void, droppable = false): void {
    if (isShut) return;
    look();
    if (!waiting) return run();
    if (!droppable || waiting.length < WAITING_MAX) waiting.push(run);
  }

  return {
    pass,
    clock: {
      nowMs: clock.nowMs,
      after(ms, fire) {
        let off = false;
        const stop = clock.after(ms, () => pass(() => off || fire()));
        return () => {
          off = true;
          stop();
        };
      },
    },
    shut() {
      isShut = true;
      waiting = undefined;
      clearInterval(beat);
    },
  };
}
