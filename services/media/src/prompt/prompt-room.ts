// Room for prompts under way, from the first byte fetched to the clip: so many at once, so many bytes, for the node and of
// one account. It refuses an account that has its share of the bytes where all together have too many.
import { Places } from '@opentact/runtime';
import { PROMPT_BYTES_MAX } from './fetch.ts';

/** Under way in this node, and of one account: at 16 MiB each, an account holds 128 MiB at most. */
const AT_ONCE = 200;
const AT_ONCE_PER_ACCOUNT = 8;
const WAITING_MAX = 2000;
const WAITING_PER_ACCOUNT = 500;
const BYTES_MAX = 32 * PROMPT_BYTES_MAX;

/** One prompt's place. */
export type Room = {
  /** So many bytes more are held. @throws Error where there is no room for them */
  take(bytes: number): void;
  leave(): void;
};

export class PromptRoom {
  private readonly bytesOf = new Map<string, number>();
  private readonly places = new Places({
    atOnce: AT_ONCE,
    atOncePerSource: AT_ONCE_PER_ACCOUNT,
    waitingMax: WAITING_MAX,
    waitingPerSourceMax: WAITING_PER_ACCOUNT,
  });
  private readonly bytesMax: number;
  private bytes = 0;

  constructor(bytesMax = BYTES_MAX) {
    this.bytesMax = bytesMax;
  }

  /** Bytes held by all. */
  get held(): number {
    return this.bytes;
  }

  /** Waits for a turn; accounts take turns. @throws where too many wait, or the signal gives up */
  async enter(account: string, signal?: AbortSignal): Promise<Room> {
    const left = await this.places.enter(account, signal);
    let mine = 0;
    return {
      take: (bytes) => {
        if (!this.hasRoom(account, bytes)) throw new Error('too many prompts are being fetched: no room for this one');
        mine += bytes;
        this.add(account, bytes);
      },
      leave: () => {
        this.add(account, -mine);
        mine = 0;
        left();
      },
    };
  }

  /** Within an equal part of all room there always is some: whoever has little under way loses nothing to who has much. */
  private hasRoom(account: string, bytes: number): boolean {
    const theirs = (this.bytesOf.get(account) ?? 0) + bytes;
    return this.bytes + bytes <= this.bytesMax || theirs <= this.bytesMax / Math.max(1, this.places.sources);
  }

  private add(account: string, bytes: number): void {
    const theirs = (this.bytesOf.get(account) ?? 0) + bytes;
    if (theirs > 0) this.bytesOf.set(account, theirs);
    else this.bytesOf.delete(account);
    this.bytes += bytes;
  }
}
