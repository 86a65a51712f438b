// Writes a recording while it is made: blocks of half a second, off the paced thread's path.
// It refuses to wait for a disk: once 32 blocks wait it fails. What the disk took until it failed is kept.
import { SAMPLES_PER_FRAME } from '../rtp/packet.ts';
import { discard, leave, openRecording, publish, publishCut, type RecordingFile } from './recording-file.ts';
import { WAV_HEADER_BYTES } from './wav-header.ts';

const BLOCK_BYTES = 8000;
const BLOCKS_WAITING_MAX = 32;

/**
 * `cut`: the disk failed, and what it took until then is the recording. `taken`: another writer goes on with the recording,
 * and this one's end is of no interest to anybody. An error: there is no recording.
 */
export type Closing = 'whole' | 'cut' | 'taken' | Error;

export class WavWriter {
  /** Samples in the file once it is closed, those of earlier writers included. */
  samples = 0;
  /** Samples that earlier writers left; 0 until the file is open. */
  earlier = 0;
  /** The recording was whole before: whoever finished it could not say so. */
  isWhole = false;
  private block = Buffer.allocUnsafe(BLOCK_BYTES);
  private filled = 0;
  private waiting = 0;
  private file: RecordingFile | undefined;
  private error: Error | undefined;
  /** The disk failed a block: what waits behind it would leave a hole. */
  private isBroken = false;
  /** Everything asked of the disk so far, one thing after the other. Never rejects. */
  private work: Promise<void>;

  private readonly failing: (error: Error) => void;

  /** @param failing told once, of what the disk said where it failed */
  constructor(folder: string, id: string, failing: (error: Error) => void = () => {}) {
    this.failing = failing;
    this.work = openRecording(folder, id).then(
      (file) => this.opened(file),
      (error: Error) => this.fail(error),
    );
  }

  private opened(file: RecordingFile): void {
    this.file = file;
    this.isWhole = file.handle === undefined;
    this.earlier = file.bytes / 2;
    this.samples = this.isWhole ? this.earlier : this.samples + this.earlier;
  }

  private fail(error: Error): void {
    if (this.error) return;
    this.error = error;
    this.failing(error);
  }

  private broke(error: Error): void {
    this.isBroken = true;
    this.fail(error);
  }

  /** True once the disk failed or fell behind; then only `close` is useful. */
  get failed(): boolean {
    return this.error !== undefined;
  }

  /** Adds one frame of 8 kHz samples. */
  add(frame: Int16Array): void {
    if (this.error || this.isWhole) return;
    for (let i = 0; i < SAMPLES_PER_FRAME; i++) this.block.writeInt16LE(frame[i]!, this.filled + 2 * i);
    this.filled += 2 * SAMPLES_PER_FRAME;
    this.samples += SAMPLES_PER_FRAME;
    if (this.filled === BLOCK_BYTES) this.flush();
  }

  private flush(): void {
    if (this.filled === 0 || this.error) return;
    if (this.waiting >= BLOCKS_WAITING_MAX) return this.fail(new Error('the disk is too slow for this recording'));
    const block = this.block.subarray(0, this.filled);
    this.block = Buffer.allocUnsafe(BLOCK_BYTES);
    this.filled = 0;
    this.waiting++;
    this.work = this.work.then(() => this.put(block)).catch((error: Error) => this.broke(error));
  }

  private async put(block: Buffer): Promise<void> {
    this.waiting--;
    if (this.isBroken || !this.file?.handle) return;
    const { handle, bytes } = this.file;
    const { bytesWritten } = await handle.write(block, 0, block.length, WAV_HEADER_BYTES + bytes);
    this.file.bytes += bytesWritten & ~1;
    if (bytesWritten < block.length) throw new Error('the disk took a part of a block only');
  }

  /** Writes the rest and publishes the file. Called once, or `leave` is. */
  close(): Promise<Closing> {
    return this.end(async (file) => ((await publish(file)) ? 'whole' : 'taken'));
  }

  /** Writes the rest; whoever is asked for the recording next goes on with it. */
  leave(): Promise<Closing> {
    return this.end(async (file) => {
      await leave(file);
      return 'taken';
    });
  }

  private async end(how: (file: RecordingFile) => Promise<Closing>): Promise<Closing> {
    this.flush();
    await this.work;
    try {
      if (!this.error && this.file) return await how(this.file);
    } catch (error) {
      this.fail(error as Error);
    }
    return (await this.cut()) ?? this.error ?? new Error('the recording was never opened');
  }

  /** Publishes what the disk took until it failed; undefined where that is nothing, or it can't be. */
  private async cut(): Promise<Closing | undefined> {
    const { file, error } = this;
    if (!file || !error) return undefined;
    if (!file.handle) return 'whole';
    if (file.bytes === 0) {
      await discard(file);
      return undefined;
    }
    this.samples = file.bytes / 2;
    return publishCut(file).then(
      (isOurs) => (isOurs ? 'cut' : 'taken'),
      () => undefined,
    );
  }
}
