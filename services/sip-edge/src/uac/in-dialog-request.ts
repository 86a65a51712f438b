// Sends requests of ours within a dialog along its route set, or else to its remote target (RFC 3261 12.2.1.1). They go
// there only where that resolves to the address the dialog came from, to one of the leg's trunk, or to one that may be
// dialled; else back the way the dialog came. So a Contact or Record-Route can't aim us at others.

import { isIP, isIPv6 } from 'node:net';
import { sourceOf } from '@opentact/runtime';
import { isOurs, type Leg } from '../edge/call.ts';
import { type Context, type Names, type Sending, viaOf } from '../edge/context.ts';
import { type Dialog, nextHopOf, requestWithin } from '../stack/dialog/dialog.ts';
import type { HeaderLine } from '../stack/message/build.ts';
import { GrammarFault } from '../stack/message/grammar.ts';
import { formatOwnRequest } from '../stack/message/own-request.ts';
import { paramOf } from '../stack/message/params.ts';
import { parseUri, type SipUri } from '../stack/message/uri.ts';
import type { ClientListener } from '../stack/transaction/clients.ts';
import type { Peer } from '../stack/transport/peer.ts';
import { isOfTrunk } from './digest-authorization.ts';
import type { Asker, Endpoint } from './resolve.ts';

export type InDialogRequest = { method: string; names: Names; lines?: readonly HeaderLine[]; sdp?: string };

/** A dialog and where it came from; its leg where it is one's. */
export type Through = { readonly dialog: Dialog; readonly cameFrom: Peer; readonly leg?: Leg | undefined };

type Hop = Endpoint & { readonly tcp: boolean };

/** Tells where a dialog's requests go: at once where the next hop is a numeric address reached over UDP. */
export function toNextHop(context: Sending, through: Through, then: (peer: Peer) => void): void {
  const { dialog, cameFrom } = through;
  const uri = hopUriOf(dialog);
  if (!uri) return then(cameFrom);
  const numeric = numericOf(uri);
  if (numeric) return reach(context, cameFrom, allowedOf(context, through, uri, [numeric]), then);
  resolved(context, through, uri).then((hop) => reach(context, cameFrom, hop, then));
}

/** Never rejects. */
async function resolved(context: Sending, through: Through, uri: SipUri): Promise<Hop | undefined> {
  const tcp = isTcp(uri, through.cameFrom);
  const found = await context.resolve(uri.host, uri.port, tcp ? 'tcp' : 'udp', askerOf(through)).catch(() => []);
  return allowedOf(context, through, uri, found);
}

/** The name is the other end's word: it counts for the address that it came from, or for the leg's trunk. */
function askerOf({ cameFrom, leg }: Through): Asker {
  return { of: sourceOf(cameFrom.address), isTrunk: leg !== undefined && isOfTrunk(leg, cameFrom.address) };
}

function reach(context: Sending, cameFrom: Peer, hop: Hop | undefined, then: (peer: Peer) => void): void {
  // A connection that carried the dialog carries its requests too (RFC 5923).
  if (!hop || (cameFrom.transport === 'tcp' && hop.address === cameFrom.address)) return then(cameFrom);
  if (!hop.tcp) return then(context.network.udp(hop.address, hop.port));
  context.network.tcp(hop.address, hop.port).then(then, () => then(cameFrom));
}

function hopUriOf(dialog: Dialog): SipUri | undefined {
  try {
    const uri = parseUri(nextHopOf(dialog).hopUri);
    return uri.kind === 'sip' && uri.scheme === 'sip' ? uri : undefined;
  } catch (error) {
    if (error instanceof GrammarFault) return undefined;
    throw error;
  }
}

function numericOf(uri: SipUri): Endpoint | undefined {
  const address = uri.host.replace(/^\[|\]$/g, '');
  return isIP(address) ? { address, port: uri.port ?? 5060 } : undefined;
}

const isTcp = (uri: SipUri, cameFrom: Peer) => {
  const wanted = paramOf(uri.params, 'transport')?.toLowerCase();
  return wanted === 'tcp' || (wanted === undefined && numericOf(uri) === undefined && cameFrom.transport === 'tcp');
};

/** The first of the addresses that we speak and may send to. */
function allowedOf(context: Sending, { cameFrom, leg }: Through, uri: SipUri, found: readonly Endpoint[]) {
  const family = isIPv6(context.network.advertise.address);
  const hop = found.find(
    ({ address, port }) =>
      isIPv6(address) === family &&
      (address === cameFrom.address || (leg && isOfTrunk(leg, address)) || context.allowed(address, port)),
  );
  return hop && { ...hop, tcp: isTcp(uri, cameFrom) };
}

