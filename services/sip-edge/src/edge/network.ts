// Sockets to messages and back: parses what arrives, answers what is broken, notes both in the trace.
// It refuses responses whose top Via is not ours (RFC 3261 18.1.2) and never resolves or calls a Via's host.

import type { HeaderLine } from '../stack/message/build.ts';
import type { Fault, SipMessage, SipRequest, SipResponse } from '../stack/message/message.ts';
import { parseMessage } from '../stack/message/parse.ts';
import { respondStateless } from '../stack/transaction/stateless.ts';
import { type Arrival, formatAddress, type Peer } from '../stack/transport/peer.ts';
import { listenTcp, type TcpPeer } from '../stack/transport/tcp.ts';
import { answerPort, listenUdp, type Source } from '../stack/transport/udp.ts';
import type { Forwarded } from './port.ts';

export type NetworkOptions = {
  bind: string;
  port: number;
  /** What is written into Via and Contact. */
  advertise: string;
  reusePort: boolean;
};

export type NetworkEvents = {
  request(request: SipRequest, arrival: Arrival): void;
  response(response: SipResponse, arrival: Arrival): void;
  /** Lines that the answer to a broken request carries. */
  linesForFault(fault: Fault): HeaderLine[];
  /** Connections that carry legs, each as `address:port`. */
  connectionsInUse(): ReadonlySet<string>;
  note(sipCallId: string, direction: 'in' | 'out', peer: string, bytes: Buffer): void;
};

export type Network = {
  readonly advertise: { readonly address: string; readonly port: number };
  udp(address: string, port: number): Peer;
  /** Rejects where no connection can be made. */
  tcp(address: string, port: number): Promise<Peer>;
  /** The open connection to that address, where there is one. */
  connection(address: string, port: number): Peer | undefined;
  /** Takes a message that another edge received; `back` where it came over a connection there. */
  take(message: Forwarded, back: Peer | undefined): void;
  close(): Promise<void>;
};

/** Any free port is one that UDP gave us; TCP may have it taken. */
const TRIES_MAX = 5;

/** Binds UDP and TCP on the same port. Rejects where either is taken. */
export async function openNetwork(options: NetworkOptions, events: NetworkEvents): Promise<Network> {
  for (let tries = 1; ; tries++) {
    try {
      return await bindBoth(options, events);
    } catch (error) {
      if (options.port !== 0 || tries === TRIES_MAX) throw error;
    }
  }
}

async function bindBoth(options: NetworkOptions, events: NetworkEvents): Promise<Network> {
  const socket = { address: options.bind, port: options.port, reusePort: options.reusePort };
  let isBound = false;
  const udp = await listenUdp(socket, (bytes, source) => {
    if (!isBound) return; // lost, as it would have been a moment before
    const message = parseMessage(bytes);
    receive(message, bytes.length, datagram(message, source));
  });
  const tcp = await listenTcp(
    { ...socket, port: udp.port },
    {
      message: (bytes, peer) => receive(parseMessage(bytes), bytes.length, arrivalOf(peer)),
      fault: (fault, peer) => answerFault(fault, arrivalOf(peer), 0, events),
      inUse: events.connectionsInUse,
    },
  ).catch(async (error) => {
    await udp.close();
    throw error;
  });
  const advertise = { address: options.advertise, port: udp.port };
  isBound = true;

  function datagram(message: SipMessage | Fault, source: Source): Arrival {
    const via = message.kind === 'fault' ? undefined : message.via;
    return { peer: noted(udp.peer(source.address, answerPort(source, via)), events), source };
  }

  function arrivalOf(peer: TcpPeer): Arrival {
    return { peer: noted(peer, events), source: { address: peer.address, port: peer.port } };
  }

  function receive(message: SipMessage | Fault, received: number, arrival: Arrival): void {
    if (message.kind === 'fault') answerFault(message, arrival, received, events);
    else hand(message, arrival, advertise, events);
  }

  return {
    advertise,
    udp: (address, port) => noted(udp.peer(address, port), events),
    tcp: async (address, port) => noted(await tcp.connect(address, port), events),
    connection(address, port) {
      const known = tcp.connection(address, port);
      return known && noted(known, events);
    },
    take({ bytes, source }, back) {
      const message = parseMessage(bytes);
      const arrival = back ? { peer: noted(back, events), source } : datagram(message, source);
      receive(message, bytes.length, { ...arrival, forwarded: true });
    },
    close: async () => void (await Promise.all([udp.close(), tcp.close()])),
  };
}

/** To whoever serves it, and to the trace. */
function hand(message: SipMessage, arrival: Arrival, own: Network['advertise'], events: NetworkEvents): void {
  // Its own bytes: what stood before or behind it in the datagram is no part of it.
  events.note(message.callId, 'in', formatAddress(arrival.source), message.raw);
  if (message.kind === 'request') return events.request(message, arrival);
  const { host, port } = message.via;
  if (host.replace(/^\[|\]$/g, '') === own.address && (port ?? 5060) === own.port) events.response(message, arrival);
}

/** A peer whose bytes are noted on their way out. */
function noted(peer: Peer, events: NetworkEvents): Peer {
  const name = formatAddress(peer);
  return {
    transport: peer.transport,
    address: peer.address,
    port: peer.port,
    get open() {
      return peer.open;
    },
    send(bytes, failed) {
      events.note(sipCallIdOf(bytes), 'out', name, bytes);
      peer.send(bytes, failed);
    },
  };
}

const CALL_ID_LINE = '\r\nCall-ID: ';

/** The Call-ID of a message that we wrote ourselves, which is why its name is spelled in one way only. */
function sipCallIdOf(bytes: Buffer): string {
  const start = bytes.indexOf(CALL_ID_LINE, 0, 'latin1');
  if (start < 0) return '';
  return bytes.toString('latin1', start + CALL_ID_LINE.length, bytes.indexOf('\r\n', start + 2, 'latin1'));
}

/** Answers what is broken where an answer can reach anyone; ACKs and responses are never answered (RFC 3261 17.1). */
function answerFault(fault: Fault, arrival: Arrival, received: number, events: NetworkEvents): void {
  if (fault.method === undefined || fault.method === 'ACK' || fault.headers?.get('via') === undefined) return;
  const lines = events.linesForFault(fault);
  respondStateless(fault, arrival, fault.status, { reason: fault.reason, lines, toTag: 'fault' }, received);
}
