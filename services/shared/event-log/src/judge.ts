/**
 * Who lives, judged from what one process saw of the registry. It never counts silence over time in which this judge's
 * own beats did not come back, and counts anew once they do, so that nobody is declared lost while the log itself is
 * away, nor for coming back to it a little later than we. No clock, no I/O.
 */
import type { Node, SeenNode } from './port.ts';

/** One row of the registry as read now. `free`: its lock is free; `undefined` where that is no sign of death. */
export type Observation = { node: Node; beats: number; withdrawn: boolean; free: boolean | undefined };

/** The longest stretch between two readings that counts: a judge that was itself frozen learned nothing meanwhile. */
const COUNTED_MS_MAX = 400;

/** Silence that a membership change is announced at. */
export const SILENT_MS = [1500, 3000] as const;

export type Judge = {
  /**
   * Takes one reading of the registry.
   * @param at the reader's monotonic clock, ms. @param fair own beats were written and read back until now.
   * @returns true where membership changed.
   */
  observe(at: number, fair: boolean, observations: Observation[]): boolean;
  nodes(): SeenNode[];
};

/** `graced`: its silence was counted anew, and it was not heard since. */
type Watched = { boot: string; beats: number; heardAt: number; graced: boolean };

export function createJudge(): Judge {
  const watched = new Map<string, Watched>();
  let seen: SeenNode[] = [];
  let signature = '';
  let countedMs = 0; // fair time only
  let last: { at: number; fair: boolean } | undefined;

  /** Once, and not for whom silence had declared lost before. */
  function grace(one: Watched): void {
    if (one.graced || countedMs - one.heardAt > SILENT_MS[0]) return;
    one.heardAt = countedMs;
    one.graced = true;
  }
  function silenceOf({ node, beats }: Observation): number {
    const known = watched.get(node.name);
    if (known?.boot !== node.boot || known.beats !== beats)
      watched.set(node.name, { boot: node.boot, beats, heardAt: countedMs, graced: false });
    return countedMs - watched.get(node.name)!.heardAt;
  }
  return {
    observe(at, fair, observations) {
      if (last?.fair && fair) countedMs += Math.min(COUNTED_MS_MAX, at - last.at);
      if (last && !last.fair && fair) for (const one of watched.values()) grace(one);
      last = { at, fair };
      const names = new Set(observations.map((o) => o.node.name));
      for (const name of watched.keys()) if (!names.has(name)) watched.delete(name);
      seen = observations.map((o) => ({
        ...o.node,
        gone: o.withdrawn || o.free === true,
        silentMs: Math.round(silenceOf(o)),
      }));
      const before = signature;
      signature = seen
        .map((n) => `${n.name}/${n.boot}/${n.gone}/${SILENT_MS.filter((ms) => n.silentMs > ms).length}`)
        .sort()
        .join(' ');
      return signature !== before;
    },
    nodes: () => seen,
  };
}
