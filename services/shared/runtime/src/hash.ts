/** Which partition a key lies in, and which node a thing belongs to. Every process must answer alike, for ever. */

const M = 0x5bd1e995;

/** murmur2 with Kafka's seed over bytes, as a signed 32-bit number, so that its Java clients agree with us. */
export function murmur2(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = bytes.length & ~3;
  let h = 0x9747b28c ^ bytes.length;
  for (let i = 0; i < whole; i += 4) {
    let k = Math.imul(view.getInt32(i, true), M);
    k = Math.imul(k ^ (k >>> 24), M);
    h = Math.imul(h, M) ^ k;
  }
  const rest = bytes.length & 3;
  if (rest >= 3) h ^= bytes[whole + 2]! << 16;
  if (rest >= 2) h ^= bytes[whole + 1]! << 8;
  if (rest >= 1) h = Math.imul(h ^ bytes[whole]!, M);
  h = Math.imul(h ^ (h >>> 13), M);
  return h ^ (h >>> 15);
}

const utf8 = new TextEncoder();

/** The partition of a key, 0 … partitions − 1, as Kafka's default partitioner chooses it. */
export function partitionOf(key: string, partitions: number): number {
  return (murmur2(utf8.encode(key)) & 0x7fffffff) % partitions;
}

/**
 * Rendezvous hashing: the name that `key` belongs to. When a name leaves, only what belonged to it moves.
 * @returns undefined where there are no names.
 */
export function rendezvous(key: string, names: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestScore = -1;
  for (const name of names) {
    const score = murmur2(utf8.encode(`${key}\n${name}`)) >>> 0;
    if (score > bestScore || (score === bestScore && name < best!)) [best, bestScore] = [name, score];
  }
  return best;
}

/** The engine that owns a partition where the engines of these names live. */
export const ownerAmong = (partition: number, names: Iterable<string>): string | undefined =>
  rendezvous(`partition-${partition}`, names);
