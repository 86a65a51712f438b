/** SIP and RTP of an attacker: bytes from an address of his own, counted in both directions. It is polite to nobody. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** Where attacks come from; the calls of the account that behaves come from 127.0.0.1. */
const ATTACKER = '127.0.0.66';

export type Datagrams = Awaited<ReturnType<typeof openDatagrams>>;

/** One UDP socket of an address, with what it sent and got. */
export async function openDatagrams(address = ATTACKER, port = 0) {
  const socket: Socket = createSocket('udp4');
  socket.bind(port, address);
  await once(socket, 'listening');
  socket.setRecvBufferSize(4 * 1024 * 1024);
  const heard: Buffer[] = [];
  const counts = { sentBytes: 0, sent: 0, heardBytes: 0, heard: 0 };
  let listener: (bytes: Buffer) => void = () => {};
  socket.on('message', (bytes) => {
    counts.heard++;
    counts.heardBytes += bytes.length;
    if (heard.length < 2_000) heard.push(bytes);
    listener(bytes);
  });
  return {
    address,
    port: socket.address().port,
    counts,
    heard,
    on(told: (bytes: Buffer) => void) {
      listener = told;
    },
    send(bytes: Buffer | string, port: number): void {
      counts.sent++;
      counts.sentBytes += Buffer.byteLength(bytes);
      socket.send(bytes, port, '127.0.0.1');
    },
    /** The first line of each answer, and how often it came. */
    answers(): Record<string, number> {
      const found: Record<string, number> = {};
      for (const bytes of heard) {
        const line = bytes.toString('latin1', 0, 60).split('\r\n')[0]!;
        found[line] = (found[line] ?? 0) + 1;
      }
      return found;
    },
    close: () => new Promise<void>((done) => socket.close(() => done())),
  };
}

export type Request = {
  method?: string;
  uri: string;
  callId?: string;
  branch?: string;
  fromTag?: string;
  to?: string;
  cseq?: number;
  lines?: string[];
  sdp?: string;
};

let counter = 0;
const fresh = () => `${process.pid}x${++counter}x${Math.random().toString(36).slice(2, 8)}`;

/** A request as a caller at `from` writes it. */
export function request(from: { address: string; port: number }, of: Request): string {
  const { method = 'INVITE', uri, callId = fresh(), branch = fresh(), fromTag = 'a', to = `<${uri}>`, cseq = 1 } = of;
  const { lines = [], sdp = '' } = of;
  return [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/UDP ${from.address}:${from.port};branch=z9hG4bK${branch};rport`,
    'Max-Forwards: 70',
    `From: <sip:attacker@${from.address}:${from.port}>;tag=${fromTag}`,
    `To: ${to}`,
    `Call-ID: ${callId}`,
    `CSeq: ${cseq} ${method}`,
    `Contact: <sip:attacker@${from.address}:${from.port}>`,
    ...lines,
    ...(sdp ? ['Content-Type: application/sdp'] : []),
    `Content-Length: ${Buffer.byteLength(sdp)}`,
    '',
    sdp,
  ].join('\r\n');
}

/** An offer whose audio is said to be at that address. */
export const offer = (address: string, port: number): string =>
  [
    'v=0',
    `o=a 1 1 IN IP4 ${address}`,
    's=-',
    `c=IN IP4 ${address}`,
    't=0 0',
    `m=audio ${port} RTP/AVP 0 101`,
    'a=rtpmap:101 telephone-event/8000',
    '',
  ].join('\r\n');

/** What a header field of a message says; empty where it has none. The platform writes each name in one way. */
export const header = (text: string, name: string): string => {
  const start = text.indexOf(`\r\n${name}: `);
  return start < 0 ? '' : text.slice(start + name.length + 4, text.indexOf('\r\n', start + 2));
};

export type Placed = {
  status: number;
  callId: string;
  platformCallId: string;
  to: string;
  target: string;
  rtpPort: number;
};

/** Calls a number, again where it is refused for congestion, and acknowledges what comes. */
export async function call(...of: Parameters<typeof callOnce>): Promise<Placed> {
  for (let tries = 1; ; tries++) {
    const placed = await callOnce(...of);
    if (placed.status !== 503 || tries === 4) return placed;
    await sleep(2_000);
  }
}

type CallOptions = {
  /** False: the final answer gets no ACK. */
  acknowledge?: boolean;
  /** More header lines of the INVITE. */
  lines?: string[];
};

/** Resolves at the final answer, or with status 0 after 6 s. */
async function callOnce(
  from: Datagrams,
  port: number,
  number: string,
  sdp: string,
  { acknowledge = true, lines = [] }: CallOptions = {},
): Promise<Placed> {
  const callId = fresh();
  const uri = `sip:${number}@127.0.0.1:${port}`;
  const branch = fresh();
  const placed: Placed = { status: 0, callId, platformCallId: '', to: '', target: uri, rtpPort: 0 };
  from.send(request(from, { uri, callId, branch, sdp, lines }), port);
  for (const end = Date.now() + 6_000; Date.now() < end; await sleep(10)) {
    const text = from.heard
      .map((b) => b.toString('latin1'))
      .find((t) => header(t, 'Call-ID') === callId && /^SIP\/2\.0 [2-6]/.test(t));
    if (!text) continue;
    placed.status = Number(text.slice(8, 11));
    placed.platformCallId = header(text, 'X-Opentact-Call-Id');
    placed.to = header(text, 'To');
    placed.rtpPort = Number(/m=audio (\d+)/.exec(text)?.[1] ?? 0);
    if (placed.status === 200) placed.target = /<([^>]+)>/.exec(header(text, 'Contact'))?.[1] ?? uri;
    if (!acknowledge) break;
    from.send(
      request(from, {
        method: 'ACK',
        uri: placed.target,
        callId,
        branch: placed.status === 200 ? fresh() : branch,
        to: placed.to,
      }),
      port,
    );
    break;
  }
  return placed;
}

/** Hangs an answered call up. */
export function bye(from: Datagrams, port: number, { target, callId, to }: Placed): void {
  from.send(request(from, { method: 'BYE', uri: target, callId, to, cseq: 2 }), port);
}

/** 20 ms of G.711 µ-law: a tone that is no speech. */
export function audioPacket(sequence: number, ssrc: number): Buffer {
  const packet = Buffer.alloc(172, 0x55);
  packet.writeUInt16BE(0x8000, 0);
  packet.writeUInt16BE(sequence & 0xffff, 2);
  packet.writeUInt32BE((sequence * 160) >>> 0, 4);
  packet.writeUInt32BE(ssrc, 8);
  return packet;
}

/** An RFC 4733 key: its begin and its end, three times. */
export function keyPackets(sequence: number, timestamp: number, digit: number): Buffer[] {
  return Array.from({ length: 4 }, (_, n) => {
    const packet = Buffer.alloc(16);
    packet.writeUInt8(0x80, 0);
    packet.writeUInt8(101 | (n === 0 ? 0x80 : 0), 1);
    packet.writeUInt16BE((sequence + n) & 0xffff, 2);
    packet.writeUInt32BE(timestamp >>> 0, 4);
    packet.writeUInt32BE(7, 8);
    packet.writeUInt8(digit, 12);
    packet.writeUInt8(n > 0 ? 0x8a : 0x0a, 13);
    packet.writeUInt16BE(800, 14);
    return packet;
  });
}

export const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
