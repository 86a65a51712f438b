// The transactions of one edge: finds the one a message belongs to, opens new ones, answers CANCEL.
// Those of requests are bounded in bytes, in all and per source; what belongs to no transaction goes to its user.

import type { SipRequest, SipResponse } from '../message/message.ts';
import { textParamOf } from '../message/params.ts';
import type { Arrival, TransportName } from '../transport/peer.ts';
import { createShares } from '../transport/shares.ts';
import { type Clients, createClients } from './clients.ts';
import type { Clock } from './clock.ts';
import { type ServerKeys, serverKeys } from './keys.ts';
import { createProvenSources, type ProvenSources } from './proven-sources.ts';
import { openServer, type ServerHandle, type ServerTransaction } from './server.ts';

/** What requests and their answers may take, in all and of one source (`costOf`). */
export const SERVER_BYTES_MAX = 256 * 1024 * 1024;
export const SERVER_BYTES_PER_SOURCE = SERVER_BYTES_MAX / 4;
/** A source that never acknowledged anything may be forged: a refusal is repeated to it so often and no more. */
export const REPEATS_UNPROVEN = 2;

/** A transaction keeps the bytes, their text, what was read of it, and the answer, which echoes much of it. */
const costOf = ({ raw }: SipRequest) => 3 * raw.length + 2_048;

export interface TransactionUser {
  /** A new request, CANCELs without a transaction among them. Never ACK. */
  request(transaction: ServerTransaction): void;
  /** The ACK of a 2xx, or one that matches nothing. */
  ack(request: SipRequest, arrival: Arrival): void;
  /** A response of no transaction: a repeated 2xx at most, else to be dropped (RFC 3261 18.1.2). */
  strayResponse(response: SipResponse, arrival: Arrival): void;
  /** Asked before a transaction is opened. False: it was answered without state (or dropped); no transaction opens. */
  admit(request: SipRequest, arrival: Arrival, full: boolean): boolean;
}

export type Transactions = Omit<Clients, 'receive' | 'count'> &
  ProvenSources & {
    receiveRequest(request: SipRequest, arrival: Arrival): void;
    receiveResponse(response: SipResponse, arrival: Arrival): void;
    /** The live server transaction of a request that came before, by that transport. */
    serverOf(request: SipRequest, transport: TransportName): ServerTransaction | undefined;
    /** A server transaction for a request that another edge received: as if it had come here, but told to nobody. */
    restoreServerTransaction(request: SipRequest, arrival: Arrival): ServerTransaction;
    count(): number;
  };

export function createTransactions(user: TransactionUser, clock: Clock): Transactions {
  const servers = new Map<string, ServerHandle>();
  const bytes = createShares(SERVER_BYTES_MAX, SERVER_BYTES_PER_SOURCE);
  const { receive: receivedByClient, count: countClients, ...clients } = createClients(clock);
  const proven = createProvenSources();

  function receiveRequest(request: SipRequest, arrival: Arrival): void {
    const keys = serverKeys(request, arrival.peer.transport);
    const found = servers.get(keys.own);
    if (request.method === 'ACK') {
      if (found) acknowledge(found, request, arrival);
      else user.ack(request, arrival);
    } else if (found) found.again(arrival);
    else if (request.method === 'CANCEL' && servers.has(keys.invite)) open(request, arrival, keys);
    else if (user.admit(request, arrival, !bytes.fits(arrival.source.address, costOf(request))))
      open(request, arrival, keys);
  }

  function acknowledge(found: ServerHandle, ack: SipRequest, arrival: Arrival): void {
    const { tag } = found.user;
    if (tag !== undefined && tag === textParamOf(ack.to.params, 'tag')) proven.prove(arrival.source);
    found.ack(ack);
  }

  function enter(request: SipRequest, arrival: Arrival, keys: ServerKeys): ServerHandle {
    const { address } = arrival.source;
    const repeats = proven.isProven(arrival) ? Number.POSITIVE_INFINITY : REPEATS_UNPROVEN;
    const ended = () => {
      if (servers.get(keys.own) !== opened) return;
      servers.delete(keys.own);
      bytes.give(address, costOf(request));
    };
    const events = { ended, ack: (ack: SipRequest, from: Arrival) => user.ack(ack, from) };
    const opened = openServer(request, arrival, clock, events, repeats);
    bytes.force(address, costOf(request));
    servers.set(keys.own, opened);
    return opened;
  }

  function open(request: SipRequest, arrival: Arrival, keys: ServerKeys): void {
    const opened = enter(request, arrival, keys);
    const invite = request.method === 'CANCEL' ? servers.get(keys.invite) : undefined;
    if (invite) cancel(opened, invite);
    else user.request(opened.user);
  }

  return {
    ...clients,
    ...proven,
    receiveRequest,
    receiveResponse(response, arrival) {
      if (!receivedByClient(response, arrival)) user.strayResponse(response, arrival);
    },
    serverOf: (request, transport) => servers.get(serverKeys(request, transport).own)?.user,
    restoreServerTransaction: (request, arrival) =>
      enter(request, arrival, serverKeys(request, arrival.peer.transport)).user,
    count: () => servers.size + countClients(),
  };
}

/** RFC 3261 9.2: the CANCEL is answered 200 whoever won, with the To tag of the INVITE's answers. */
function cancel(opened: ServerHandle, invite: ServerHandle): void {
  opened.user.respond(200, invite.user.tag === undefined ? {} : { toTag: invite.user.tag });
  invite.cancel(opened.user.request);
}
