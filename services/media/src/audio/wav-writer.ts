// Writes a recording while it is made: blocks of one second, off the paced thread's path, header patched at each block.
// It refuses to wait for a disk: once eight blocks are under way it fails and keeps what was written.
import { close, open, write } from 'node:fs';
import { SAMPLES_PER_FRAME } from '../rtp/packet.ts';
import { WAV_HEADER_BYTES, wavHeader } from './wav-header.ts';

const BLOCK_BYTES = 16_000;
const BLOCKS_UNDERWAY_MAX = 8;

export class WavWriter {
  readonly path: string;
  samples = 0;
  private block = Buffer.allocUnsafe(BLOCK_BYTES);
  private filled = 0;
  private written = 0;
  private descriptor = -1;
  private readonly waiting: { bytes: Buffer; at: number }[] = [];
  private writing = false;
  private closing: ((error: Error | undefined) => void) | undefined;
  private error: Error | undefined;

  /** Opens `path` for writing; an existing file of that name is a segment asked for twice and begins anew. */
  constructor(path: string) {
    this.path = path;
    this.writing = true;
    open(path, 'w', 0o640, (error, descriptor) => {
      this.descriptor = descriptor ?? -1;
      if (error) this.error = error;
      this.writing = false;
      this.next();
    });
    this.waiting.push({ bytes: wavHeader(0), at: 0 });
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
    if (this.waiting.length >= 2 * BLOCKS_UNDERWAY_MAX) {
      this.error = new Error('the disk is too slow for this recording');
      return;
    }
    this.waiting.push({ bytes: this.block.subarray(0, this.filled), at: WAV_HEADER_BYTES + this.written });
    this.written += this.filled;
    // Patched every second, so that a file whose writer was killed is short but readable.
    this.waiting.push({ bytes: wavHeader(this.written), at: 0 });
    this.block = Buffer.allocUnsafe(BLOCK_BYTES);
    this.filled = 0;
    this.next();
  }

  private next(): void {
    if (this.writing) return;
    const job = this.error ? undefined : this.waiting.shift();
    if (!job) {
      if (this.closing) this.finish(this.closing);
      return;
    }
    this.writing = true;
    write(this.descriptor, job.bytes, 0, job.bytes.length, job.at, (error) => {
      if (error) this.error = error;
      this.writing = false;
      this.next();
    });
  }

  private finish(closed: (error: Error | undefined) => void): void {
    this.closing = undefined;
    if (this.descriptor < 0) closed(this.error);
    else close(this.descriptor, () => closed(this.error));
    this.descriptor = -1;
  }

  /** Writes the rest, patches the header and closes; then the file is whole. Called once. */
  close(): Promise<Error | undefined> {
    if (!this.error) this.flush();
    return new Promise((resolve) => {
      this.closing = resolve;
      this.next();
    });
  }
}
