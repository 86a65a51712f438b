// The words of recordings: each is asked of the recogniser once, two at a time, and told as often as it was asked for.
// Accounts take turns. It refuses more than 100 waiting, where the account that has most loses its newest, and to take
// longer than whoever asked would wait.
import { join } from 'node:path';
import type { FactOf, Observed } from '@opentact/proto/events';
import { TurnQueue } from '@opentact/runtime';
import { finalPath, RECORDING_ID } from '../audio/recording-file.ts';
import { NotRecognised, type Recogniser } from '../speech/recogniser.ts';
import type { AskOf } from '../worker/messages.ts';
import type { Log } from './log.ts';

export type TranscriptsOptions = {
  home: string;
  /** Undefined where none is configured. */
  recogniser: Recogniser | undefined;
  log: Pick<Log, 'warn'>;
  report(callId: string, fact: Observed): void;
  /** Milliseconds from the ask to its answer, waiting included. */
  deadlineMs?: number;
};

type Ask = AskOf<'TranscriptRequested'>;
type Answer = FactOf<'TranscriptReady' | 'TranscriptFailed'>;
type Job = { ask: Ask; account: string; times: number; stop: AbortController; late: NodeJS.Timeout };

const AT_ONCE_MAX = 2;
const WAITING_MAX = 100;
/** Answers that are remembered, in case they are asked for again. */
const ANSWERS_MAX = 100;
/** An engine gives up after 150 s. */
const DEADLINE_MS = 140_000;

const keyOf = ({ callId, seq }: Ask) => `${callId} ${seq}`;

const failed = ({ seq: requestId, recordingId }: Ask, reason: string): Answer => ({
  type: 'TranscriptFailed',
  requestId,
  recordingId,
  reason,
});

export class Transcripts {
  private readonly options: TranscriptsOptions;
  private readonly jobs = new Map<string, Job>();
  private readonly waiting = new TurnQueue<Job>();
  private readonly answers = new Map<string, Answer>();
  private running = 0;

  constructor(options: TranscriptsOptions) {
    this.options = options;
  }

  /** Calls whose recordings are being recognised. */
  get callIds(): string[] {
    return [...new Set([...this.jobs.values()].map(({ ask }) => ask.callId))];
  }

  holds(callId: string): boolean {
    return this.callIds.includes(callId);
  }

  /** Takes an ask; one fact answers it. @param account whose turn it takes */
  ask(ask: Ask, account = ask.callId): void {
    const known = this.answers.get(keyOf(ask));
    if (known) return this.options.report(ask.callId, known);
    const underway = this.jobs.get(keyOf(ask));
    if (underway) {
      underway.times++;
      return;
    }
    if (!this.options.recogniser) return this.refuse(ask, 'no-recogniser');
    if (!RECORDING_ID.test(ask.recordingId)) return this.refuse(ask, 'no-recording');
    if (!this.hasRoom(account)) return this.refuse(ask, 'recogniser');
    const job: Job = {
      ask,
      account,
      times: 1,
      stop: new AbortController(),
      late: setTimeout(() => this.giveUp(job), this.deadlineMs).unref(),
    };
    this.jobs.set(keyOf(ask), job);
    this.waiting.push(account, job);
    this.next();
  }

  /** The call is nobody's any more: nothing more is said of it. */
  drop(callId: string): void {
    for (const job of this.jobs.values()) if (job.ask.callId === callId) this.forget(job);
    for (const key of this.answers.keys()) if (key.startsWith(`${callId} `)) this.answers.delete(key);
  }

  close(): void {
    for (const job of this.jobs.values()) this.forget(job);
  }

  private get deadlineMs(): number {
    return this.options.deadlineMs ?? DEADLINE_MS;
  }

  private hasRoom(account: string): boolean {
    if (this.waiting.size < WAITING_MAX) return true;
    const displaced = this.waiting.displace(account);
    if (displaced) this.settle(displaced, failed(displaced.ask, 'recogniser'));
    return displaced !== undefined;
  }

  private next(): void {
    while (this.running < AT_ONCE_MAX) {
      const job = this.waiting.take();
      if (!job) return;
      this.running++;
      void this.run(job).finally(() => {
        this.running--;
        this.next();
      });
    }
  }

  /** Never rejects. */
  private async run(job: Job): Promise<void> {
    const { callId, seq: requestId, recordingId, lang } = job.ask;
    const file = finalPath(join(this.options.home, 'recordings'), recordingId);
    try {
      const text = await this.options.recogniser!.recognise(file, lang, job.stop.signal);
      this.settle(job, { type: 'TranscriptReady', requestId, recordingId, text });
    } catch (error) {
      // Given up or dropped: what was to be said of it was said.
      if (job.stop.signal.aborted) return;
      const reason = error instanceof NotRecognised ? error.reason : 'recogniser';
      this.options.log.warn({ callId, recordingId, reason, detail: (error as Error).message }, 'not recognised');
      this.settle(job, failed(job.ask, reason));
    }
  }

  private refuse(ask: Ask, reason: string): void {
    this.options.report(ask.callId, failed(ask, reason));
  }

  private giveUp(job: Job): void {
    const { callId, recordingId } = job.ask;
    this.options.log.warn({ callId, recordingId, reason: 'timeout' }, 'not recognised');
    job.stop.abort();
    this.settle(job, failed(job.ask, 'timeout'));
  }

  private settle(job: Job, answer: Answer): void {
    if (!this.forget(job)) return;
    this.answers.set(keyOf(job.ask), answer);
    for (const oldest of this.answers.keys()) {
      if (this.answers.size <= ANSWERS_MAX) break;
      this.answers.delete(oldest);
    }
    for (let n = 0; n < job.times; n++) this.options.report(job.ask.callId, answer);
  }

  /** @returns false where it was forgotten before */
  private forget(job: Job): boolean {
    clearTimeout(job.late);
    job.stop.abort();
    this.waiting.remove(job.account, job);
    return this.jobs.delete(keyOf(job.ask));
  }
}
