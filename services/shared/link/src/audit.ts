/**
 * Asks the owners from time to time which of the keys held here still live. One “no” may be a race with a new owner;
 * two running, from two audits, are believed.
 */
import { partitionOf } from '@opentact/runtime';
import type { EngineStream } from './engine-stream.ts';
import type { FactStore } from './fact-store.ts';

/** More keys of one partition wait for a later audit. */
const KEYS_PER_AUDIT_MAX = 5000;
const NOES_BELIEVED = 2;

export function createAudit(of: {
  held(): string[];
  store: FactStore;
  partitions: number;
  ownerOf(partition: number): EngineStream | undefined;
  gone(key: string): void;
}): { ask(): void; answered(partition: number, gone: readonly string[]): void } {
  const asked = new Map<number, string[]>();
  return {
    ask() {
      asked.clear();
      const held = of.held();
      of.store.sweep(new Set(held));
      const keys = Map.groupBy(held, (key) => partitionOf(key, of.partitions));
      for (const [partition, all] of keys) {
        const some = all.slice(0, KEYS_PER_AUDIT_MAX);
        const owner = of.ownerOf(partition);
        if (!owner?.open()) continue;
        asked.set(partition, some);
        owner.send({ $case: 'audit', value: { keys: some } });
      }
    },
    answered(partition, gone) {
      const noes = new Set(gone);
      for (const key of asked.get(partition) ?? []) {
        const state = of.store.stateOf(key);
        state.noes = noes.has(key) ? state.noes + 1 : 0;
        if (state.noes >= NOES_BELIEVED) of.gone(key);
      }
      asked.delete(partition); // A second answer to one question would count a “no” twice.
    },
  };
}
