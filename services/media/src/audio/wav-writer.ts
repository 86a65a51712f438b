// Writes a recording while it is made: blocks of one second, off the paced thread's path, header patched at each block.
// It refuses to wait for a disk: once sixteen blocks wait it fails and keeps what was written.
import { close, constants, fstat, open, write } from 'node:fs';
import { SAMPLES_PER_FRAME } from '../rtp/packet.ts';
import { WAV_HEADER_BYTES, wavHeader } from './wav-header.ts';

const BLOCK_BYTES = 16_000;
const BLOCKS_WAITING_MAX = 16;

export class WavWriter {
  /** Samples in the file once it is closed, those of an earlier segment included. */
  samples = 0;
  private block = Buffer.allocUnsafe(BLOCK_BYTES);
  private filled = 0;
  private written = 0;
  private descriptor = -1;
  private readonly waiting: Buffer[] = [];
  private busy = true;
  private headerDue = true;
  private closed: ((error: Error | undefined) => void) | undefined;
  private error: Error | undefined;

  /** Opens `path`. A file that is there is a segment whose writer died: this one continues it. */
  constructor(path: string) {
    open(path, constants.O_RDWR | constants.O_CREAT, 0o640, (error, descriptor) => {
      if (error) return this.opened(error, 0);
      this.descriptor = descriptor;
      fstat(descriptor, (unknown, stats) => this.opened(unknown, stats?.size ?? 0));
    });
  }

  private opened(error: Error | null, size: number): void {
    this.error = error ?? undefined;
    this.written = Math.max(0, size - WAV_HEADER_BYTES) & ~1;
    this.samples += this.written / 2;
    this.busy = false;
    this.next();
  }

  /** True once the disk failed or fell behind; then only `close` is useful. */
  get failed(): boolean {
    return this.error !== undefined;
  }

  /** Adds one frame of 8 kHz samples. */
  add(frame: Int16Array): void {
    if (this.error) return;
    for (let i = 0; i < SAMPLES_PER_FRAME; i++) this.block.writeInt16LE(frame[i]!, this.filled + 2 * i);
    this.filled += 2 * SAMPLES_PER_FRAME;
    this.samples += SAMPLES_PER_FRAME;
    if (this.filled === BLOCK_BYTES) this.flush();
  }

  private flush(): void {
    if (this.filled === 0) return;
    if (this.waiting.length >= BLOCKS_WAITING_MAX) {
      this.error = new Error('the disk is too slow for this recording');
      return;
    }
    this.waiting.push(this.block.subarray(0, this.filled));
    this.block = Buffer.allocUnsafe(BLOCK_BYTES);
    this.filled = 0;
    this.next();
  }

  // One write at a time: first the samples, then the header that counts them, so that a file whose writer was killed
  // is short but readable.
  private next(): void {
    if (this.busy) return;
    const block = this.error ? undefined : this.waiting.shift();
    if (block) {
      this.put(block, WAV_HEADER_BYTES + this.written);
      this.written += block.length;
      this.headerDue = true;
    } else if (this.headerDue && !this.error) {
      this.headerDue = false;
      this.put(wavHeader(this.written), 0);
    } else if (this.closed) this.finish(this.closed);
  }

  private put(bytes: Buffer, at: number): void {
    this.busy = true;
    write(this.descriptor, bytes, 0, bytes.length, at, (error) => {
      this.error ??= error ?? undefined;
      this.busy = false;
      this.next();
    });
  }

  private finish(closed: (error: Error | undefined) => void): void {
    this.closed = undefined;
    if (this.descriptor < 0) closed(this.error);
    else close(this.descriptor, () => closed(this.error));
    this.descriptor = -1;
  }

  /** Writes the rest, patches the header and closes; then the file is whole. Called once. */
  close(): Promise<Error | undefined> {
    if (!this.error) this.flush();
    return new Promise((resolve) => {
      this.closed = resolve;
      this.next();
    });
  }
}
