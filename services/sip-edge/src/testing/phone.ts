// A phone of the tests: a UDP socket that speaks in whole messages and waits for the one it wants.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { formatResponse, type ResponseOptions } from '../stack/message/build.ts';
import type { SipMessage, SipRequest, SipResponse } from '../stack/message/message.ts';
import { parseMessage } from '../stack/message/parse.ts';

const PATIENCE_MS = 20_000;

export const OFFER =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';

export type Phone = {
  readonly port: number;
  readonly address: string;
  readonly heard: SipMessage[];
  send(text: string | Buffer): void;
  request(method: string, options?: RequestOptions): string;
  respond(request: SipRequest, status: number, options?: ResponseOptions & { contact?: boolean }): void;
  status(status: number, method?: string): Promise<SipResponse>;
  incoming(method: string, nth?: number): Promise<SipRequest>;
  silence(ms: number): Promise<number>;
  close(): void;
};

export type RequestOptions = {
  uri?: string;
  callId?: string;
  branch?: string;
  cseq?: number;
  toTag?: string;
  fromTag?: string;
  lines?: string[];
  body?: string;
};

let branches = 0;

export async function openPhone(edgePort: number, address = '127.0.0.1', port = 0): Promise<Phone> {
  const socket = createSocket('udp4');
  const heard: SipMessage[] = [];
  let waiting: (() => void)[] = [];
  socket.on('message', (bytes) => {
    const message = parseMessage(bytes);
    if (message.kind === 'fault') throw new Error(`the edge sent what can't be read: ${message.reason}\n${bytes}`);
    heard.push(message);
    const woken = waiting;
    waiting = [];
    for (const wake of woken) wake();
  });
  socket.bind(port, address);
  await once(socket, 'listening');
  const own = socket.address().port;

  async function find<T extends SipMessage>(
    what: string,
    wanted: (message: SipMessage) => boolean,
    nth = 1,
  ): Promise<T> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const found = heard.filter(wanted)[nth - 1];
      if (found) return found as T;
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`no ${what}; heard ${heard.map(describe).join(', ') || 'nothing'}`);
      await new Promise<void>((done) => {
        const timer = setTimeout(done, left);
        waiting.push(() => {
          clearTimeout(timer);
          done();
        });
      });
    }
  }

  const phone: Phone = {
    port: own,
    address,
    heard,
    send: (text) => socket.send(typeof text === 'string' ? Buffer.from(text, 'latin1') : text, edgePort, '127.0.0.1'),
    request(method, options = {}) {
      const text = compose(method, options, address, own, edgePort);
      phone.send(text);
      return text;
    },
    respond(request, status, options = {}) {
      const contact = options.contact === false ? [] : [['Contact', `<sip:phone@${address}:${own}>`] as const];
      const lines = [...contact, ...(options.lines ?? [])];
      phone.send(
        formatResponse(request, { address: '127.0.0.1', port: edgePort }, status, {
          toTag: 'phone',
          ...options,
          lines,
        }),
      );
    },
    status: (status, method) =>
      find(
        `${status}`,
        (one) => one.kind === 'response' && one.status === status && (!method || one.cseq.method === method),
      ),
    incoming: (method, nth) => find(method, (one) => one.kind === 'request' && one.method === method, nth),
    async silence(ms) {
      const before = heard.length;
      await new Promise((done) => setTimeout(done, ms));
      return heard.length - before;
    },
    close: () => socket.close(),
  };
  return phone;
}

function describe(message: SipMessage): string {
  return message.kind === 'request' ? message.method : `${message.status} ${message.cseq.method}`;
}

function compose(method: string, options: RequestOptions, address: string, port: number, edgePort: number): string {
  const { callId = 'call-1', cseq = 1, toTag, fromTag = 'caller', lines = [], body = '' } = options;
  const { branch = `z9hG4bKtest${++branches}`, uri = `sip:18005550100@127.0.0.1:${edgePort}` } = options;
  return [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/UDP ${address}:${port};branch=${branch};rport`,
    'Max-Forwards: 70',
    `From: <sip:alice@example.com>;tag=${fromTag}`,
    `To: <sip:18005550100@example.com>${toTag ? `;tag=${toTag}` : ''}`,
    `Call-ID: ${callId}`,
    `CSeq: ${cseq} ${method}`,
    `Contact: <sip:alice@${address}:${port}>`,
    ...lines,
    ...(body ? ['Content-Type: application/sdp'] : []),
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}
