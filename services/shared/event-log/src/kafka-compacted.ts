/**
 * The compacted topic beside a journal: the newest snapshot of each key, and the low-water mark. A partition is read
 * whole at first and then kept up to date for a few seconds, so that a taking, which asks twice, reads it once.
 */
import type { Reader } from './kafka-read.ts';
import { snapshotsOf } from './kafka-topics.ts';
import type { Produced } from './kafka-transaction.ts';
import type { Snapshot } from './port.ts';

/** No key of a record may hold a NUL (`refusalOf`), so this one is ours. */
const LOW_WATER_KEY = '\0low-water';
const KEPT_MS = 5000;

type Message = Produced['messages'][number];
type View = {
  next: number;
  lowWater: number;
  snapshots: Map<string, Snapshot>;
  reading: Promise<void>;
  timer?: NodeJS.Timeout;
};

const tombstone = null as unknown as Buffer; // The wire knows null; its types don't.

/** @param position the journal position that the snapshot covers. @param bytes null: a tombstone. */
export function snapshotMessage(key: string, bytes: Buffer | null, position: number): Message {
  const headers = new Map([[Buffer.from('position'), Buffer.from(String(position))]]);
  return { key: Buffer.from(key), value: bytes ?? tombstone, headers };
}

export function lowWaterMessage(position: number): Message {
  return { key: Buffer.from(LOW_WATER_KEY), value: Buffer.from(String(position)) };
}

export type Compacted = {
  lowWater(topic: string, partition: number): Promise<number>;
  snapshots(topic: string, partition: number): Promise<Snapshot[]>;
  close(): void;
};

export function createCompacted(reader: Reader): Compacted {
  const views = new Map<string, View>();

  function viewOf(place: string): View {
    if (!views.has(place)) views.set(place, { next: 0, lowWater: 0, snapshots: new Map(), reading: Promise.resolve() });
    const view = views.get(place)!;
    clearTimeout(view.timer);
    view.timer = setTimeout(() => views.delete(place), KEPT_MS).unref();
    return view;
  }
  async function readOn(view: View, topic: string, partition: number): Promise<void> {
    if (!(await reader.exists(topic, partition))) return;
    for await (const page of reader.toEnd(topic, partition, view.next)) {
      for (const { key, bytes, headers } of page.records) {
        if (key === LOW_WATER_KEY) view.lowWater = Math.max(view.lowWater, Number(bytes?.toString() ?? 0));
        else if (bytes === null) view.snapshots.delete(key);
        else view.snapshots.set(key, { key, bytes, position: Number(headers.position) });
      }
      view.next = page.next;
    }
  }
  /** Brings a view up to date, one reading after the other. */
  async function upToDate(journal: string, partition: number): Promise<View> {
    const topic = snapshotsOf(journal);
    const view = viewOf(`${topic}/${partition}`);
    const reading = view.reading.catch(() => {}).then(() => readOn(view, topic, partition));
    view.reading = reading;
    reading.catch(() => {});
    await reading;
    return view;
  }
  return {
    lowWater: async (topic, partition) => (await upToDate(topic, partition)).lowWater,
    snapshots: async (topic, partition) => [...(await upToDate(topic, partition)).snapshots.values()],
    close() {
      for (const view of views.values()) clearTimeout(view.timer);
      views.clear();
    },
  };
}
