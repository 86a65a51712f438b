// What the tests of this stack share: a clock moved by hand, a peer that keeps what it was sent, messages in few words.

import type { SipMessage, SipRequest, SipResponse } from '../message/message.ts';
import { parseMessage } from '../message/parse.ts';
import type { Clock } from '../transaction/clock.ts';
import type { Arrival, Peer, TransportName } from '../transport/peer.ts';

export type RecordingPeer = Peer & { sent: Buffer[]; starts(): string[]; fail(): void };

export function recordingPeer(transport: TransportName = 'udp'): RecordingPeer {
  const sent: Buffer[] = [];
  let broken = false;
  return {
    transport,
    address: '192.0.2.7',
    port: 5060,
    sent,
    starts: () => sent.map((bytes) => bytes.toString('latin1').split('\r\n', 1)[0]!),
    fail: () => {
      broken = true;
    },
    send(bytes, failed) {
      if (broken) failed(new Error('connection refused'));
      else sent.push(bytes);
    },
  };
}

export function arrivalFrom(peer: Peer): Arrival {
  return { peer, source: { address: peer.address, port: peer.port } };
}

type Wanted = { branch?: string; toTag?: string; cseq?: number; lines?: string[]; body?: string; uri?: string };

export function requestOf(method: string, wanted: Wanted = {}): SipRequest {
  const { branch = 'z9hG4bKone', toTag, cseq = 1, lines = [], body = '', uri = 'sip:bob@example.com' } = wanted;
  return parsed(
    [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/UDP 192.0.2.7:5060;branch=${branch}`,
      'From: <sip:alice@example.com>;tag=alice',
      `To: <sip:bob@example.com>${toTag ? `;tag=${toTag}` : ''}`,
      'Call-ID: call-1',
      `CSeq: ${cseq} ${method}`,
      'Contact: <sip:alice@192.0.2.7:5060>',
      ...lines,
    ],
    body,
  ) as SipRequest;
}

export function responseOf(status: number, method = 'INVITE', wanted: Wanted = {}): SipResponse {
  const { branch = 'z9hG4bKone', toTag = 'bob', cseq = 1, lines = [], body = '' } = wanted;
  return parsed(
    [
      `SIP/2.0 ${status} Whatever`,
      `Via: SIP/2.0/UDP 192.0.2.7:5060;branch=${branch}`,
      'From: <sip:alice@example.com>;tag=alice',
      `To: <sip:bob@example.com>${toTag ? `;tag=${toTag}` : ''}`,
      'Call-ID: call-1',
      `CSeq: ${cseq} ${method}`,
      'Contact: <sip:bob@192.0.2.8:5070>',
      ...lines,
    ],
    body,
  ) as SipResponse;
}

function parsed(lines: string[], body: string): SipMessage {
  const message = parseMessage(Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1'));
  if (message.kind === 'fault') throw new Error(message.reason);
  return message;
}

/** A clock that stands until a test moves it. */
export function manualClock(): Clock & { advance(ms: number): void; waiting(): number } {
  let now = 0;
  let entries: { due: number; fire: () => void }[] = [];
  return {
    nowMs: () => now,
    after(ms, fire) {
      const entry = { due: now + ms, fire };
      entries.push(entry);
      return () => {
        entries = entries.filter((other) => other !== entry);
      };
    },
    waiting: () => entries.length,
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const next = entries.filter((entry) => entry.due <= end).sort((a, b) => a.due - b.due)[0];
        if (!next) break;
        entries = entries.filter((other) => other !== next);
        now = next.due;
        next.fire();
      }
      now = end;
    },
  };
}
