/**
 * Keys come by RTP or by SIP INFO, and some phones send both. The way by which a leg's first key came is that leg's way:
 * keys by another way stay in the story and change nothing.
 */
import type { CallEvent, FactOf } from '@opentact/proto/events';
import type { Call, Flow, Leg } from './call.ts';

type Key = CallEvent<FactOf<'DigitPressed'>>;

/** What a key tells of its leg: something only once one came by INFO, since most legs never send any. */
export function wayOfKeys(call: Call, event: Key): Partial<Leg> {
  if (event.way !== 'info' || call.legs[event.leg]?.keys !== undefined) return {};
  return { keys: event.leg === 0 && hasKeys(call.flow) ? 'rtp' : 'info' };
}

/** Did a key come that the flow used or waits to use? By INFO none did yet. */
const hasKeys = ({ ahead, lastDigits, running }: Flow) =>
  ahead !== '' || lastDigits !== '' || running?.memory.key !== undefined;

/** Is this a key by another way than the leg's? */
export function isOtherWay(call: Call, event: CallEvent): boolean {
  if (event.type !== 'DigitPressed') return false;
  const { keys } = call.legs[event.leg] ?? {};
  return keys !== undefined && keys !== (event.way === 'info' ? 'info' : 'rtp');
}
