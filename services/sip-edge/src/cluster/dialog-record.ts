// A dialog as the story keeps it, so that another edge can go on with it: the stack's dialog and where its messages
// last came from. It refuses nothing; what the story holds was ours.

import type { FactOf } from '@opentact/proto';
import type { Leg } from '../edge/call.ts';
import type { Dialog } from '../stack/dialog/dialog.ts';
import { formatAddress, type TransportName } from '../stack/transport/peer.ts';
import type { Source } from '../stack/transport/udp.ts';

/** `peerAddress` is `ip:port`, with brackets around an IPv6 address. */
export type DialogRecord = NonNullable<FactOf<'LegAnswered'>['dialog']>;

/** What the story is told of a leg's dialog; absent before there is one. */
export function recordOf({ dialog, peer }: Leg): { dialog?: DialogRecord } {
  if (!dialog || !peer) return {};
  const { remoteCSeq, routes, ...named } = dialog;
  const heard = remoteCSeq === undefined ? {} : { remoteCseq: remoteCSeq };
  const source = { transport: peer.transport, peerAddress: formatAddress(peer) };
  return { dialog: { ...named, routes: [...routes], ...heard, ...source } };
}

export function dialogOfRecord(record: DialogRecord): Dialog {
  const { remoteCseq, transport: _, peerAddress: __, ...named } = record;
  return { ...named, ...(remoteCseq === undefined ? {} : { remoteCSeq: remoteCseq }) };
}

/** How and from where messages came, by the story's word; undefined where it holds none that can be used. */
export function sourceOfRecord(
  transport: string,
  address: string,
): { transport: TransportName; source: Source } | undefined {
  const at = address.lastIndexOf(':');
  const port = Number(address.slice(at + 1));
  if (at < 1 || !(port > 0 && port < 65_536) || (transport !== 'udp' && transport !== 'tcp')) return undefined;
  return { transport, source: { address: address.slice(0, at).replace(/^\[|\]$/g, ''), port } };
}
