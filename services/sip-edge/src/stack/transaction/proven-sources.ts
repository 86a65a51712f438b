// Sources that acknowledged an answer of ours: whoever is there is no forgery. It remembers PROVEN_MAX of them; who
// acknowledged longest ago is forgotten first.

import type { Arrival } from '../transport/peer.ts';

const PROVEN_MAX = 20_000;

export type ProvenSources = {
  prove(source: Arrival['source']): void;
  /** Did whoever sent that acknowledge an answer, or is it a connection, which proves itself? */
  isProven(arrival: Arrival): boolean;
};

export function createProvenSources(): ProvenSources {
  const proven = new Set<string>();
  const nameOf = ({ address, port }: Arrival['source']) => `${address} ${port}`;
  return {
    prove(source) {
      proven.delete(nameOf(source));
      proven.add(nameOf(source));
      if (proven.size > PROVEN_MAX) proven.delete(proven.values().next().value!);
    },
    isProven: ({ peer, source }) => peer.transport !== 'udp' || proven.has(nameOf(source)),
  };
}
