/**
 * What one owned partition writes: the records of a batch with the snapshots that are due, and how far back the next owner
 * must read. One append at a time; a failure of the log is the partition's end.
 */
import type { Writer } from '@opentact/event-log';
import type { Learned } from './learner.ts';
import * as memory from './memory.ts';

const LOW_WATER_MS = 1_000;

type Snapshot = { key: string; bytes: Uint8Array | null };

export type PartitionWriterNeeds = {
  writer: Writer;
  loaded: memory.Loaded;
  now(): number;
  /** The state of that call is too large for a snapshot. */
  faulted(callId: string, error: Error): void;
};

export class PartitionWriter {
  readonly epoch: number;
  /** Of the last durable record. */
  position: number;
  /** When something was written last. */
  appendedAt = 0;
  readonly #needs: PartitionWriterNeeds;
  readonly #tombstones: Set<string>;
  #markedAt = 0;

  constructor(needs: PartitionWriterNeeds) {
    this.#needs = needs;
    this.epoch = needs.writer.epoch;
    this.position = needs.loaded.position;
    this.#tombstones = new Set(needs.loaded.tombstones);
  }

  /** The call is forgotten: with the next append its snapshot goes. */
  bury(callId: string): void {
    this.#tombstones.add(callId);
  }

  /** Are there snapshots to be removed? */
  get isOwed(): boolean {
    return this.#tombstones.size > 0;
  }

  /** @throws LogError */
  async append(learned: Learned): Promise<void> {
    const now = this.#needs.now();
    if (learned.records.length === 0 && !this.isOwed) return;
    const buried = [...this.#tombstones];
    const snapshots: Snapshot[] = [
      ...buried.map((key) => ({ key, bytes: null })),
      ...[...learned.calls].flatMap((entry) => this.#due(entry)),
    ];
    const lowWater = this.#mark(now, snapshots);
    this.position = await this.#needs.writer.append({
      records: learned.records,
      ...(snapshots.length > 0 && { snapshots }),
      ...(lowWater !== undefined && { lowWater }),
    });
    for (const key of buried) this.#tombstones.delete(key);
    this.appendedAt = now;
  }

  /** Is this still the one that writes? A log that is away proves nothing. */
  check(): Promise<boolean> {
    return this.#needs.writer.check();
  }

  release(): Promise<void> {
    return this.#needs.writer.release();
  }

  #due(entry: memory.Remembered): Snapshot[] {
    // A story that can't be folded is replaced by its snapshot, or every owner would fault it again.
    const isBroken = this.#needs.loaded.broken.delete(entry.call.id);
    const taken = isBroken || memory.wantsSnapshot(entry) ? this.#snapshot(entry) : undefined;
    return taken ? [taken] : [];
  }

  /** Where the next owner must begin to read, once a second; calls that hold it back too long are snapshotted with it. */
  #mark(now: number, snapshots: Snapshot[]): number | undefined {
    if (now - this.#markedAt <= LOW_WATER_MS) return undefined;
    const found = memory.lowWater(this.#needs.loaded.calls.values(), this.position, now);
    let { mark } = found;
    for (const entry of found.overdue) {
      const taken = this.#snapshot(entry);
      if (taken) snapshots.push(taken);
      else mark = Math.min(mark, entry.uncoveredFrom - 1);
    }
    this.#markedAt = now;
    return mark;
  }

  /** A call whose state is too large for one is faulted. */
  #snapshot(entry: memory.Remembered): Snapshot | undefined {
    const taken = memory.takeSnapshot(entry);
    const exceeded = taken ? undefined : memory.overBudget(entry);
    if (exceeded) this.#needs.faulted(entry.call.id, new Error(exceeded));
    return taken;
  }
}
