// The transactions of one edge: finds the one a message belongs to, opens new ones, answers CANCEL.
// It refuses to hold more than TRANSACTIONS_MAX; what belongs to no transaction goes to its user.

import type { SipRequest, SipResponse } from '../message/message.ts';
import { ackOfRefusal, formatOwnRequest, type OwnRequest } from '../message/own-request.ts';
import type { Arrival, Peer, TransportName } from '../transport/peer.ts';
import { type ClientInviteInput, clientInvite, clientInviteRinging, clientInviteTransition } from './client-invite.ts';
import { type ClientOtherInput, clientOther, clientOtherTransition } from './client-other.ts';
import type { Clock } from './clock.ts';
import { clientKey, type ServerKeys, serverKeys } from './keys.ts';
import type { Step } from './output.ts';
import { type Rest, type Running, run } from './running.ts';
import { openServer, type ServerHandle, type ServerTransaction } from './server.ts';

export const TRANSACTIONS_MAX = 200_000;

export interface TransactionUser {
  /** A new request, CANCELs without a transaction among them. Never ACK. */
  request(transaction: ServerTransaction): void;
  /** The ACK of a 2xx, or one that matches nothing. */
  ack(request: SipRequest, arrival: Arrival): void;
  /** A response of no transaction: a repeated 2xx at most, else to be dropped (RFC 3261 18.1.2). */
  stray(response: SipResponse, arrival: Arrival): void;
  /** Asked before a transaction is opened. False: it was answered without state (or dropped); no transaction opens. */
  admit(request: SipRequest, arrival: Arrival, full: boolean): boolean;
}

/** What the sender of a request is told. `ended` comes once, after everything else. */
export type ClientListener = {
  response(response: SipResponse): void;
  failed(why: 'timeout' | 'transport-failed'): void;
  ended?(): void;
};

export type Transactions = {
  receiveRequest(request: SipRequest, arrival: Arrival): void;
  receiveResponse(response: SipResponse, arrival: Arrival): void;
  /** The live server transaction of a request that came before, by that transport. */
  serverOf(request: SipRequest, transport: TransportName): ServerTransaction | undefined;
  /** A server transaction for a request that another edge received: as if it had come here, but told to nobody. */
  hold(request: SipRequest, arrival: Arrival): ServerTransaction;
  /** Sends a request of ours. False where the same one (branch and method) is already under way. */
  send(request: OwnRequest, branch: string, peer: Peer, listener: ClientListener): boolean;
  /** Awaits the answers to an INVITE that another edge sent and that was answered 1xx: nothing goes out. */
  expect(request: OwnRequest, branch: string, peer: Peer, listener: ClientListener): void;
  /** Forgets a request of ours that nobody will answer any more. */
  abandon(branch: string, method: string): void;
  count(): number;
};

type ClientInput = ClientInviteInput & ClientOtherInput;
type Client = Running<unknown, ClientInput>;

export function createTransactions(user: TransactionUser, clock: Clock): Transactions {
  const servers = new Map<string, ServerHandle>();
  const clients = new Map<string, Client>();

  function receiveRequest(request: SipRequest, arrival: Arrival): void {
    const keys = serverKeys(request, arrival.peer.transport);
    const found = servers.get(keys.own);
    if (request.method === 'ACK') {
      if (found) found.ack(request);
      else user.ack(request, arrival);
    } else if (found) found.again(arrival);
    else if (request.method === 'CANCEL' && servers.has(keys.invite)) open(request, arrival, keys);
    else if (user.admit(request, arrival, servers.size + clients.size >= TRANSACTIONS_MAX))
      open(request, arrival, keys);
  }

  function enter(request: SipRequest, arrival: Arrival, keys: ServerKeys): ServerHandle {
    const opened = openServer(request, arrival, clock, {
      ended: () => servers.delete(keys.own),
      ack: (ack, from) => user.ack(ack, from),
    });
    servers.set(keys.own, opened);
    return opened;
  }

  function open(request: SipRequest, arrival: Arrival, keys: ServerKeys): void {
    const opened = enter(request, arrival, keys);
    const invite = request.method === 'CANCEL' ? servers.get(keys.invite) : undefined;
    if (invite) cancel(opened, invite);
    else user.request(opened.user);
  }

  /** RFC 3261 9.2: the CANCEL is answered 200 whoever won, with the To tag of the INVITE's answers. */
  function cancel(opened: ServerHandle, invite: ServerHandle): void {
    opened.user.respond(200, invite.user.tag === undefined ? {} : { toTag: invite.user.tag });
    invite.cancel(opened.user.request);
  }

  function receiveResponse(response: SipResponse, arrival: Arrival): void {
    const client = clients.get(clientKey(response.via.branch, response.cseq.method));
    if (client) client.feed({ type: 'response', response });
    else user.stray(response, arrival);
  }

  function send(request: OwnRequest, branch: string, peer: Peer, listener: ClientListener): boolean {
    const key = clientKey(branch, request.method);
    if (clients.has(key)) return false;
    const kept = keptOf(request, peer);
    if (request.method === 'INVITE') runClient(key, clientInvite(kept), clientInviteTransition, peer, listener);
    else runClient(key, clientOther(kept), clientOtherTransition, peer, listener);
    return true;
  }

  function expect(request: OwnRequest, branch: string, peer: Peer, listener: ClientListener): void {
    const key = clientKey(branch, request.method);
    if (clients.has(key)) return;
    runClient(key, clientInviteRinging(keptOf(request, peer)), clientInviteTransition, peer, listener);
  }

  function keptOf(request: OwnRequest, peer: Peer) {
    const ack = (response: SipResponse) => formatOwnRequest(ackOfRefusal(request, response));
    return { reliable: peer.transport !== 'udp', request: formatOwnRequest(request), ack };
  }

  function runClient<S>(
    key: string,
    first: Step<S>,
    transition: (state: S, input: ClientInput) => Step<S>,
    peer: Peer,
    listener: ClientListener,
  ): void {
    let over = false;
    const rest = (output: Rest) => {
      if (output.type === 'response') listener.response(output.response);
      else if (output.type === 'timeout' || output.type === 'transport-failed') listener.failed(output.type);
      else if (output.type === 'terminated') {
        over = true;
        clients.delete(key);
        listener.ended?.();
      }
    };
    const client: Client = run<S, ClientInput>(first, transition, peer, clock, rest);
    if (!over) clients.set(key, client);
  }

  function abandon(branch: string, method: string): void {
    const key = clientKey(branch, method);
    clients.get(key)?.abandon();
    clients.delete(key);
  }

  return {
    receiveRequest,
    receiveResponse,
    serverOf: (request, transport) => servers.get(serverKeys(request, transport).own)?.user,
    hold: (request, arrival) => enter(request, arrival, serverKeys(request, arrival.peer.transport)).user,
    send,
    expect,
    abandon,
    count: () => servers.size + clients.size,
  };
}