/** Sends a request within the leg's dialog and tells the listener what becomes of it. */
export function sendWithin(
  context: Sending,
  leg: Leg,
  own: InDialogRequest,
  listener: InDialogListener = UNHEARD,
): void {
  const { dialog, peer } = leg;
  if (!dialog || !peer) return listener.failed('transport-failed');
  const through = { dialog, cameFrom: peer, leg };
  const send = (to: Peer) => isOurs(leg) && sendOf(context, leg, dialog, to, own, listener);
  if (peer.open !== false) return toNextHop(context, through, send);
  reconnect(context, through).then((again) => {
    if (!isOurs(leg)) return;
    if (!again) return listener.failed('transport-failed');
    if (leg.peer === peer) leg.peer = again;
    send(again);
  });
}

/** Nobody waits for the answer. */
const UNHEARD = { response() {}, failed() {} };

/** `peer`: where the request went. */
export type InDialogListener = Omit<ClientListener, 'response'> & {
  response(...of: [...Parameters<ClientListener['response']>, peer: Peer]): void;
};

/** The leg knows its requests while they are under way, since they leave with it. */
function sendOf(
  context: Sending,
  leg: Leg,
  dialog: Dialog,
  peer: Peer,
  own: InDialogRequest,
  listener: InDialogListener,
): void {
  const { branch } = own.names;
  leg.open.set(branch, own.method);
  sendTo(context, dialog, peer, own, {
    failed: listener.failed,
    response: (response, arrival) => listener.response(response, arrival, peer),
    ended() {
      leg.open.delete(branch);
      listener.ended?.();
    },
  });
}

/** A new connection in the place of one that is closed, to the next hop where that may be reached; else undefined. */
export async function reconnect(context: Sending, through: Through): Promise<Peer | undefined> {
  const uri = hopUriOf(through.dialog);
  const numeric = uri && numericOf(uri);
  const hop = uri && (numeric ? allowedOf(context, through, uri, [numeric]) : await resolved(context, through, uri));
  return hop && context.network.tcp(hop.address, hop.port).catch(() => undefined);
}

/** Sends a request of a dialog that is no leg's any more, or never was (a fork that lost). Nobody waits for its answer. */
export function sendIn(context: Sending, through: Through, own: InDialogRequest): void {
  toNextHop(context, through, (peer) => sendTo(context, through.dialog, peer, own, UNHEARD));
}

function sendTo(context: Sending, dialog: Dialog, peer: Peer, own: InDialogRequest, listener: ClientListener): void {
  const via = viaOf(context, peer.transport, own.names.branch);
  const { method, lines, sdp } = own;
  const fields = { method, via, cseq: own.names.cseq, ...(lines ? { lines } : {}), ...(sdp ? { sdp } : {}) };
  context.transactions.send(requestWithin(dialog, fields), own.names.branch, peer, listener);
}

/** Sends one copy of a request of a dialog there and nowhere else. Nobody waits for its answer, and it is not repeated. */
export function sendOnce(
  context: Pick<Context, 'network'>,
  dialog: Dialog,
  peer: Peer,
  { method, names, lines = [] }: InDialogRequest,
): void {
  const via = viaOf(context, peer.transport, names.branch);
  peer.send(formatOwnRequest(requestWithin(dialog, { method, via, cseq: names.cseq, lines })), () => {});
}

/**
 * The ACK of a 2xx: no transaction, the INVITE's CSeq number, a branch of its own (RFC 3261 13.2.2.4). `auth` are the
 * INVITE's lines with credentials (22.1), which only the trunk's own addresses see.
 */
export function acknowledge(
  context: Sending,
  through: Through,
  names: Names,
  auth: readonly HeaderLine[] = [],
  sdp?: string,
): void {
  const { dialog, leg } = through;
  toNextHop(context, through, (peer) => {
    const via = viaOf(context, peer.transport, names.branch);
    const lines = leg && isOfTrunk(leg, peer.address) ? auth : [];
    const own = { method: 'ACK', via, cseq: names.cseq, lines, ...(sdp ? { sdp } : {}) };
    peer.send(formatOwnRequest(requestWithin(dialog, own)), () => {});
  });
}
