/**
 * What waits, by source: sources take turns, so that whoever brought little doesn't wait behind one who brought much. It
 * bounds nothing itself: whoever pushes looks at `size` and `sizeOf` before.
 */
export class TurnQueue<T> {
  /** The source whose turn it is comes first. */
  private readonly waiting = new Map<string, T[]>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  sizeOf(source: string): number {
    return this.waiting.get(source)?.length ?? 0;
  }

  push(source: string, item: T): void {
    const mine = this.waiting.get(source);
    if (mine) mine.push(item);
    else this.waiting.set(source, [item]);
    this.count++;
  }

  /** The next item that may go, in order of turns and, within a source, of arrival. Its source comes last from then on. */
  take(may: (item: T, source: string) => boolean = () => true): T | undefined {
    for (const [source, mine] of this.waiting) {
      const at = mine.findIndex((item) => may(item, source));
      if (at < 0) continue;
      const item = mine[at]!;
      this.removeAt(source, mine, at);
      if (mine.length === 0) return item;
      this.waiting.delete(source);
      this.waiting.set(source, mine);
      return item;
    }
    return undefined;
  }

  /** @returns false where it doesn't wait (any more) */
  remove(source: string, item: T): boolean {
    const mine = this.waiting.get(source);
    const at = mine?.indexOf(item) ?? -1;
    if (!mine || at < 0) return false;
    this.removeAt(source, mine, at);
    return true;
  }

  /**
   * Makes room for one more of `source` where all the room is taken: the newest item of the source that has the most leaves.
   * @returns it; undefined where nobody has more than `source` would have, so that `source` itself must be refused
   */
  displace(source: string): T | undefined {
    let largest = '';
    let most = this.sizeOf(source) + 1;
    for (const [one, { length }] of this.waiting) if (length > most) [largest, most] = [one, length];
    const theirs = this.waiting.get(largest);
    if (!theirs || most <= this.sizeOf(source) + 1) return undefined;
    const newest = theirs[theirs.length - 1]!;
    this.removeAt(largest, theirs, theirs.length - 1);
    return newest;
  }

  /** All that waits; nothing does any more. */
  clear(): T[] {
    const all = [...this.waiting.values()].flat();
    this.waiting.clear();
    this.count = 0;
    return all;
  }

  private removeAt(source: string, mine: T[], at: number): void {
    mine.splice(at, 1);
    this.count--;
    if (mine.length === 0) this.waiting.delete(source);
  }
}
