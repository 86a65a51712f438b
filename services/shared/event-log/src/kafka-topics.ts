/**
 * The topics in Kafka: what they are called, and how they are made where they are missing. It never changes one that
 * exists: whoever runs the cluster may have.
 */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createTopicsV7 } from '@platformatic/kafka';
import { parse } from 'yaml';
import { codesOf, reachingKafka } from './kafka-errors.ts';
import { createWire, type Wire } from './kafka-wire.ts';

const FILE = resolve(import.meta.dirname, '../../../../infra/kafka/topics.yaml');
const OTHERS = '*';
const SNAPSHOTS = 'calls.snapshots';
const REPLICAS_MAX = 3;
/** What is acknowledged lies on this many: one fewer than there are, so that one may be lost. */
const inSyncOf = (replicas: number) => Math.max(1, replicas - 1);
const DAY_MS = 86_400_000;
const CREATE_MS_MAX = 10_000;
/** A record of 1 MiB with what surrounds it. */
const MESSAGE_BYTES_MAX = 2 * 1024 * 1024;

type Planned = { partitions: number; retention?: 'platform'; config: Record<string, string | number> };

/** The compacted topic beside a journal. */
export const snapshotsOf = (topic: string) => (topic === 'calls.journal' ? SNAPSHOTS : `${topic}.snapshots`);

/** What fences a partition: `calls-7`. */
export const transactionalIdOf = (topic: string, partition: number) =>
  `${topic === 'calls.journal' ? 'calls' : topic}-${partition}`;

async function plans(): Promise<Record<string, Planned>> {
  return (parse(await readFile(FILE, 'utf8'), { merge: true }) as { topics: Record<string, Planned> }).topics;
}

function planOf(all: Record<string, Planned>, name: string): Planned {
  return all[name] ?? all[name.endsWith('.snapshots') ? SNAPSHOTS : OTHERS]!;
}

export type TopicMaker = {
  /** Makes those that are missing; they are there, with leaders, when it resolves. */
  ensure(names: string[]): Promise<void>;
};

/** @param partitions instead of the file's, for all but `nodes`; only tests choose. */
export function createTopicMaker(wire: Wire, retainDays: number, partitions?: number): TopicMaker {
  const sure = new Set<string>();

  async function make(names: string[], brokers: number): Promise<void> {
    const all = await plans();
    const replicas = Math.min(REPLICAS_MAX, brokers);
    const wanted = names.map((name) => {
      const plan = planOf(all, name);
      const config: Planned['config'] = {
        ...plan.config,
        'max.message.bytes': MESSAGE_BYTES_MAX,
        'min.insync.replicas': inSyncOf(replicas),
      };
      if (plan.retention) config['retention.ms'] = retainDays * DAY_MS;
      return {
        name,
        numPartitions: name === 'nodes' ? plan.partitions : (partitions ?? plan.partitions),
        replicationFactor: replicas,
        assignments: [],
        configs: Object.entries(config).map(([key, value]) => ({ name: key, value: String(value) })),
      };
    });
    try {
      await wire.onAny(CREATE_MS_MAX, (c) => createTopicsV7.api.async(c, wanted, CREATE_MS_MAX / 2, false));
    } catch (error) {
      // Another process may be making the same ones.
      if (codesOf(error).some((code) => code !== 'TOPIC_ALREADY_EXISTS')) throw error;
    }
  }
  async function ensure(names: string[]): Promise<void> {
    const unsure = names.filter((name) => !sure.has(name));
    if (unsure.length === 0) return;
    const { brokers, topics } = await wire.metadata(unsure);
    const missing = topics.filter((t) => t.errorCode !== 0).map((t) => t.name);
    if (missing.length > 0) await make(missing, brokers.length);
    for (const name of unsure) {
      // Waits for the leaders of all its partitions: none is taken that nobody leads.
      const last = (partitions ?? planOf(await plans(), name).partitions) - 1;
      if (missing.includes(name))
        await wire.onLeader(name, name === 'nodes' ? 0 : last, 'any', CREATE_MS_MAX, async () => {});
      sure.add(name);
    }
  }
  return { ensure: (names) => reachingKafka(`topics ${names.join(', ')}`, () => ensure(names)) };
}

/**
 * Makes all topics of `infra/kafka/topics.yaml` that are missing.
 * @returns those that exist now. @throws LogError `unavailable`.
 */
export async function createTopics(of: { brokers: string[]; retainDays: number }): Promise<string[]> {
  const wire = createWire(of.brokers);
  try {
    const names = Object.keys(await plans()).filter((name) => name !== OTHERS);
    await createTopicMaker(wire, of.retainDays).ensure(names);
    return names;
  } finally {
    await wire.close();
  }
}
