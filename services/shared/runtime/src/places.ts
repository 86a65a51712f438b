/**
 * Places for what is under way: so many in all, so many of one source, and a bounded number that waits for its turn,
 * source by source. It refuses who finds no room to wait in; who gives up waiting leaves the queue.
 */
import { TurnQueue } from './turn-queue.ts';

export type PlaceBounds = {
  atOnce: number;
  atOncePerSource: number;
  waitingMax: number;
  waitingPerSourceMax: number;
};

export class NoPlace extends Error {
  override name = 'NoPlace';
}

type Waiter = { begin(): void; refuse(error: Error): void };

export class Places {
  private readonly bounds: PlaceBounds;
  private readonly busyOf = new Map<string, number>();
  private readonly queue = new TurnQueue<Waiter>();
  private count = 0;

  constructor(bounds: PlaceBounds) {
    this.bounds = bounds;
  }

  /** What is under way. */
  get busy(): number {
    return this.count;
  }

  /** Sources that have something under way. */
  get sources(): number {
    return this.busyOf.size;
  }

  get waiting(): number {
    return this.queue.size;
  }

  /**
   * Resolves when it is one's turn, with what must be called afterwards.
   * @throws NoPlace where too many wait; the signal's reason where that gives up
   */
  enter(source: string, signal?: AbortSignal): Promise<() => void> {
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    if (this.isFree(source)) return Promise.resolve(this.begin(source));
    if (this.queue.sizeOf(source) >= this.bounds.waitingPerSourceMax || !this.hasRoom(source))
      return Promise.reject(new NoPlace('too much of this waits already'));
    return new Promise((resolve, reject) => {
      const left = () => {
        if (this.queue.remove(source, waiter)) reject(signal?.reason as Error);
      };
      const settle = () => signal?.removeEventListener('abort', left);
      const waiter: Waiter = {
        begin: () => {
          settle();
          resolve(this.begin(source));
        },
        refuse: (error) => {
          settle();
          reject(error);
        },
      };
      signal?.addEventListener('abort', left, { once: true });
      this.queue.push(source, waiter);
    });
  }

  private hasRoom(source: string): boolean {
    if (this.queue.size < this.bounds.waitingMax) return true;
    const displaced = this.queue.displace(source);
    displaced?.refuse(new NoPlace('others wait for this who have less under way'));
    return displaced !== undefined;
  }

  private isFree(source: string): boolean {
    return this.count < this.bounds.atOnce && (this.busyOf.get(source) ?? 0) < this.bounds.atOncePerSource;
  }

  private begin(source: string): () => void {
    this.count++;
    this.busyOf.set(source, (this.busyOf.get(source) ?? 0) + 1);
    let isLeft = false;
    return () => {
      if (isLeft) return;
      isLeft = true;
      this.leave(source);
    };
  }

  private leave(source: string): void {
    this.count--;
    const left = this.busyOf.get(source)! - 1;
    if (left === 0) this.busyOf.delete(source);
    else this.busyOf.set(source, left);
    this.queue.take((_, next) => this.isFree(next))?.begin();
  }
}
