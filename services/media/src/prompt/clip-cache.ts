// Clips by key, the least recently used leaving first. Two who want the same clip wait for one making of it.
// It refuses to keep failures, and more than its bytes.
import { type Clip, clipBytes } from '../audio/clip.ts';
import { type For, SharedWork } from './shared-work.ts';

export class ClipCache {
  private readonly clips = new Map<string, Clip>();
  private readonly underway = new SharedWork<Clip>();
  private readonly bytesMax: number;
  private bytes = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** The clip of `key`, made by `make` where it isn't there. A failure of `make` is everyone's who waited. */
  get(key: string, by: For, make: (by: For & { signal: AbortSignal }) => Promise<Clip>): Promise<Clip> {
    const clip = this.find(key);
    if (clip) return Promise.resolve(clip);
    return this.underway.get(key, by, async (on) => {
      const made = await make(on);
      this.keep(key, made);
      return made;
    });
  }

  /** The clip if it is there; then it is the most recently used. */
  find(key: string): Clip | undefined {
    const clip = this.clips.get(key);
    if (!clip) return undefined;
    this.clips.delete(key);
    this.clips.set(key, clip);
    return clip;
  }

  /** Puts a clip in the place of an older one of that key. */
  keep(key: string, clip: Clip): void {
    this.drop(key);
    const size = sizeOf(key, clip);
    if (size > this.bytesMax) return;
    this.clips.set(key, clip);
    this.bytes += size;
    for (const oldest of this.clips.keys()) {
      if (this.bytes <= this.bytesMax) return;
      this.drop(oldest);
    }
  }

  private drop(key: string): void {
    const clip = this.clips.get(key);
    if (!clip) return;
    this.clips.delete(key);
    this.bytes -= sizeOf(key, clip);
  }
}

function sizeOf(key: string, clip: Clip): number {
  return clipBytes(clip) + 2 * key.length;
}
