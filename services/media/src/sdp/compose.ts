// Writes our descriptions: offers, and answers that mirror the offer line by line (RFC 3264 section 6).
// It refuses nothing; what it is given was agreed before.
import { isIPv6 } from 'node:net';
import { type Law, STATIC_PAYLOAD_TYPE } from '../codec/g711.ts';
import { type Accepted, OFFERED_EVENTS } from './negotiate.ts';
import type { Direction, Medium } from './parse.ts';

/** Our side: `id` stays for the leg's life and `version` rises with each change (RFC 3264 section 8). */
export type Ours = { id: number; version: number; address: string; port: number };

function head(ours: Ours): string[] {
  const family = isIPv6(ours.address) ? 'IP6' : 'IP4';
  return [
    'v=0',
    `o=opentact ${ours.id} ${ours.version} IN ${family} ${ours.address}`,
    's=-',
    `c=IN ${family} ${ours.address}`,
    't=0 0',
  ];
}

function audio(port: number, protocol: string, laws: [Law, number][], events: number, direction: Direction): string[] {
  const formats = [...laws.map(([, payloadType]) => payloadType), ...(events < 0 ? [] : [events])];
  return [
    `m=audio ${port} ${protocol} ${formats.join(' ')}`,
    ...laws.map(([law, payloadType]) => `a=rtpmap:${payloadType} ${law}/8000`),
    ...(events < 0 ? [] : [`a=rtpmap:${events} telephone-event/8000`, `a=fmtp:${events} 0-15`]),
    'a=ptime:20',
    `a=${direction}`,
  ];
}

const text = (lines: string[]) => `${lines.join('\r\n')}\r\n`;

/** Our offer: both laws, the one in use first, and telephone events. */
export function composeOffer(ours: Ours, first: Law = 'PCMU'): string {
  const second: Law = first === 'PCMU' ? 'PCMA' : 'PCMU';
  const laws: [Law, number][] = [
    [first, STATIC_PAYLOAD_TYPE[first]],
    [second, STATIC_PAYLOAD_TYPE[second]],
  ];
  return text([...head(ours), ...audio(ours.port, 'RTP/AVP', laws, OFFERED_EVENTS, 'sendrecv')]);
}

/** Our answer: the agreed stream on our port, every other medium refused with port 0. */
export function composeAnswer(ours: Ours, accepted: Accepted): string {
  const { agreement } = accepted;
  const lines = accepted.offer.media.flatMap((medium: Medium, index) =>
    index === accepted.index
      ? audio(
          ours.port,
          medium.protocol,
          [[agreement.law, agreement.payloadType]],
          agreement.eventPayloadType,
          agreement.direction,
        )
      : [`m=${medium.kind} 0 ${medium.protocol} ${medium.formats.join(' ') || '0'}`],
  );
  return text([...head(ours), ...lines]);
}
