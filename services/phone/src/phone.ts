/**
 * A SIP phone: one UDP socket, calls and is called, with real RTP behind each call. It speaks plain
 * RFC 3261 as a cheap phone would, and refuses to be a reference: no TCP, no authentication, no transfer. What is refused
 * for congestion it calls again as Retry-After says (RFC 3261 21.5.4): the edge judges itself by how busy this machine is.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { openPeer, type PeerOptions } from '../../media/src/peer/index.ts';
import { formatResponse } from '../../sip-edge/src/stack/message/build.ts';
import type { SipRequest, SipResponse } from '../../sip-edge/src/stack/message/message.ts';
import { parseMessage } from '../../sip-edge/src/stack/message/parse.ts';
import { PhoneCall, random } from './phone-call.ts';

const T1_MS = 500;
const ADMISSIONS_MAX = 4;

type Source = { address: string; port: number };

export type PhoneOptions = { address?: string; port?: number; user?: string; peer?: PeerOptions };

/** Q.850's cause of a platform that is too busy for one more call. */
const isCongestion = (response: SipResponse) =>
  response.status === 503 &&
  response.cseq.method === 'INVITE' &&
  /\bQ\.850\s*;\s*cause=42\b/i.test(response.headers.get('reason') ?? '');

export class Phone {
  readonly socket: Socket;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly calls = new Map<string, PhoneCall>();
  /** What happens to an incoming call; default: answered at once. */
  onCall: (call: PhoneCall) => void = (call) => {
    call.ring();
    call.accept();
  };
  /** False: requests get no answer at all, as from a phone that fell off the net. */
  alive = true;
  /** True: a BYE is not answered, as if it were lost on its way. */
  deafToBye = false;
  /** False: 200 is never acknowledged. */
  acknowledges = true;
  readonly #peer: PeerOptions;
  #closed = false;

  constructor(socket: Socket, options: PhoneOptions) {
    this.socket = socket;
    ({ address: this.address, port: this.port } = socket.address());
    this.user = options.user ?? 'phone';
    this.#peer = { address: this.address, ...options.peer };
    socket.on('message', (bytes, from) => {
      const message = parseMessage(bytes);
      if (!this.alive || message.kind === 'fault') return;
      if (message.kind === 'response') this.#response(message);
      else void this.#request(message, from);
    });
  }

  /** Calls `sip:user@host:port`. `sdp: false` leaves the offer to the other side; `by` is a proxy, host:port. */
  async call(uri: string, options: { sdp?: boolean; lines?: string[]; by?: string } = {}): Promise<PhoneCall> {
    const peer = await openPeer(this.#peer);
    const call = new PhoneCall(this, peer, {
      direction: 'out',
      sipCallId: `${random()}@${this.address}`,
      remoteUri: uri,
    });
    call.delayed = options.sdp === false;
    call.proxy = options.by;
    call.lines = options.lines ?? [];
    this.#invite(call);
    return call;
  }

  #invite(call: PhoneCall): void {
    this.calls.set(call.sipCallId, call);
    call.invitedAt = performance.now();
    this.send(call, 'INVITE', call.delayed ? '' : call.peer.offer(), call.lines);
  }

  /** Refused for congestion: acknowledged, and called again as another call when the time has come. */
  #callAgain(call: PhoneCall, refusal: SipResponse): void {
    call.congested++;
    call.remoteTag = tagOf(refusal.headers.get('to') ?? '');
    this.send(call, 'ACK', '', [], true);
    this.calls.delete(call.sipCallId);
    const again = () => {
      if (this.#closed || call.ended) return;
      call.renew(`${random()}@${this.address}`);
      this.#invite(call);
    };
    setTimeout(again, 1000 * Number(refusal.headers.get('retry-after') ?? 1)).unref();
  }

  /** Sends a request again (RFC 3261 17.1, timers A and E) until any response to it came. */
  #repeat(call: PhoneCall, text: string, uri: string, method: string, cseq: number): void {
    const { sipCallId } = call;
    const isAnswered = () =>
      call.sipCallId !== sipCallId ||
      call.messages.some((m) => m.kind === 'response' && m.cseq.method === method && m.cseq.number === cseq);
    let wait = T1_MS;
    const again = () => {
      if (this.#closed || isAnswered() || wait > 16 * T1_MS) return;
      if (this.alive) this.#write(text, uri);
      wait *= 2;
      setTimeout(again, wait).unref();
    };
    setTimeout(again, wait).unref();
  }

