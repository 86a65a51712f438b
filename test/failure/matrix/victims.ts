/** What is killed, and what must hold of the audio meanwhile. */
import { partitionOf } from '@opentact/runtime';
import { Kafka, logLevel } from 'kafkajs';
import type { Cluster } from '../../kit/broker.ts';
import type { Platform } from '../../kit/platform.ts';

export type Victim = {
  name: string;
  /** The logs under which there is such a thing. */
  logs: ReadonlyArray<'postgres' | 'kafka'>;
  /** The shapes of an installation that have such a process. */
  shapes: ReadonlyArray<'cells' | 'services'>;
  /** `kill -9`. */
  kill(platform: Platform, callId: string): Promise<void> | void;
  /** Starts again what no supervisor does. */
  mend?(): Promise<void> | void;
  /** RTP at the phones may pause for so long, ms: media alone carries it. */
  pauseMs: number;
  /** Keys pressed while the call recovers are lost, and are pressed again. */
  losesKeys?: true;
};

const BOTH = ['postgres', 'kafka'] as const;
const SERVICES = ['services'] as const;
const ANY = ['cells', 'services'] as const;
const UNHEARD_MS = 100;

export const VICTIMS: Victim[] = [
  // All of a call dies at once; the other cell has it answered, heard and decided.
  {
    name: 'cell',
    logs: BOTH,
    shapes: ['cells'],
    kill: async (platform, callId) => void platform.kill(await platform.serving(callId, 'media')),
    pauseMs: 5_000,
    losesKeys: true,
  },
  {
    name: 'flow-engine',
    logs: BOTH,
    shapes: SERVICES,
    kill: (platform, callId) => void platform.kill(platform.ownerOf(callId)),
    pauseMs: UNHEARD_MS,
  },
  {
    name: 'notifier',
    logs: BOTH,
    shapes: SERVICES,
    kill: async (platform, callId) => void platform.kill(await platform.serving(callId, 'notifier')),
    pauseMs: UNHEARD_MS,
  },
  { name: 'api', logs: BOTH, shapes: ANY, kill: (platform) => void platform.kill('api'), pauseMs: UNHEARD_MS },
  {
    name: 'media',
    logs: BOTH,
    shapes: SERVICES,
    kill: async (platform, callId) => void platform.kill(await platform.serving(callId, 'media')),
    pauseMs: 5_000,
    losesKeys: true,
  },
  {
    name: 'sip-edge',
    logs: BOTH,
    shapes: SERVICES,
    kill: async (platform, callId) => void platform.kill(await platform.serving(callId, 'sip-edge')),
    pauseMs: UNHEARD_MS,
  },
  // As the log; where Kafka is the log, as api's database.
  {
    name: 'postgres',
    logs: BOTH,
    shapes: ANY,
    kill: (platform) => void platform.kill('postgres'),
    pauseMs: UNHEARD_MS,
  },
];

/** One broker of three: the one that leads the call's partition of the journal, which costs the most. */
export function brokerOf(cluster: Cluster): Victim {
  return {
    name: 'broker',
    logs: ['kafka'],
    shapes: ANY,
    kill: async (_, callId) => void process.kill(cluster.pid(await leaderOf(cluster, callId)), 'SIGKILL'),
    mend: () => cluster.start(),
    pauseMs: UNHEARD_MS,
  };
}

async function leaderOf(cluster: Cluster, callId: string): Promise<number> {
  const kafka = new Kafka({ clientId: 'failure', brokers: cluster.brokers.split(','), logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const { topics } = await admin.fetchTopicMetadata({ topics: ['calls.journal'] });
  await admin.disconnect();
  const partitions = topics[0]!.partitions;
  return partitions.find((p) => p.partitionId === partitionOf(callId, partitions.length))!.leader;
}
