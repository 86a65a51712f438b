/** The event log: one port, and the adapters that keep its promises. */

import type { KafkaOptions } from './kafka.ts';
import { memoryLog } from './memory.ts';
import type { EventLog } from './port.ts';
import { postgresLog } from './postgres.ts';

export { type EmbeddedPostgres, embeddedPostgres, endEmbeddedPostgres } from './embedded-postgres.ts';
export { type FaultPlan, type FaultyLog, faulty } from './faulty.ts';
export { createMemoryServer, type MemoryServer, memoryLog } from './memory.ts';
export * from './port.ts';
export { postgresLog } from './postgres.ts';
export { refusalOf } from './refusal.ts';

/** As `kafka.ts` says. Its client takes half a second to load, which nobody pays who does not use it. */
export async function kafkaLog(options: KafkaOptions): Promise<EventLog> {
  return (await import('./kafka.ts')).kafkaLog(options);
}

/** As `kafka-topics.ts` says: makes the topics of `infra/kafka/topics.yaml` that are missing. */
export async function createTopics(of: { brokers: string[]; retainDays: number }): Promise<string[]> {
  return (await import('./kafka-topics.ts')).createTopics(of);
}

/**
 * The log that the configuration names. It is ready when this resolves.
 * @throws Error where the adapter lacks what it needs; LogError `unavailable` where the log can't be had.
 */
export async function openLog(config: {
  log: 'postgres' | 'memory' | 'kafka';
  databaseUrl: string | undefined;
  kafkaBrokers: string[] | undefined;
  retainDays: number;
}): Promise<EventLog> {
  switch (config.log) {
    case 'memory':
      return memoryLog();
    case 'postgres':
      if (!config.databaseUrl) throw new Error('OPENTACT_LOG=postgres needs DATABASE_URL');
      return postgresLog({ url: config.databaseUrl, retainDays: config.retainDays });
    case 'kafka':
      if (!config.kafkaBrokers?.length) throw new Error('OPENTACT_LOG=kafka needs KAFKA_BROKERS');
      return kafkaLog({ brokers: config.kafkaBrokers, retainDays: config.retainDays });
  }
}
