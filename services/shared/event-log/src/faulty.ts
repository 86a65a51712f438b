/**
 * A log that fails at one chosen operation, for tests that try every place a process can die. It counts writes only
 * (takings and appends), because only they can be half known.
 */
import { type EventLog, LogError, type Writer } from './port.ts';

export type FaultPlan = {
  /** Which operation fails: 1, 2, 3 … over all partitions. */
  at: number;
  /** Before the write reaches the log, or after it is durable but before its answer is heard. */
  when: 'before' | 'after';
  /** `die`: from then on nothing is ever answered, as to a killed process. `unavailable`: that one operation only. */
  what: 'die' | 'unavailable';
  /** Called as a `die` happens: end what stands for the process. */
  died?: () => void;
};

export type FaultyLog = EventLog & { /** Operations counted so far. */ operations(): number };

const never = () => new Promise<never>(() => {});

export function faulty(log: EventLog, plan: FaultPlan): FaultyLog {
  let counted = 0;
  let dead = false;

  async function fail(): Promise<never> {
    if (plan.what === 'unavailable') throw new LogError('unavailable', `planned at operation ${plan.at}, ${plan.when}`);
    dead = true;
    plan.died?.();
    return never();
  }
  async function operate<T>(write: () => Promise<T>): Promise<T> {
    if (dead) return never();
    const planned = ++counted === plan.at;
    if (planned && plan.when === 'before') return fail();
    const answer = await write();
    if (planned) return fail();
    return dead ? never() : answer;
  }
  /** A fault of one writer is final for it, as with every adapter. */
  function wrap(writer: Writer): Writer {
    let broken = false;
    return {
      ...writer,
      async append(batch) {
        if (broken) throw new LogError('unavailable', 'was unavailable before');
        try {
          return await operate(() => writer.append(batch));
        } catch (error) {
          broken = true;
          throw error;
        }
      },
      check: () => (dead ? never() : writer.check()),
      release: () => (dead ? never() : writer.release()),
    };
  }
  return {
    ...log,
    take: async (topic, partition) => wrap(await operate(() => log.take(topic, partition))),
    operations: () => counted,
  };
}
