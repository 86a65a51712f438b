// Counts what arrives of one RTP stream: loss and jitter as RFC 3550 appendix A.1, A.3 and A.8 define them.
// It refuses to judge: a new SSRC simply begins a new count.
import { type Header, sequenceDistance } from './packet.ts';
import type { Reception } from './rtcp.ts';

export class ReceptionCounter {
  received = 0;
  private ssrc = 0;
  private baseSequence = 0;
  private highest = 0;
  private cycles = 0;
  private lastTransit = 0;
  private jitter = 0;
  private expectedBefore = 0;
  private receivedBefore = 0;

  /** Takes note of one packet that arrived at `nowMs` of any monotonic clock. */
  count(header: Header, nowMs: number): void {
    const transit = (Math.round(nowMs * 8) - header.timestamp) | 0;
    if (this.received === 0 || header.ssrc !== this.ssrc) this.begin(header, transit);
    this.received++;
    const ahead = sequenceDistance(header.sequence, this.highest);
    if (ahead > 0) {
      if (header.sequence < this.highest) this.cycles += 65_536;
      this.highest = header.sequence;
    }
    const moved = Math.min(Math.abs((transit - this.lastTransit) | 0), 80_000);
    this.lastTransit = transit;
    this.jitter += (moved - this.jitter) / 16;
  }

  private begin(header: Header, transit: number): void {
    this.ssrc = header.ssrc;
    this.baseSequence = header.sequence;
    this.highest = header.sequence;
    this.cycles = 0;
    this.received = 0;
    this.expectedBefore = 0;
    this.receivedBefore = 0;
    this.jitter = 0;
    this.lastTransit = transit;
  }

  /** The report block for the interval since the last one; undefined before the first packet. */
  report(): Reception | undefined {
    if (this.received === 0) return undefined;
    const expected = this.cycles + this.highest - this.baseSequence + 1;
    const expectedNow = expected - this.expectedBefore;
    const lostNow = expectedNow - (this.received - this.receivedBefore);
    this.expectedBefore = expected;
    this.receivedBefore = this.received;
    return {
      ssrc: this.ssrc,
      fractionLost: expectedNow > 0 && lostNow > 0 ? Math.min(255, Math.floor((lostNow * 256) / expectedNow)) : 0,
      lost: Math.max(-0x7fffff, Math.min(0x7fffff, expected - this.received)),
      highestSequence: this.cycles + this.highest,
      jitter: Math.round(this.jitter),
    };
  }
}
