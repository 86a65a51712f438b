/** Which of some names a mistyped one was meant to be. */

/** Longer names than any that there is are near to none. */
const NAME_MAX = 64;

/** `callFlowUrl` is `call_flow_url` to whoever reads it. */
const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '');

/** @returns undefined where none comes near: more than a third of its letters are others */
export function nearestOf(name: string, names: string[]): string | undefined {
  if (name.length > NAME_MAX) return undefined;
  const meant = plain(name);
  const nearest = names
    .map((known) => ({ known, steps: stepsBetween(meant, plain(known)) }))
    .reduce((best, one) => (one.steps < best.steps ? one : best), { known: '', steps: Number.POSITIVE_INFINITY });
  return nearest.steps <= Math.max(1, Math.floor(meant.length / 3)) ? nearest.known : undefined;
}

/** Letters to be changed, put in, taken out, or exchanged with the next one. */
function stepsBetween(a: string, b: string): number {
  let [before, last] = [[] as number[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        row[j] = Math.min(row[j]!, before[j - 2]! + 1);
    }
    [before, last] = [last, row];
  }
  return last[b.length]!;
}
