/**
 * SIP by hand, for tests of what no decent phone does: sends any text from one UDP socket, keeps what comes back, and
 * waits for it. It answers nothing by itself.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { openPeer } from '../../services/media/src/peer/index.ts';
import { formatResponse } from '../../services/sip-edge/src/stack/message/build.ts';
import type { SipMessage, SipRequest, SipResponse } from '../../services/sip-edge/src/stack/message/message.ts';
import { parseMessage } from '../../services/sip-edge/src/stack/message/parse.ts';

const random = () => Math.random().toString(36).slice(2, 12);

export type WireRequest = {
  method?: string;
  callId?: string;
  fromTag?: string;
  toTag?: string;
  branch?: string;
  cseq?: number;
  sdp?: string;
};
export type Heard = { message: SipMessage; at: number };

const open = new Set<() => Promise<void>>();

/** Closes what a test that failed left open. */
export const closeWires = async () => void (await Promise.all([...open].map((close) => close())));

export async function openWire(target: string) {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  const peer = await openPeer();
  const [host, targetPort] = target.split(':') as [string, string];
  const heard: Heard[] = [];
  let told = () => {};
  socket.on('message', (bytes) => {
    const message = parseMessage(bytes);
    if (message.kind === 'fault') return;
    heard.push({ message, at: performance.now() });
    told();
  });
  const raw = (text: string | Buffer) => socket.send(text, Number(targetPort), host);

  async function until<M extends SipMessage>(what: string, fits: (m: SipMessage) => m is M, ms: number): Promise<M> {
    for (const end = performance.now() + ms; ; ) {
      const found = heard.find(({ message }) => fits(message));
      if (found) return found.message as M;
      if (performance.now() > end) {
        const got = heard.map(({ message: m }) => (m.kind === 'request' ? m.method : `${m.status} ${m.cseq.method}`));
        throw new Error(`no ${what} within ${ms} ms, but ${got.join(', ') || 'nothing'}`);
      }
      await new Promise<void>((done) => {
        const late = setTimeout(done, 50);
        told = () => {
          clearTimeout(late);
          done();
        };
      });
    }
  }

  const close = async () => {
    if (!open.delete(close)) return;
    await peer.close();
    socket.close();
  };
  open.add(close);

  return {
    port,
    heard,
    peer,
    raw,
    callId: () => `${random()}@wire`,
    branch: () => `z9hG4bK${random()}`,
    /** Sends a request. @returns its text, to be sent again as it is */
    send(uri: string, { method = 'INVITE', ...r }: WireRequest = {}): string {
      const sdp = r.sdp ?? '';
      const text = [
        `${method} ${uri} SIP/2.0`,
        `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=${r.branch ?? `z9hG4bK${random()}`};rport`,
        'Max-Forwards: 70',
        `From: <sip:wire@127.0.0.1:${port}>;tag=${r.fromTag ?? 'wire'}`,
        `To: <${uri}>${r.toTag ? `;tag=${r.toTag}` : ''}`,
        `Call-ID: ${r.callId ?? `${random()}@wire`}`,
        `CSeq: ${r.cseq ?? 1} ${method}`,
        `Contact: <sip:wire@127.0.0.1:${port}>`,
        ...(sdp ? ['Content-Type: application/sdp'] : []),
        `Content-Length: ${Buffer.byteLength(sdp)}`,
        '',
        sdp,
      ].join('\r\n');
      raw(text);
      return text;
    },
    answer(request: SipRequest, status: number, options: { tag?: string; sdp?: string } = {}): void {
      const { tag = 'wire', sdp } = options;
      const body = sdp ? { body: { type: 'application/sdp', bytes: Buffer.from(sdp) } } : {};
      const lines = [['Contact', `<sip:${tag}@127.0.0.1:${port}>`] as const];
      raw(formatResponse(request, { address: host, port: Number(targetPort) }, status, { toTag: tag, lines, ...body }));
    },
    response: (status: number, method = 'INVITE', ms = 20_000, fits: (r: SipResponse) => boolean = () => true) =>
      until(
        `${status} to ${method}`,
        (m): m is SipResponse => m.kind === 'response' && m.status === status && m.cseq.method === method && fits(m),
        ms,
      ),
    request: (method: string, ms = 20_000, fits: (r: SipRequest) => boolean = () => true) =>
      until(method, (m): m is SipRequest => m.kind === 'request' && m.method === method && fits(m), ms),
    requests: (method: string) =>
      heard.flatMap(({ message: m }) => (m.kind === 'request' && m.method === method ? [m] : [])),
    close,
  };
}

export type Wire = Awaited<ReturnType<typeof openWire>>;
