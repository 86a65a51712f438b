// One thread for slow work (speech, decoding), jobs in order, each with a deadline.
// It refuses more than 64 waiting jobs; a job past its deadline takes its thread down with it, the next gets a new one.
import { Worker } from 'node:worker_threads';

const WAITING_MAX = 64;

export class JobFailed extends Error {
  override name = 'JobFailed';
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
  private readonly deadlineMs: number;
  private readonly workerData: unknown;
  private readonly waiting: Waiting<Job, Result>[] = [];
  private running: Waiting<Job, Result> | undefined;
  private deadline: NodeJS.Timeout | undefined;
  private worker: Worker | undefined;
  private closed = false;

  constructor(script: URL, deadlineMs: number, workerData?: unknown) {
    this.script = script;
    this.deadlineMs = deadlineMs;
    this.workerData = workerData;
  }

  /** Starts the thread before the first job, so that the first caller doesn't wait for it. */
  warm(): void {
    this.worker ??= this.start();
  }

  /** @throws JobFailed where the job failed, took too long, or too many wait. */
  run(job: Job): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.closed || this.waiting.length >= WAITING_MAX) return reject(new JobFailed('too much work waits'));
      this.waiting.push({ job, resolve, reject });
      this.next();
    });
  }

  private start(): Worker {
    const worker = new Worker(this.script, { workerData: this.workerData });
    worker.on('message', (answer: JobAnswer<Result>) => {
      if (worker === this.worker) this.settle(answer);
    });
    worker.on('error', (error) => this.lose(worker, String(error)));
    worker.on('exit', () => this.lose(worker, 'the thread ended'));
    return worker;
  }

  private next(): void {
    if (this.running || this.closed) return;
    this.running = this.waiting.shift();
    if (!this.running) return;
    this.worker ??= this.start();
    this.worker.postMessage(this.running.job);
    this.deadline = setTimeout(() => this.lose(this.worker, `no result in ${this.deadlineMs} ms`), this.deadlineMs);
  }

  private settle(answer: JobAnswer<Result>): void {
    clearTimeout(this.deadline);
    const done = this.running;
    this.running = undefined;
    if (answer.ok) done?.resolve(answer.result);
    else done?.reject(new JobFailed(answer.detail));
    this.next();
  }

  private lose(worker: Worker | undefined, detail: string): void {
    if (!worker || worker !== this.worker) return;
    this.worker = undefined;
    void worker.terminate();
    if (this.running) this.settle({ ok: false, detail });
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.deadline);
    const left = [this.running, ...this.waiting.splice(0)];
    this.running = undefined;
    for (const one of left) one?.reject(new JobFailed('closing'));
    const worker = this.worker;
    this.worker = undefined;
    await worker?.terminate();
  }
}
