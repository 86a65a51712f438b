// The service between link and workers: routes asks, prepares what is to be played, hands facts up.
// It refuses asks that are not media's, in the log; it decides nothing about a call.
import type { CallEvent, Fact, Observed } from '@opentact/proto/events';
import { withoutSeam } from '../audio/cadence.ts';
import type { PromptSource } from '../prompt/prompt-source.ts';
import type { Recogniser } from '../speech/recogniser.ts';
import { type AskOf, MEDIA_ASKS, type MediaAsk, type WorkerData } from '../worker/messages.ts';
import { hintedItems } from './hints.ts';
import { Transcripts } from './transcripts.ts';
import { WorkerPool } from './worker-pool.ts';

/** What the service needs of a log: fields first, then a few words. */
export type Log = Record<'debug' | 'info' | 'warn' | 'error', (fields: object, words: string) => void>;

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

/** Hints beyond this many under way are dropped: they are a courtesy, live plays are not. */
const HINTS_MAX = 100;

const isMediaAsk = (event: CallEvent): event is MediaAsk => (MEDIA_ASKS as readonly string[]).includes(event.type);

export class MediaService {
  readonly pool: WorkerPool;
  private readonly transcripts: Transcripts;
  private readonly options: MediaServiceOptions;
  private hints = 0;
  private isLeaving = false;

  constructor(options: MediaServiceOptions) {
    this.options = options;
    this.pool = new WorkerPool({
      workers: options.workers,
      failed: options.failed,
      report: (callId, fact) => this.report(callId, fact),
    });
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

  /** Takes an ask; it is answered by facts. */
  ask(event: CallEvent): void {
    if (!isMediaAsk(event)) {
      this.options.log.error({ callId: event.callId, type: event.type }, 'not for media');
      return;
    }
    if (event.type === 'TranscriptRequested') return this.transcripts.ask(event);
    const ask = event.type === 'PlayRequested' ? withoutSeam(event) : event;
    this.pool.ask(ask);
    if (ask.type === 'PlayRequested') void this.prepare(ask);
  }

  /** Prepares what may soon be played, one after the other so that live plays find the speaker free. */
  async hint(fact: Fact): Promise<void> {
    if (this.hints >= HINTS_MAX) return;
    this.hints++;
    try {
      for (const item of hintedItems(fact)) await this.options.prompts.prepare(item);
    } finally {
      this.hints--;
    }
  }

  /** The call is nobody's any more. */
  gone(callId: string): void {
    this.pool.drop(callId);
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

  /** Pieces go to the worker as they are ready, so that the first is heard while the others are being made. */
  private async prepare({ callId, leg, seq, items }: AskOf<'PlayRequested'>): Promise<void> {
    await Promise.all(
      items.map(async (item, index) => {
        const piece = await this.options.prompts.prepare(item);
        if (piece.kind === 'failure') {
          const { reason, detail } = piece;
          this.options.log.warn({ callId, play: seq, index, item: item.kind, reason, detail }, 'not playable');
        }
        this.pool.piece({ kind: 'piece', callId, leg, play: seq, index, piece });
      }),
    );
  }
}
