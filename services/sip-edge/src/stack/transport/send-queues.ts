// What waits to be sent over the connections of one listener, since their other ends read slowly or not at all. It refuses
// more than a connection, a source or all may have, by closing whoever has the most; it reads nothing more from whom much
// waits for, and closes who takes nothing for seconds.

import type { Duplex } from 'node:stream';
import { sourceOf } from '@opentact/runtime';
import { createShares } from './shares.ts';

const QUEUE_BYTES_MAX = 1024 * 1024;
const QUEUES_BYTES_PER_SOURCE = 4 * 1024 * 1024;
const QUEUES_BYTES_MAX = 64 * 1024 * 1024;
/** Beyond the first nothing more is read from that connection, until less than the second waits. */
const PAUSE_BYTES = 64 * 1024;
const RESUME_BYTES = 16 * 1024;
/** What a write takes beside its bytes. */
const WRITE_BYTES = 256;
/** Whoever takes nothing for so long is closed, and whoever never takes all of it in three times as long. */
export const STUCK_MS = 10_000;

export type SendQueue = {
  /** Hands bytes to the wire. `failed` is called later where they did not get there; never throws. */
  send(bytes: Buffer, failed: (error: Error) => void): void;
};

export type SendQueues = {
  of(socket: Duplex, address: string): SendQueue;
  close(): void;
};

type Queue = {
  readonly socket: Duplex;
  readonly address: string;
  bytes: number;
  /** When it was last empty, and when something last left it. */
  emptyAt: number;
  movedAt: number;
};

export function createSendQueues(stuckMs: number): SendQueues {
  const shares = createShares(QUEUES_BYTES_MAX, QUEUES_BYTES_PER_SOURCE);
  /** Those where something waits. */
  const waiting = new Set<Queue>();
  const watch = setInterval(() => closeStuck(waiting, stuckMs, drop), stuckMs / 4).unref();

  function drop(queue: Queue): void {
    shares.give(queue.address, queue.bytes);
    queue.bytes = 0;
    waiting.delete(queue);
    queue.socket.destroy(new Error('the peer does not read'));
  }
  function add(queue: Queue, bytes: number): void {
    const now = performance.now();
    if (queue.bytes === 0) Object.assign(queue, { emptyAt: now, movedAt: now });
    queue.bytes += bytes;
    waiting.add(queue);
    if (queue.bytes > PAUSE_BYTES) queue.socket.pause();
  }
  function sent(queue: Queue, bytes: number): void {
    if (!waiting.has(queue)) return; // Dropped meanwhile: all of it was given back.
    shares.give(queue.address, bytes);
    queue.bytes -= bytes;
    queue.movedAt = performance.now();
    if (queue.bytes === 0) waiting.delete(queue);
    if (queue.bytes < RESUME_BYTES && queue.socket.isPaused()) queue.socket.resume();
  }
  /** Closes the largest queues, of the source where its share is full, until so much fits. False where the own one went. */
  function makeRoom(queue: Queue, bytes: number): boolean {
    if (queue.bytes + bytes > QUEUE_BYTES_MAX) drop(queue);
    while (queue.socket.writable && !shares.take(queue.address, bytes)) {
      const largest = largestOf(waiting, queue, shares.total + bytes > QUEUES_BYTES_MAX);
      if (largest.bytes === 0) return false;
      drop(largest);
    }
    return queue.socket.writable;
  }
  return {
    of(socket, address) {
      const queue: Queue = { socket, address, bytes: 0, emptyAt: 0, movedAt: 0 };
      socket.on('close', () => drop(queue));
      return {
        send(bytes, failed) {
          const size = bytes.length + WRITE_BYTES;
          if (!socket.writable || !makeRoom(queue, size))
            return queueMicrotask(() => failed(new Error('the connection is closed')));
          add(queue, size);
          socket.write(bytes, (error) => {
            sent(queue, size);
            if (error) failed(error);
          });
        },
      };
    },
    close: () => clearInterval(watch),
  };
}

/** Of all, or of those of the queue's own source. */
function largestOf(waiting: ReadonlySet<Queue>, queue: Queue, ofAll: boolean): Queue {
  const source = sourceOf(queue.address);
  let largest = queue;
  for (const each of waiting) {
    if (each.bytes > largest.bytes && (ofAll || sourceOf(each.address) === source)) largest = each;
  }
  return largest;
}

function closeStuck(waiting: ReadonlySet<Queue>, stuckMs: number, drop: (queue: Queue) => void): void {
  const now = performance.now();
  for (const queue of waiting) if (now - queue.movedAt > stuckMs || now - queue.emptyAt > 3 * stuckMs) drop(queue);
}
