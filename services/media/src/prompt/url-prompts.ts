// Prompts by URL, kept by URL and ETag: asked again with the ETag, so that a changed file is heard at once.
// It refuses to ask twice at the same time, and to ask again within ten seconds: a hint prepares what is played soon.
import type { Clip } from '../audio/clip.ts';
import { ClipCache } from './clip-cache.ts';
import type { FetchPrompt } from './fetch.ts';

const FRESH_MS = 10_000;
const KNOWN_MAX = 2000;

/** The body came, and it is no audio that we read. */
export class Undecodable extends Error {
  override name = 'Undecodable';
}

export class UrlPrompts {
  private readonly known = new Map<string, { etag: string; atMs: number }>();
  private readonly underway = new Map<string, Promise<Clip>>();
  private readonly clips: ClipCache;
  private readonly fetchPrompt: FetchPrompt;
  private readonly decode: (bytes: Buffer) => Promise<Clip>;

  constructor(fetchPrompt: FetchPrompt, decode: (bytes: Buffer) => Promise<Clip>, bytesMax: number) {
    this.fetchPrompt = fetchPrompt;
    this.decode = decode;
    this.clips = new ClipCache(bytesMax);
  }

  /** @throws Undecodable, or whatever the fetcher threw */
  clip(url: string): Promise<Clip> {
    const waiting = this.underway.get(url);
    if (waiting) return waiting;
    const asking = this.ask(url).finally(() => this.underway.delete(url));
    this.underway.set(url, asking);
    return asking;
  }

  private async ask(url: string): Promise<Clip> {
    const kept = this.clips.find(url);
    const known = kept && this.known.get(url);
    if (kept && known && Date.now() - known.atMs < FRESH_MS) return kept;
    const answer = await this.fetchPrompt(url, known?.etag ?? '');
    if (answer.unchanged) {
      if (!kept || !known) throw new Error('unchanged, but never fetched');
      known.atMs = Date.now();
      return kept;
    }
    const clip = await this.decode(answer.bytes).catch((error: Error) => {
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
