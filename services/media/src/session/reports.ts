// RTCP of one session: a report every five seconds, and what the peer last said of our stream.
// It refuses to act on reports: they are figures, the call's story is not told here.
import type { Socket } from 'node:dgram';
import { ReceptionCounter } from '../rtp/reception.ts';
import { type PeerReport, REPORT_BYTES_MAX, readReport, writeSenderReport } from '../rtp/rtcp.ts';
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

  receive(packet: Buffer): void {
    this.peer = readReport(packet) ?? this.peer;
  }

  tick(nowMs: number, address: string, port: number): void {
    if (nowMs < this.nextMs) return;
    // The first one half an interval in (RFC 3550 section 6.2), so that short calls send none.
    const first = this.nextMs === 0;
    this.nextMs = nowMs + (first ? INTERVAL_MS / 2 : INTERVAL_MS);
    if (first) return;
    const { ssrc, timestamp, packets } = this.out;
    const heard = this.counter.report();
    const length = writeSenderReport(this.packet, ssrc, Date.now(), timestamp, packets, packets * 160, heard);
    this.socket.send(this.packet, 0, length, port, address);
  }
}
