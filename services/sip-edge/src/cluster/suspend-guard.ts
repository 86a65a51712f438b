// Everything that happens to an edge comes through here: messages, asks, timers. Others may have adopted the legs of a
// process that was suspended; then all of it waits until the owners said which are still here. Shut, nothing passes.

import type { Clock } from '../stack/transaction/clock.ts';

/** A process that was still for longer was suspended. It is called lost after 3 s of silence. */
export const SUSPENDED_MS = 2_000;
const HEARTBEAT_MS = 500;
/** Messages beyond these bytes are lost while it waits, as the network might have lost them. Timers never are. */
const WAITING_BYTES_MAX = 32 * 1024 * 1024;
/** What a message that waits takes beside its bytes. */
const MESSAGE_BYTES = 2_048;

export type SuspendGuard = {
  /** Runs it, now or once it is known which legs are still here. A message of so many bytes may be lost as well. */
  pass(run: () => void, messageBytes?: number): void;
  /** A clock whose timers come through here. */
  readonly clock: Clock;
  /** Nothing passes any more. */
  shut(): void;
};

/**
 * @param resumed looks which legs are still here. @param nowMs goes on while the process is suspended.
 * @param onHeartbeat is called every half second.
 */
export function createSuspendGuard(
  clock: Clock,
  nowMs: () => number,
  resumed: (suspendedMs: number) => Promise<void>,
  onHeartbeat = () => {},
): SuspendGuard {
  let seenAt = nowMs();
  let waiting: (() => void)[] | undefined;
  let waitingBytes = 0;
  let isShut = false;
  const heartbeat = setInterval(() => {
    look();
    if (!waiting) onHeartbeat();
  }, HEARTBEAT_MS).unref();

  function look(): void {
    const now = nowMs();
    const suspendedMs = now - seenAt;
    seenAt = now;
    if (suspendedMs <= SUSPENDED_MS || waiting) return;
    waiting = [];
    waitingBytes = 0;
    resumed(suspendedMs).finally(open);
  }

  function open(): void {
    const held = waiting ?? [];
    waiting = undefined;
    for (const run of held) pass(run);
  }

  function pass(run: () => void, messageBytes?: number): void {
    if (isShut) return;
    look();
    if (!waiting) return run();
    if (messageBytes !== undefined) {
      const needed = messageBytes + MESSAGE_BYTES;
      if (waitingBytes + needed > WAITING_BYTES_MAX) return;
      waitingBytes += needed;
    }
    waiting.push(run);
  }

  return {
    pass,
    clock: clockThrough(clock, pass),
    shut() {
      isShut = true;
      waiting = undefined;
      clearInterval(heartbeat);
    },
  };
}

/** A timer that was stopped while it waited does not fire. */
function clockThrough(clock: Clock, pass: SuspendGuard['pass']): Clock {
  return {
    nowMs: clock.nowMs,
    after(ms, fire) {
      let off = false;
      const stop = clock.after(ms, () => pass(() => off || fire()));
      return () => {
        off = true;
        stop();
      };
    },
  };
}
