/** States that older versions wrote, as they are understood today. A version is a shape of `Call`, not of its meaning. */
import { type Call, SNAPSHOT_VERSION } from './call.ts';

type Older = { legs: Array<Record<string, unknown>> } & Record<string, unknown>;

/** The steps from version 1 to 2, from 2 to 3 … */
const UPCASTS: Array<(call: Older) => Older> = [
  // An offer that waited for its answer was only its transaction; that it had an SDP is known by the story alone.
  (call) => ({
    ...call,
    legs: call.legs.map((leg) =>
      typeof leg.offer === 'string' ? { ...leg, offer: { transaction: leg.offer, sdp: '' } } : leg,
    ),
  }),
];

/** The state as of today; undefined where it can't be had from that version (then the story is folded from its start). */
export function upcastCall(version: number, call: unknown): Call | undefined {
  if (!(version >= 1 && version <= SNAPSHOT_VERSION)) return undefined;
  return UPCASTS.slice(version - 1).reduce((older, step) => step(older), call as Older) as unknown as Call;
}
