// The service between link and workers: routes asks, prepares what is to be played, hands facts up.
// It refuses asks that are not media's, in the log; it decides nothing about a call.
import type { CallEvent, Fact, Observed } from '@opentact/proto/events';
import { withoutSeam } from '../audio/cadence.ts';
import type { PromptSource } from '../prompt/prompt-source.ts';
import type { Recogniser } from '../speech/recogniser.ts';
import { MEDIA_ASKS, type MediaAsk, type WorkerData } from '../worker/messages.ts';
import type { Log } from './log.ts';
import { Preparing } from './preparing.ts';
import { Transcripts } from './transcripts.ts';
import { WorkerPool } from './worker-pool.ts';

/** The way up to the engines: the link in production, a list in tests. */
export type Engines = {
  /** Hands a fact over, in order per call; resolves when it is durable, rejects where the call is gone. */
  report(callId: string, fact: Observed): Promise<void>;
  /** Everything of a call is released here. */
  forget(callId: string): void;
};

export type MediaServiceOptions = {
  workers: WorkerData[];
  prompts: PromptSource;
  /** OPENTACT_HOME. */
  home: string;
  /** Undefined: no recording becomes words. */
  recogniser: Recogniser | undefined;
  engines: Engines;
  log: Log;
  failed(error: unknown): void;
};

const isMediaAsk = (event: CallEvent): event is MediaAsk => (MEDIA_ASKS as readonly string[]).includes(event.type);

export class MediaService {
  readonly pool: WorkerPool;
  private readonly transcripts: Transcripts;
  private readonly preparing: Preparing;
  private readonly options: MediaServiceOptions;
  /** Too little of the disk is left: nothing is recorded. */
  isDiskFull = false;
  private isLeaving = false;

  constructor(options: MediaServiceOptions) {
    this.options = options;
    const { prompts, log } = options;
    this.pool = new WorkerPool({
      workers: options.workers,
      failed: options.failed,
      report: (callId, fact) => this.report(callId, fact),
      diskFailed: (callId, recordingId, cause) =>
        log.error({ callId, recordingId, cause }, 'the disk failed a recording: it ends, and its file is removed'),
    });
    // Pieces go to the worker as they are ready, so that the first is heard while the others are being made.
    this.preparing = new Preparing({ prompts, log, piece: (piece) => this.pool.piece({ kind: 'piece', ...piece }) });
    this.transcripts = new Transcripts({ ...options, report: (callId, fact) => this.report(callId, fact) });
  }

  /** What engines go by when they choose a node for a new call. */
  get loadPercent(): number {
    return this.isLeaving ? 100 : this.pool.loadPercent;
  }

  /** No new calls from here on; those that are here go on. */
  drain(): void {
    this.isLeaving = true;
  }

  /** What the watch over the disk found. */
  diskIs(isFull: boolean): void {
    this.isDiskFull = isFull;
    this.pool.diskIs(isFull);
  }

  /** Takes an ask; it is answered by facts. @param account whose share its work takes; the call's own where none is known */
  ask(event: CallEvent, account = event.callId): void {
    if (!isMediaAsk(event)) {
      this.options.log.error({ callId: event.callId, type: event.type }, 'not for media');
      return;
    }
    if (event.type === 'TranscriptRequested') return this.transcripts.ask(event, account);
    const ask = event.type === 'PlayRequested' ? withoutSeam(event) : event;
    this.pool.ask(ask);
    if (ask.type === 'PlayRequested') void this.preparing.play(ask, account);
  }

  /** Prepares what may soon be played. */
  hint(callId: string, fact: Fact, account = callId): Promise<void> {
    return this.preparing.hint(callId, fact, account);
  }

  /** The call is nobody's any more. */
  gone(callId: string): void {
    this.pool.drop(callId);
    this.preparing.drop(callId);
    this.transcripts.drop(callId);
  }

  /** Calls that hold something here, for the audit. */
  held(): string[] {
    return [...new Set([...this.pool.callIds, ...this.transcripts.callIds])];
  }

  /** Nothing is recognised any more. */
  close(): Promise<void> {
    this.transcripts.close();
    return this.pool.close();
  }

  private report(callId: string, fact: Observed): void {
    if (fact.type === 'PlayStopped' || fact.type === 'PlayFailed') this.preparing.stopPlay(callId, fact.requestId);
    if (fact.type === 'SessionReleased') this.preparing.released(callId, fact.leg, fact.requestId);
    if (fact.type === 'SessionReleased' && !this.pool.holds(callId)) this.preparing.drop(callId);
    const durable = this.options.engines.report(callId, fact);
    const isLast =
      fact.type === 'SessionReleased' || fact.type === 'TranscriptReady' || fact.type === 'TranscriptFailed';
    durable.then(
      () => {
        if (isLast && !this.pool.holds(callId) && !this.transcripts.holds(callId)) this.options.engines.forget(callId);
      },
      () => {},
    );
  }
}
