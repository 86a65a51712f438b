// RTCP of one session: a report every five seconds, and what the peer last said of our stream.
// It refuses to act on their figures: the call's story is not told here.
import type { Socket } from 'node:dgram';
import { ReceptionCounter } from '../rtp/reception.ts';
import { heardOf, type PeerReport, REPORT_BYTES_MAX, readReport, writeSenderReport } from '../rtp/rtcp.ts';
import type { RtpOut } from './rtp-out.ts';

const INTERVAL_MS = 5000;

export class Reports {
  readonly counter = new ReceptionCounter();
  peer: PeerReport | undefined;
  private readonly socket: Socket;
  private readonly out: RtpOut;
  private readonly packet = Buffer.alloc(REPORT_BYTES_MAX);
  private nextMs = 0;

  constructor(socket: Socket, out: RtpOut) {
    this.socket = socket;
    this.out = out;
  }

  /** Takes what the peer says of our stream; its packet was judged valid before. */
  receive(packet: Buffer): void {
    this.peer = readReport(packet) ?? this.peer;
  }

  /** Does it tell what only somebody knows to whom our stream went? */
  proves(packet: Buffer): boolean {
    return heardOf(packet, this.out.ssrc).some((extended) => this.out.wasSent(extended));
  }

  tick(nowMs: number, address: string, port: number): void {
    if (nowMs < this.nextMs) return;
    // The first one half an interval in (RFC 3550 section 6.2), so that short calls send none.
    const first = this.nextMs === 0;
    this.nextMs = nowMs + (first ? INTERVAL_MS / 2 : INTERVAL_MS);
    if (first) return;
    const { ssrc, timestamp, packets, octets } = this.out;
    const heard = this.counter.report();
    const length = writeSenderReport(this.packet, ssrc, Date.now(), timestamp, packets, octets >>> 0, heard);
    this.socket.send(this.packet, 0, length, port, address);
  }
}
