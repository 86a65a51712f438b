/**
 * One thread for slow work (speech, decoding, parsing), each job with a deadline; whoever brought few jobs doesn't wait
 * behind one who brought many. It refuses what exceeds its bounds; a job past its deadline takes its thread down with
 * it, and the next gets a new one.
 */
import { Worker } from 'node:worker_threads';
import { TurnQueue } from './turn-queue.ts';

export type JobBounds = {
  /** Longest time for one job, ms, once it began. */
  deadlineMs: number;
  /** Jobs that may wait; 64 where it isn't said. */
  waitingMax?: number;
  /** Of these, jobs of one source; all of them where it isn't said. */
  waitingPerSourceMax?: number;
};

const WAITING_MAX = 64;

/** `late`: past its deadline; `full`: too many wait; `failed`: the job itself, or its thread, failed. */
export class JobFailed extends Error {
  override name = 'JobFailed';
  readonly why: 'late' | 'full' | 'failed';
  constructor(message: string, why: JobFailed['why'] = 'failed') {
    super(message);
    this.why = why;
  }
}

type Waiting<Job, Result> = {
  job: Job;
  resolve(result: Result): void;
  reject(error: JobFailed): void;
};

/** What a job's thread posts back. */
export type JobAnswer<Result> = { ok: true; result: Result } | { ok: false; detail: string };

export class JobThread<Job, Result> {
  private readonly script: URL;
  private readonly bounds: JobBounds;
  private readonly workerData: unknown;
  private readonly waiting = new TurnQueue<Waiting<Job, Result>>();
  private running: Waiting<Job, Result> | undefined;
  private deadline: NodeJS.Timeout | undefined;
  private worker: Worker | undefined;
  private closed = false;

  constructor(script: URL, bounds: JobBounds, workerData?: unknown) {
    this.script = script;
    this.bounds = bounds;
    this.workerData = workerData;
  }

  /** Starts the thread before the first job, so that the first caller doesn't wait for it. */
  warm(): void {
    this.worker ??= this.start();
    if (!this.running) this.worker.unref();
  }

  /**
   * Sources take turns; where all the room is taken, a source that has little waiting takes it from the one that has most.
   * @param signal gives up a job that waits; one that runs is done to its end
   * @throws JobFailed where the job failed, took too long, or too many wait; the signal's reason where that gives it up
   */
  run(job: Job, source = '', signal?: AbortSignal): Promise<Result> {
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    if (this.closed || !this.hasRoom(source)) return Promise.reject(new JobFailed('too much work waits', 'full'));
    return new Promise((resolve, reject) => {
      const left = () => {
        if (this.waiting.remove(source, waiting)) reject(signal?.reason as Error);
      };
      const over = () => signal?.removeEventListener('abort', left);
      const waiting: Waiting<Job, Result> = {
        job,
        resolve(result) {
          over();
          resolve(result);
        },
        reject(error) {
          over();
          reject(error);
        },
      };
      signal?.addEventListener('abort', left, { once: true });
      this.waiting.push(source, waiting);
      this.next();
    });
  }

  private hasRoom(source: string): boolean {
    const { waitingMax = WAITING_MAX, waitingPerSourceMax = waitingMax } = this.bounds;
    if (this.waiting.sizeOf(source) >= waitingPerSourceMax) return false;
    if (this.waiting.size < waitingMax) return true;
    const displaced = this.waiting.displace(source);
    displaced?.reject(new JobFailed('too much work waits', 'full'));
    return displaced !== undefined;
  }

  private start(): Worker {
    const worker = new Worker(this.script, { workerData: this.workerData });
    worker.on('message', (answer: JobAnswer<Result>) => {
      if (worker === this.worker) this.settle(answer);
    });
    worker.on('error', (error) => this.lose(worker, String(error), 'failed'));
    worker.on('exit', () => this.lose(worker, 'the thread ended', 'failed'));
    return worker;
  }

  private next(): void {
    if (this.running || this.closed) return;
    this.running = this.waiting.take();
    if (!this.running) return;
    this.worker ??= this.start();
    this.worker.ref();
    this.worker.postMessage(this.running.job);
    const { deadlineMs } = this.bounds;
    this.deadline = setTimeout(() => this.lose(this.worker, `no result in ${deadlineMs} ms`, 'late'), deadlineMs);
  }

  private settle(answer: JobAnswer<Result>, why: JobFailed['why'] = 'failed'): void {
    clearTimeout(this.deadline);
    this.worker?.unref(); // idle, it keeps no process alive
    const done = this.running;
    this.running = undefined;
    if (answer.ok) done?.resolve(answer.result);
    else done?.reject(new JobFailed(answer.detail, why));
    this.next();
  }

  private lose(worker: Worker | undefined, detail: string, why: JobFailed['why']): void {
    if (!worker || worker !== this.worker) return;
    this.worker = undefined;
    void worker.terminate();
    if (this.running) this.settle({ ok: false, detail }, why);
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.deadline);
    const left = [this.running, ...this.waiting.clear()];
    this.running = undefined;
    for (const one of left) one?.reject(new JobFailed('closing'));
    const worker = this.worker;
    this.worker = undefined;
    await worker?.terminate();
  }
}
