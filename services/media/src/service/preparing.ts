// Prepares what is played and what may be: a few items of each at a time, the first ones first. It gives up what a stopped
// play or an ended call still waits for, refuses a play beyond its bytes, and drops hints where many are under way.
import type { Fact, PlayItem } from '@opentact/proto/events';
import { clipBytes } from '../audio/clip.ts';
import type { Piece, PromptSource } from '../prompt/prompt-source.ts';
import type { For } from '../prompt/shared-work.ts';
import type { AskOf } from '../worker/messages.ts';
import { hintedItems } from './hints.ts';
import type { Log } from './log.ts';

/** Items of one play that are prepared side by side. */
const AT_ONCE = 3;
/** Audio that one play may hold, each clip counted once: an hour and more. */
const PLAY_BYTES_MAX = 64 * 1024 * 1024;
/** Hints beyond these are dropped: they are a courtesy, live plays are not. */
const HINTS_MAX = 100;
const HINTS_PER_ACCOUNT = 20;

export type PreparingOptions = {
  prompts: Pick<PromptSource, 'prepare'>;
  log: Pick<Log, 'warn'>;
  /** A piece is ready, in whatever order. */
  piece(of: { callId: string; leg: number; play: number; index: number; piece: Piece }): void;
};

/** `play` undefined: a hint. */
type Work = { leg: number | undefined; play: number | undefined; stop: AbortController };

export class Preparing {
  private readonly options: PreparingOptions;
  private readonly ofCall = new Map<string, Set<Work>>();
  private readonly hintsOf = new Map<string, number>();
  private hints = 0;

  constructor(options: PreparingOptions) {
    this.options = options;
  }

  /** Prepares the items of a play; one of the same leg before it is over. Never rejects. */
  async play({ callId, leg, seq: play, items }: AskOf<'PlayRequested'>, account: string): Promise<void> {
    this.stop(callId, (work) => work.leg === leg);
    const work = this.begin(callId, leg, play);
    const by: For = { account, signal: work.stop.signal };
    const clips = new Set<object>();
    let bytes = 0;
    let next = 0;
    const lane = async () => {
      while (next < items.length && !work.stop.signal.aborted) {
        const index = next++;
        const prepared = await this.options.prompts.prepare(items[index]!, by);
        if (work.stop.signal.aborted) return;
        if (prepared.kind === 'clip' && !clips.has(prepared.clip)) {
          clips.add(prepared.clip);
          bytes += clipBytes(prepared.clip);
        }
        const piece = bytes > PLAY_BYTES_MAX ? tooLong : prepared;
        if (piece.kind === 'failure') {
          // Nothing behind it will be heard.
          next = items.length;
          this.warn(callId, play, index, items[index]!, piece);
        }
        this.options.piece({ callId, leg, play, index, piece });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane)).finally(() => this.done(callId, work));
  }

  /** Prepares what may soon be played, one after the other so that live plays find the speaker free. */
  async hint(callId: string, fact: Fact, account: string): Promise<void> {
    const theirs = this.hintsOf.get(account) ?? 0;
    if (this.hints >= HINTS_MAX || theirs >= HINTS_PER_ACCOUNT) return;
    const items = hintedItems(fact);
    if (items.length === 0) return;
    this.count(account, 1);
    const work = this.begin(callId, undefined, undefined);
    try {
      for (const item of items) {
        if (work.stop.signal.aborted) return;
        await this.options.prompts.prepare(item, { account, signal: work.stop.signal });
      }
    } finally {
      this.done(callId, work);
      this.count(account, -1);
    }
  }

  /** That play is over. */
  stopPlay(callId: string, play: number): void {
    this.stop(callId, (work) => work.play === play);
  }

  /** What was asked of that leg before `request` is over. */
  released(callId: string, leg: number, request: number): void {
    this.stop(callId, (work) => work.leg === leg && work.play! < request);
  }

  /** The call is over. */
  drop(callId: string): void {
    this.stop(callId, () => true);
  }

  private begin(callId: string, leg: number | undefined, play: number | undefined): Work {
    const work: Work = { leg, play, stop: new AbortController() };
    const works = this.ofCall.get(callId) ?? new Set();
    this.ofCall.set(callId, works.add(work));
    return work;
  }

  private done(callId: string, work: Work): void {
    const works = this.ofCall.get(callId);
    works?.delete(work);
    if (works?.size === 0) this.ofCall.delete(callId);
  }

  private stop(callId: string, which: (work: Work) => boolean): void {
    for (const work of this.ofCall.get(callId) ?? [])
      if (which(work)) work.stop.abort(new Error('nobody waits for it any more'));
  }

  private count(account: string, by: 1 | -1): void {
    this.hints += by;
    const theirs = (this.hintsOf.get(account) ?? 0) + by;
    if (theirs > 0) this.hintsOf.set(account, theirs);
    else this.hintsOf.delete(account);
  }

  private warn(callId: string, play: number, index: number, item: PlayItem, piece: Piece & { kind: 'failure' }): void {
    const { reason, detail } = piece;
    this.options.log.warn({ callId, play, index, item: item.kind, reason, detail }, 'not playable');
  }
}

const tooLong: Piece & { kind: 'failure' } = {
  kind: 'failure',
  reason: 'format',
  detail: 'the audio of one play is more than 64 MiB',
};
