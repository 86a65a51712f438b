/**
 * A story as the chains that it is made of: what was chosen, in order, and what each part of the world told, in order.
 * How the chains lie between each other is a matter of timing; two stories whose chains are equal are the same call.
 */
import type { CallEvent } from '@opentact/proto';
import { isObserved } from '@opentact/proto/observations';

/** Fields of timing, of addresses, and of what differs from call to call by its nature. */
const LEFT_OUT = new Set(
  'type callId seq at from to dueAt playedMs durationMs tookMs observedAt sdp sdpId offer invite dialog media peer node boot except'.split(
    ' ',
  ),
);
const PRIVATE = new Set(
  'idempotencyKey appId accountId recordingId localTag topBranch requestUri sipCallId sourceAddress transport contentType detail'.split(
    ' ',
  ),
);

/** Whoever observed it: a leg's edge, a leg's media, the notifier, the engine's own timers and look-ups. */
function teller(event: CallEvent): string {
  if (/^(Call|Leg|Dial|Offer|Answer)/.test(event.type)) return `edge, leg ${'leg' in event ? event.leg : 0}`;
  if (/^(Location|Group|LookUp)/.test(event.type)) return 'directory';
  if (/^Document/.test(event.type)) return 'notifier';
  if (/^(Node|Timer|HangupOrdered)/.test(event.type)) return `engine, ${event.type}`;
  return `media, ${event.type.replace(/(Ready|Finished|Stopped|Failed|Started|Ended|Changed|Released)$/, '')}`;
}

/** What the engine chose, or said of itself: it follows from the rest. */
const isChosen = (event: CallEvent) => !isObserved(event) || event.type === 'CallFaulted';

/** @param known what stands for values that differ by nature, like ports. */
export function chainsOf(
  story: CallEvent[],
  known: (text: string) => string = (text) => text,
): Record<string, string[]> {
  const names = new Map<number, string>();
  const counts = new Map<string, number>();
  for (const { seq, type } of story) {
    const count = (counts.get(type) ?? 0) + 1;
    counts.set(type, count);
    names.set(seq, `${type}#${count}`);
  }
  const meaningOf = (name: string, value: unknown) =>
    /^(requestId|timerId|play|record|bridge)$/.test(name) ? (names.get(value as number) ?? value) : value;
  const chains: Record<string, string[]> = {};
  for (const event of story) {
    if (event.type === 'MediaSilent') continue; // the phone's affair
    const fields = Object.entries(event)
      .filter(([name, value]) => !LEFT_OUT.has(name) && !PRIVATE.has(name) && value !== undefined && name !== 'app')
      .map(([name, value]) => [name, meaningOf(name, value)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    const line = known(`${event.type} ${JSON.stringify(Object.fromEntries(fields))}`);
    const chain = isChosen(event) ? 'chosen' : teller(event);
    chains[chain] = [...(chains[chain] ?? []), line];
  }
  return chains;
}
