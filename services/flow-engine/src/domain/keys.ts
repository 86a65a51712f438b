/**
 * Keys come by RTP or by SIP INFO, and some phones send both. The way by which a leg's first key came is that leg's way:
 * keys by another way stay in the story and change nothing. So does a key by INFO that media has ended a recording for.
 */
import type { CallEvent, FactOf } from '@opentact/proto/events';
import type { Call, Flow, Leg } from './call.ts';

/** What ends an empty Record (contracts.md, language 12). */
export const STOP_KEYS = '#';
/** An INFO is sent when its key is let go; the key's RTP came before. */
const TWICE_MS = 1_000;

type Key = CallEvent<FactOf<'DigitPressed'>>;

/** What a key tells of its leg: something only once one came by INFO, since most legs never send any. */
export function wayOfKeys(call: Call, event: Key): Partial<Leg> {
  if (event.way !== 'info' || call.legs[event.leg]?.keys !== undefined) return {};
  return { keys: event.leg === 0 && hasKeys(call.flow) ? 'rtp' : 'info' };
}

/** Did a key come that the flow used or waits to use? By INFO none did yet. */
const hasKeys = ({ ahead, lastDigits, running }: Flow) =>
  ahead !== '' || lastDigits !== '' || running?.memory.key !== undefined;

/** Is this a key by another way than the leg's, or one that was of use by another way already? */
export function isOtherWay(call: Call, event: CallEvent): boolean {
  if (event.type !== 'DigitPressed') return false;
  const { keys, recordEndedAt } = call.legs[event.leg] ?? {};
  if (keys !== undefined && keys !== (event.way === 'info' ? 'info' : 'rtp')) return true;
  const isKnown = event.way === 'info' && STOP_KEYS.includes(event.digit) && recordEndedAt !== undefined;
  return isKnown && event.at - recordEndedAt <= TWICE_MS + event.durationMs;
}