  /** Sends a request of a call; CANCEL and the ACK of a refusal repeat the INVITE's branch. */
  send(call: PhoneCall, method: string, sdp = '', lines: string[] = [], toRefusal = false): string {
    const initial = (method === 'INVITE' && !call.remoteTag) || method === 'CANCEL' || toRefusal;
    if (method === 'BYE' || method === 'OPTIONS') call.cseq++;
    if (!(method === 'CANCEL' || toRefusal)) call.branch = `z9hG4bK${random()}`;
    const uri = initial ? call.remoteUri : call.target;
    const us = `<sip:${this.user}@${this.address}:${this.port}>`;
    const text = [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/UDP ${this.address}:${this.port};branch=${call.branch};rport`,
      'Max-Forwards: 70',
      `From: ${us};tag=${call.localTag}`,
      `To: <${call.remoteUri}>${call.remoteTag && method !== 'CANCEL' ? `;tag=${call.remoteTag}` : ''}`,
      `Call-ID: ${call.sipCallId}`,
      `CSeq: ${call.cseq} ${method}`,
      `Contact: ${us}`,
      ...lines,
      ...(sdp ? ['Content-Type: application/sdp'] : []),
      `Content-Length: ${Buffer.byteLength(sdp)}`,
      '',
      sdp,
    ].join('\r\n');
    const hop = initial && call.proxy ? `sip:@${call.proxy}` : uri;
    this.#write(text, hop);
    if (method !== 'ACK') this.#repeat(call, text, hop, method, call.cseq);
    return text;
  }

  #write(text: string, uri: string): void {
    const [, host = '127.0.0.1', port = '5060'] = /@([^:;>]+)(?::(\d+))?/.exec(uri) ?? [];
    this.socket.send(text, Number(port), host);
  }

  /** Answers the INVITE of an incoming call. */
  answer(call: PhoneCall, status: number, sdp = ''): void {
    this.#respond(call.invite!, call.source, status, call.localTag, sdp);
  }

  #respond(request: SipRequest, to: Source, status: number, toTag: string, sdp = ''): void {
    const lines = [['Contact', `<sip:${this.user}@${this.address}:${this.port}>`] as const];
    const body = sdp ? { body: { type: 'application/sdp', bytes: Buffer.from(sdp, 'latin1') } } : {};
    this.socket.send(formatResponse(request, to, status, { toTag, lines, ...body }), to.port, to.address);
  }

  #response(response: SipResponse): void {
    const call = this.calls.get(response.callId);
    if (!call) return;
    call.messages.push(response);
    if (isCongestion(response) && call.state === 'calling' && call.congested < ADMISSIONS_MAX)
      return this.#callAgain(call, response);
    call.platformCallId ||= response.headers.get('x-opentact-call-id') ?? '';
    if (response.cseq.method !== 'INVITE' || response.status === 100) return;
    if (call.state === 'answered' || call.ended) {
      if (response.cseq.number > 1 && response.status >= 200) call.emit('reinvited', response);
      else if (response.status < 300 && this.acknowledges) this.send(call, 'ACK'); // our ACK was lost
      return;
    }
    call.remoteTag = tagOf(response.headers.get('to') ?? '') || call.remoteTag;
    if (response.status < 200) return this.#progress(call);
    if (response.status >= 300) {
      this.send(call, 'ACK', '', [], true);
      return call.finish({ by: 'them', status: response.status });
    }
    const contact = /<([^>]+)>/.exec(response.headers.get('contact') ?? '')?.[1];
    if (contact) call.target = contact;
    const sdp = response.body.toString('latin1');
    if (this.acknowledges) this.send(call, 'ACK', call.delayed ? call.peer.answer(sdp) : '');
    if (!call.delayed && sdp) call.peer.connect(sdp);
    call.state = 'answered';
    call.answeredAt = performance.now();
    call.emit('answered');
  }

  #progress(call: PhoneCall): void {
    if (call.state === 'ringing') return;
    call.state = 'ringing';
    call.emit('ringing');
  }

  async #request(request: SipRequest, from: Source): Promise<void> {
    const known = this.calls.get(request.callId);
    const reply = (status: number, sdp = '') => this.#respond(request, from, status, known?.localTag ?? random(), sdp);
    known?.messages.push(request);
    switch (request.method) {
      case 'INVITE':
        if (!known) return this.#incoming(request, from);
        if (known.state === 'answered' && request.body.length > 0)
          reply(200, known.peer.answer(request.body.toString('latin1')));
        else if (known.state === 'answered') reply(200, known.peer.offer());
        return;
      case 'ACK':
        return;
      case 'CANCEL':
        reply(known ? 200 : 481);
        if (known && known.state !== 'answered' && !known.ended) {
          this.answer(known, 487);
          known.finish({ by: 'them', status: 487 });
        }
        return;
      case 'BYE':
        if (this.deafToBye) return;
        reply(known ? 200 : 481);
        return known?.finish({ by: 'them', status: 0 });
      default:
        return reply(known || request.method === 'OPTIONS' ? 200 : 481);
    }
  }

  async #incoming(request: SipRequest, from: Source): Promise<void> {
    const peer = await openPeer(this.#peer);
    if (this.calls.has(request.callId)) return void peer.close(); // a retransmission overtook us
    const remoteUri = /<([^>]+)>/.exec(request.headers.get('from') ?? '')?.[1] ?? '';
    const call = new PhoneCall(this, peer, { direction: 'in', sipCallId: request.callId, remoteUri, invite: request });
    call.source = { address: from.address, port: from.port };
    call.remoteTag = tagOf(request.headers.get('from') ?? '');
    call.target = /<([^>]+)>/.exec(request.headers.get('contact') ?? '')?.[1] ?? remoteUri;
    call.messages.push(request);
    this.calls.set(request.callId, call);
    this.onCall(call);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const call of this.calls.values()) await call.peer.close().catch(() => undefined);
    this.socket.close();
  }
}

const tagOf = (line: string) => /;\s*tag=([^;>\s]+)/i.exec(line)?.[1] ?? '';

/** A phone on a free port of 127.0.0.1, unless told otherwise. */
export async function openPhone(options: PhoneOptions = {}): Promise<Phone> {
  const socket = createSocket('udp4');
  socket.bind(options.port ?? 0, options.address ?? '127.0.0.1');
  await once(socket, 'listening');
  return new Phone(socket, options);
}
