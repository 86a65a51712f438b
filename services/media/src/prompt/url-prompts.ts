// Prompts by URL, kept by URL and ETag: asked again with the ETag, so that a changed file is heard at once.
// It refuses to ask twice at the same time, and to ask again within ten seconds: a hint prepares what is played soon.
import type { Clip } from '../audio/clip.ts';
import { ClipCache } from './clip-cache.ts';
import type { FetchPrompt } from './fetch.ts';
import type { PromptRoom, Room } from './prompt-room.ts';
import { type For, SharedWork } from './shared-work.ts';

const FRESH_MS = 10_000;
const KNOWN_MAX = 2000;

/** The body came, and it is no audio that we read. */
export class Undecodable extends Error {
  override name = 'Undecodable';
}

export type UrlPromptsOptions = {
  fetchPrompt: FetchPrompt;
  decode(bytes: Buffer, by: For): Promise<Clip>;
  room: PromptRoom;
  bytesMax: number;
};

export class UrlPrompts {
  private readonly known = new Map<string, { etag: string; atMs: number }>();
  private readonly underway = new SharedWork<Clip>();
  private readonly clips: ClipCache;
  private readonly options: UrlPromptsOptions;

  constructor(options: UrlPromptsOptions) {
    this.options = options;
    this.clips = new ClipCache(options.bytesMax);
  }

  /** @throws Undecodable, or whatever the fetcher threw */
  clip(url: string, by: For): Promise<Clip> {
    const fresh = this.fresh(url);
    return fresh ? Promise.resolve(fresh) : this.underway.get(url, by, (on) => this.ask(url, on));
  }

  private fresh(url: string): Clip | undefined {
    const known = this.known.get(url);
    return known && Date.now() - known.atMs < FRESH_MS ? this.clips.find(url) : undefined;
  }

  private async ask(url: string, by: For & { signal: AbortSignal }): Promise<Clip> {
    const room = await this.options.room.enter(by.account, by.signal);
    try {
      return this.fresh(url) ?? (await this.fetched(url, by, room));
    } finally {
      room.leave();
    }
  }

  private async fetched(url: string, by: For & { signal: AbortSignal }, { take }: Room): Promise<Clip> {
    const kept = this.clips.find(url);
    const known = kept && this.known.get(url);
    const answer = await this.options.fetchPrompt(url, known?.etag ?? '', { ...by, take });
    if (answer.unchanged) {
      if (!kept || !known) throw new Error('unchanged, but never fetched');
      known.atMs = Date.now();
      return kept;
    }
    const clip = await this.options.decode(answer.bytes, by).catch((error: Error) => {
      throw new Undecodable(error.message, { cause: error });
    });
    this.remember(url, answer.etag);
    this.clips.keep(url, clip);
    return clip;
  }

  private remember(url: string, etag: string): void {
    this.known.delete(url);
    this.known.set(url, { etag, atMs: Date.now() });
    if (this.known.size > KNOWN_MAX) this.known.delete(this.known.keys().next().value!);
  }
}
