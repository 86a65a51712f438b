/** What Kafka's words mean here: which pass by themselves, and what becomes of the others. */
import { LogError } from './port.ts';

/** Errors after which the same request may succeed, perhaps at another broker. */
const PASSING = new Set([
  'NETWORK',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_OR_FOLLOWER',
  'REPLICA_NOT_AVAILABLE',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'OFFSET_NOT_AVAILABLE',
  'KAFKA_STORAGE_ERROR',
  'REQUEST_TIMED_OUT',
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR',
  'CONCURRENT_TRANSACTIONS',
  'NOT_CONTROLLER',
  'UNKNOWN_TOPIC_OR_PARTITION', // A topic that was just made is not known everywhere yet.
]);

/** The broker's words for what went wrong; `NETWORK` where it said none. */
export function codesOf(error: unknown): string[] {
  const found = error as { code?: string; errors?: Array<{ apiId?: string }>; apiId?: string };
  if (found.errors) return found.errors.map((e) => e.apiId ?? 'UNKNOWN_SERVER_ERROR');
  if (found.apiId) return [found.apiId];
  return ['PLT_KFK_NETWORK', 'PLT_KFK_TIMEOUT'].includes(found.code ?? '') ? ['NETWORK'] : [];
}

/** A refusal of ours in the brokers' words. */
export const refusal = (apiId: string) => Object.assign(new Error(apiId), { apiId });
export const isPassing = (error: unknown) => codesOf(error).some((code) => PASSING.has(code));

/** Runs what talks to the brokers; whatever goes wrong is `unavailable`. */
export async function reachingKafka<T>(what: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (cause instanceof LogError || cause instanceof RangeError) throw cause;
    const codes = codesOf(cause).join(', ') || (cause as Error).message;
    throw new LogError('unavailable', `${what}: ${codes}`, { cause });
  }
}
