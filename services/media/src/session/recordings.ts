// The recordings of one leg, several at once: of what it says, or of what it is told as well, mixed. It refuses a fifth,
// and any work for what the leg is told where nobody wants it.
import type { Codec } from '../codec/codec.ts';
import { HEADER_BYTES, SAMPLES_PER_FRAME } from '../rtp/packet.ts';
import type { RecordEnd, Recorder } from './recorder.ts';
import type { RtpReceiver } from './rtp-receiver.ts';

const AT_ONCE_MAX = 4;
/** More than a jitter buffer ever delays. */
const TOLD_FRAMES = 16;

export class Recordings {
  private readonly recorders: Recorder[] = [];
  private readonly closed: (recorder: Recorder) => void;
  private both = 0;
  private readonly mixed = new Int16Array(SAMPLES_PER_FRAME);
  /** The latest frames that the leg was told, in a ring; `at` is this frame's. */
  private readonly told = new Int16Array(TOLD_FRAMES * SAMPLES_PER_FRAME);
  private at = 0;
  /** In frames; 0: not chosen yet. */
  private lag = 0;

  /** @param closed told of each recording that ended, once */
  constructor(closed: (recorder: Recorder) => void) {
    this.closed = closed;
  }

  get isEmpty(): boolean {
    return this.recorders.length === 0;
  }

  get isFull(): boolean {
    return this.recorders.length >= AT_ONCE_MAX;
  }

  has(request: number): boolean {
    return this.recorders.some((recorder) => recorder.request === request);
  }

  /** Nothing where it is full. */
  add(recorder: Recorder): void {
    if (this.isFull) return;
    this.recorders.push(recorder);
    if (!recorder.both) return;
    if (this.both === 0) this.forgetTold();
    this.both++;
  }

  /** 20 ms of the leg; `settle` is owed after them. What it was told waits for what it says, by `delayFrames`. */
  hear(receiver: Pick<RtpReceiver, 'heard' | 'pressed' | 'suspected' | 'delayFrames'>): void {
    const { heard, pressed, suspected } = receiver;
    if (this.both > 0) this.mix(heard, receiver.delayFrames);
    for (let n = 0; n < this.recorders.length; n++) {
      const recorder = this.recorders[n]!;
      recorder.hear(recorder.both ? this.mixed : heard, pressed, suspected);
    }
  }

  /** The packet that went out in this frame, as it was sent. */
  tell(codec: Codec, packet: Buffer): void {
    if (this.both === 0) return;
    const end = HEADER_BYTES + SAMPLES_PER_FRAME * codec.sampleBytes;
    codec.decode(packet, HEADER_BYTES, end, this.told, this.at * SAMPLES_PER_FRAME);
  }

  /** A key came up. */
  key(digit: string): void {
    for (const recorder of this.recorders) recorder.key(digit);
    this.settle();
  }

  /** Ends that one, or all of them. */
  end(reason: RecordEnd, request?: number): void {
    for (const recorder of this.recorders)
      if (request === undefined || recorder.request === request) recorder.end(reason);
    this.settle();
  }

  /** Another node goes on with what is recorded here; nothing is said of it. Resolves when the files are closed. */
  async leave(): Promise<void> {
    this.both = 0;
    await Promise.all(this.recorders.splice(0).map((recorder) => recorder.leave()));
  }

  /** A frame further. What was sent in one that is skipped is silence. */
  private mix(heard: Int16Array, delayFrames: number): void {
    this.at = (this.at + 1) % TOLD_FRAMES;
    const now = this.at * SAMPLES_PER_FRAME;
    this.told.fill(0, now, now + SAMPLES_PER_FRAME);
    // Moving it costs a seam, so it moves only where it is off by more than a frame.
    const wanted = Math.max(1, Math.min(TOLD_FRAMES - 1, delayFrames));
    if (this.lag === 0 || Math.abs(wanted - this.lag) > 1) this.lag = wanted;
    const start = ((this.at + TOLD_FRAMES - this.lag) % TOLD_FRAMES) * SAMPLES_PER_FRAME;
    for (let i = 0; i < SAMPLES_PER_FRAME; i++)
      this.mixed[i] = Math.max(-32_768, Math.min(32_767, heard[i]! + this.told[start + i]!));
  }

  private forgetTold(): void {
    this.told.fill(0);
    this.lag = 0;
  }

  /** Closes those that ended, of themselves or as asked. */
  settle(): void {
    for (let n = this.recorders.length - 1; n >= 0; n--) {
      const recorder = this.recorders[n]!;
      if (!recorder.ended && !recorder.failed) continue;
      this.recorders.splice(n, 1);
      if (recorder.both) this.both--;
      this.closed(recorder);
    }
  }
}
