// Sockets to messages and back: parses what arrives, answers what is broken, notes both in the trace.
// It refuses responses whose top Via is not ours (RFC 3261 18.1.2) and never resolves or calls a Via's host.

import { formatResponse, type HeaderLine } from '../stack/message/build.ts';
import type { Fault, SipMessage, SipRequest, SipResponse } from '../stack/message/message.ts';
import { parseMessage } from '../stack/message/parse.ts';
import type { Arrival, Peer } from '../stack/transport/peer.ts';
import { listenTcp, type TcpPeer } from '../stack/transport/tcp.ts';
import { answerPort, listenUdp, type Source } from '../stack/transport/udp.ts';
import { formatAddress } from './dialog-record.ts';
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
  const udp = await listenUdp(socket, (bytes, source) => {
    const message = parseMessage(bytes);
    receive(message, bytes, datagram(message, source));
  });
  const tcp = await listenTcp(
    { ...socket, port: udp.port },
    {
      message: (bytes, peer) => receive(parseMessage(bytes), bytes, arrivalOf(peer)),
      fault: (fault, peer) => answerFault(fault, arrivalOf(peer), events),
    },
  ).catch(async (error) => {
    await udp.close();
    throw error;
  });
  const advertise = { address: options.advertise, port: udp.port };

  function datagram(message: SipMessage | Fault, source: Source): Arrival {
    const via = message.kind === 'fault' ? undefined : message.via;
    return { peer: noted(udp.peer(source.address, answerPort(source, via)), events), source };
  }

  function arrivalOf(peer: TcpPeer): Arrival {
    return { peer: noted(peer, events), source: { address: peer.address, port: peer.port } };
  }

  function receive(message: SipMessage | Fault, bytes: Buffer, arrival: Arrival): void {
    if (message.kind === 'fault') {
      answerFault(message, arrival, events);
      return;
    }
    events.note(message.callId, 'in', formatAddress(arrival.source), bytes);
    if (message.kind === 'request') {
      events.request(message, arrival);
      return;
    }
    const { host, port } = message.via;
    if (host.replace(/^\[|\]$/g, '') === options.advertise && (port ?? 5060) === advertise.port) {
      events.response(message, arrival);
    }
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
      receive(message, bytes, { ...arrival, forwarded: true });
    },
    close: async () => void (await Promise.all([udp.close(), tcp.close()])),
  };
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
function answerFault(fault: Fault, arrival: Arrival, events: NetworkEvents): void {
  if (fault.method === undefined || fault.method === 'ACK' || fault.headers?.get('via') === undefined) return;
  const lines = events.linesForFault(fault);
  const bytes = formatResponse(fault, arrival.source, fault.status, { reason: fault.reason, lines, toTag: 'fault' });
  arrival.peer.send(bytes, () => {});
}
