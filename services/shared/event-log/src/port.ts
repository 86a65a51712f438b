/**
 * The one port of the log: bytes by key. It promises only what memory, postgres and Kafka can all keep: one fenced
 * writer per partition, an append that is all or nothing, replay from a position, a tail to follow, a registry of
 * living nodes. It knows no call.
 */

/** A record as it lies in a partition. Positions grow by at least 1 within a partition; 0 is before the first. */
export type LogRecord = { position: number; key: string; headers: Record<string, string>; bytes: Uint8Array };

/** A record to append. `headers` are short strings (type, seq, schema version, trace context). */
export type NewRecord = { key: string; headers: Record<string, string>; bytes: Uint8Array };

/** A compacted entry: the newest per key counts; `bytes` null is a tombstone. `position`: the journal position it covers. */
export type Snapshot = { key: string; position: number; bytes: Uint8Array | null };

/** What one atomic append holds. */
export type Batch = {
  records: NewRecord[];
  snapshots?: Array<{ key: string; bytes: Uint8Array | null }>;
  /** Everything below this position belongs to ended keys or lies under snapshots. */
  lowWater?: number;
};

/** The right to append to one partition, until another taking fences it. Epochs grow with each taking. */
export interface Writer {
  readonly topic: string;
  readonly partition: number;
  readonly epoch: number;
  /**
   * Appends all or nothing; one call in flight at a time. Snapshots of the batch cover its last position.
   * @returns the position of the last record (of the last append, where the batch has none).
   * @throws LogError `fenced` (another writer owns the partition; nothing was written) or `unavailable` (outcome
   * unknown: drop the partition's memory and take it again), `refused` (for what some keys would append).
   */
  append(batch: Batch): Promise<number>;
  /** Is this epoch still the partition's? Costs one read. @throws LogError `unavailable`. */
  check(): Promise<boolean>;
  /** Gives up the signs of life for the partition; appends nothing. */
  release(): Promise<void>;
}

/** Kind of a living process, and where it is reached. `boot` is new at every start. */
export type Node = { name: string; boot: string; kind: string; address: string; loadPercent: number };

/** A node as the registry sees it. `gone`: a sign of death (its lock is free, its beat withdrawn); `silentMs`: since its
 * last beat, counted only over time in which this judge's own beats were written and read back. */
export type SeenNode = Node & { gone: boolean; silentMs: number };

export interface Registry {
  /**
   * Writes the first beat of a node of this process, then one every 500 ms with what `load` says; the beats of all its nodes
   * go together. Resolves when the first is read back. Another boot of a name takes that name's place.
   */
  join(node: Node, load?: () => number): Promise<void>;
  /** The newest view; refreshed at least every 200 ms while joined or watched. */
  nodes(): SeenNode[];
  /** Calls back at each change of membership (new boot, gone, silence over 1.5 s and over 3 s). Returns the unsubscribe. */
  watch(changed: (nodes: SeenNode[]) => void): () => void;
  /** False while own beats can't be written and read back: then nobody may be judged. */
  healthy(): boolean;
  /** Withdraws the beat of that node of this process: gone at once. A name that has not joined is ignored. */
  leave(name: string): Promise<void>;
}

export interface EventLog {
  /** Fixed at birth: 8 in memory and postgres, 48 in Kafka. */
  readonly partitions: number;
  /** Which log it is: positions mean something in the log of this id alone. */
  readonly id: string;
  /** Is there an index by key, so that `readKey` costs what the key has? Else it costs what its partition has. */
  readonly indexesKeys: boolean;
  readonly registry: Registry;
  /** Fences every earlier writer of the partition. @throws LogError `unavailable`. */
  take(topic: string, partition: number): Promise<Writer>;
  /** Records after `position` (exclusive) in order, up to what was durable when called; in bounded pages. */
  replay(topic: string, partition: number, position: number): AsyncIterable<LogRecord>;
  /** The newest snapshot of each key that has one and no tombstone. */
  snapshots(topic: string, partition: number): AsyncIterable<Snapshot>;
  /** The position below which nothing live lies; 0 at birth. */
  lowWater(topic: string, partition: number): Promise<number>;
  /** All records of one key, in order, after `position`; see `indexesKeys`. */
  readKey(topic: string, key: string, position?: number): AsyncIterable<LogRecord>;
  /**
   * Records after `position` for as long as `signal` allows; a new one is seen within 50 ms. @param everyMs looks no oftener
   * for new ones, where looking costs something; whoever follows several partitions then looks at all at the same moments
   */
  follow(
    topic: string,
    partition: number,
    position: number,
    signal: AbortSignal,
    everyMs?: number,
  ): AsyncIterable<LogRecord>;
  /** Round trip to the log, for readiness. @throws LogError `unavailable`. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/**
 * `fenced` is final for that writer; `unavailable` may be tried again after taking again; `refused`: the log can't keep what
 * the keys of `keys` would append, nothing of the batch was written, and the writer may go on.
 */
export class LogError extends Error {
  override name = 'LogError';
  readonly code: 'fenced' | 'unavailable' | 'refused';
  readonly keys: readonly string[];
  constructor(code: LogError['code'], message: string, options: ErrorOptions & { keys?: readonly string[] } = {}) {
    super(message, options);
    this.code = code;
    this.keys = options.keys ?? [];
  }
}
