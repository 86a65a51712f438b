// Sends requests of ours within a dialog. They go to its route or Contact only where that is a numeric address which
// the dialog came from or which may be dialled; else back the way the dialog came. So a Contact can't aim us at others.

import { isIP } from 'node:net';
import { type Dialog, requestWithin, wayOf } from '../stack/dialog/dialog.ts';
import type { HeaderLine } from '../stack/message/build.ts';
import { GrammarFault } from '../stack/message/grammar.ts';
import { formatOwnRequest } from '../stack/message/own-request.ts';
import { paramOf } from '../stack/message/params.ts';
import { parseUri } from '../stack/message/uri.ts';
import type { ClientListener } from '../stack/transaction/layer.ts';
import type { Peer } from '../stack/transport/peer.ts';
import { isOurs, type Leg } from './call.ts';
import { type Context, type Names, viaOf } from './context.ts';

export type Within = { method: string; names: Names; lines?: readonly HeaderLine[]; sdp?: string };

/** The way of a dialog's requests. */
export function wayBack(context: Context, dialog: Dialog, cameFrom: Peer): Peer {
  // A connection that carried the dialog carries its requests too (RFC 5923).
  if (cameFrom.transport !== 'udp') return cameFrom;
  const next = hopOf(context, dialog, cameFrom);
  return next && !next.tcp ? context.network.udp(next.address, next.port) : cameFrom;
}

/** Where the route or Contact leads, if that is a numeric address that the dialog came from or that may be dialled. */
function hopOf(context: Context, dialog: Dialog, cameFrom: Peer) {
  try {
    const uri = parseUri(wayOf(dialog).nextHop);
    if (uri.kind !== 'sip') return undefined;
    const address = uri.host.replace(/^\[|\]$/g, '');
    const port = uri.port ?? 5060;
    if (!isIP(address) || (address !== cameFrom.address && !context.allowed(address, port))) return undefined;
    return { address, port, tcp: paramOf(uri.params, 'transport')?.toLowerCase() === 'tcp' };
  } catch (error) {
    if (error instanceof GrammarFault) return undefined;
    throw error;
  }
}

/** Sends a request within the leg's dialog and tells the listener what becomes of it. */
export function sendWithin(context: Context, leg: Leg, own: Within, listener: ClientListener): void {
  const { dialog, peer } = leg;
  if (!dialog || !peer) return listener.failed('transport-failed');
  if (peer.open !== false) return sendOf(context, leg, dialog, wayBack(context, dialog, peer), own, listener);
  reconnect(context, dialog, peer).then((again) => {
    if (!isOurs(leg)) return;
    if (!again) return listener.failed('transport-failed');
    if (leg.peer === peer) leg.peer = again;
    sendOf(context, leg, dialog, again, own, listener);
  });
}

/** The leg knows its requests while they are under way, since they leave with it. */
function sendOf(context: Context, leg: Leg, dialog: Dialog, peer: Peer, own: Within, listener: ClientListener): void {
  const { branch } = own.names;
  leg.open.set(branch, own.method);
  const ended = () => {
    leg.open.delete(branch);
    listener.ended?.();
  };
  sendIn(context, dialog, peer, own, { ...listener, ended });
}

/** A new connection in the place of one that is closed, to the Contact where that may be reached; else undefined. */
export async function reconnect(context: Context, dialog: Dialog, cameFrom: Peer): Promise<Peer | undefined> {
  const next = hopOf(context, dialog, cameFrom);
  return next && context.network.tcp(next.address, next.port).catch(() => undefined);
}

/** As `sendWithin`, for a dialog that is no leg's (a fork that lost). */
export function sendIn(context: Context, dialog: Dialog, peer: Peer, own: Within, listener: ClientListener): void {
  const via = viaOf(context, peer.transport, own.names.branch);
  const { method, lines, sdp } = own;
  const fields = { method, via, cseq: own.names.cseq, ...(lines ? { lines } : {}), ...(sdp ? { sdp } : {}) };
  context.transactions.send(requestWithin(dialog, fields), own.names.branch, peer, listener);
}

/** The ACK of a 2xx: no transaction, the INVITE's CSeq number, a branch of its own (RFC 3261 13.2.2.4). */
export function acknowledge(context: Context, dialog: Dialog, cameFrom: Peer, names: Names): void {
  const peer = wayBack(context, dialog, cameFrom);
  const via = viaOf(context, peer.transport, names.branch);
  peer.send(formatOwnRequest(requestWithin(dialog, { method: 'ACK', via, cseq: names.cseq })), () => {});
}
