// The client transactions of one edge, by branch and method (RFC 3261 17.1.3): requests of ours and who waits for their
// answers. It refuses to send the same request twice.

import type { SipResponse } from '../message/message.ts';
import { ackOfRefusal, formatOwnRequest, type OwnRequest } from '../message/own-request.ts';
import type { Arrival, Peer } from '../transport/peer.ts';
import { type ClientInviteInput, clientInvite, clientInviteRinging, clientInviteTransition } from './client-invite.ts';
import { type ClientOtherInput, clientOther, clientOtherTransition } from './client-other.ts';
import type { Clock } from './clock.ts';
import { clientKey } from './keys.ts';
import type { Step } from './output.ts';
import { type Rest, type Running, run } from './running.ts';

/** What the sender of a request is told. `ended` comes once, after everything else. */
export type ClientListener = {
  response(response: SipResponse, arrival: Arrival): void;
  failed(why: 'timeout' | 'transport-failed'): void;
  ended?(): void;
};

export type Clients = {
  /** Sends a request of ours. False where the same one (branch and method) is already under way. */
  send(request: OwnRequest, branch: string, peer: Peer, listener: ClientListener): boolean;
  /** Awaits the answers to an INVITE that another edge sent and that was answered 1xx: nothing goes out. */
  resumeClientTransaction(request: OwnRequest, branch: string, peer: Peer, listener: ClientListener): void;
  /** Forgets a request of ours that nobody will answer any more. */
  abandon(branch: string, method: string): void;
  /** False where the response is of no transaction. */
  receive(response: SipResponse, arrival: Arrival): boolean;
  count(): number;
};

type ClientInput = ClientInviteInput & ClientOtherInput;
type Client = { receive(response: SipResponse, arrival: Arrival): void; abandon(): void };

export function createClients(clock: Clock): Clients {
  const clients = new Map<string, Client>();

  function runClient<S>(
    key: string,
    first: Step<S>,
    transition: (state: S, input: ClientInput) => Step<S>,
    peer: Peer,
    listener: ClientListener,
  ): void {
    let over = false;
    let latest: Arrival;
    const rest = (output: Rest) => {
      if (output.type === 'response') listener.response(output.response, latest);
      else if (output.type === 'timeout' || output.type === 'transport-failed') listener.failed(output.type);
      else if (output.type === 'terminated') {
        over = true;
        clients.delete(key);
        listener.ended?.();
      }
    };
    const machine: Running<unknown, ClientInput> = run<S, ClientInput>(first, transition, peer, clock, rest);
    const receive = (response: SipResponse, arrival: Arrival) => {
      latest = arrival;
      machine.feed({ type: 'response', response });
    };
    if (!over) clients.set(key, { receive, abandon: machine.abandon });
  }

  return {
    send(request, branch, peer, listener) {
      const key = clientKey(branch, request.method);
      if (clients.has(key)) return false;
      const kept = keptOf(request, peer);
      if (request.method === 'INVITE') runClient(key, clientInvite(kept), clientInviteTransition, peer, listener);
      else runClient(key, clientOther(kept), clientOtherTransition, peer, listener);
      return true;
    },
    resumeClientTransaction(request, branch, peer, listener) {
      const key = clientKey(branch, request.method);
      if (clients.has(key)) return;
      runClient(key, clientInviteRinging(keptOf(request, peer)), clientInviteTransition, peer, listener);
    },
    abandon(branch, method) {
      const key = clientKey(branch, method);
      clients.get(key)?.abandon();
      clients.delete(key);
    },
    receive(response, arrival) {
      const client = clients.get(clientKey(response.via.branch, response.cseq.method));
      client?.receive(response, arrival);
      return client !== undefined;
    },
    count: () => clients.size,
  };
}

function keptOf(request: OwnRequest, peer: Peer) {
  const ack = (response: SipResponse) => formatOwnRequest(ackOfRefusal(request, response));
  return { reliable: peer.transport !== 'udp', request: formatOwnRequest(request), ack };
}
