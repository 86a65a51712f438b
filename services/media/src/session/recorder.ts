// One recording: what it is given to hear, until a key, silence or the longest time ends it.
// It refuses the stop key's tone: the last 200 ms wait in memory until it is clear whether they hold its beginning.
import { type Closing, WavWriter } from '../audio/wav-writer.ts';
import { SAMPLES_PER_FRAME } from '../rtp/packet.ts';

/** As `RecordRequested` has it; 0 for no limit of that kind. `both`: what the leg is told, too. */
export type RecordWish = { maxMs: number; silenceMs: number; stopKeys: string; both?: boolean | undefined };

/** `disk`: too little of it is left; `full`: its call has recorded all that one may. */
export type RecordEnd = 'key' | 'silence' | 'timeout' | 'stopped' | 'released' | 'disk' | 'full';

/** What the recordings of one call may take of the disk together, bytes. */
export class RecordingQuota {
  private left: number;

  constructor(bytes: number) {
    this.left = bytes;
  }

  get isSpent(): boolean {
    return this.left <= 0;
  }

  /** @returns false where there is not so much left */
  take(bytes: number): boolean {
    if (this.left < bytes) this.left = 0;
    else this.left -= bytes;
    return this.left > 0;
  }
}

const HELD_FRAMES = 10;
/** What a detector can't have noticed yet when it first suspects a tone, or an event that was late. */
const UNNOTICED_FRAMES = 3;
/** Mean absolute level below which a frame is silence: about -46 dBFS. */
const QUIET = 160;
const LONGEST_MS = 4 * 3_600_000;

export class Recorder {
  /** `seq` of the RecordRequested, or of the BridgeRequested. */
  readonly request: number;
  readonly recordingId: string;
  ended: RecordEnd | undefined;
  /** It wants what the leg is told as well as what it says, mixed. */
  readonly both: boolean;
  private readonly limits: RecordWish;
  private readonly writer: WavWriter;
  private readonly quota: RecordingQuota | undefined;
  private readonly held = new Int16Array(HELD_FRAMES * SAMPLES_PER_FRAME);
  private readonly frame = new Int16Array(SAMPLES_PER_FRAME);
  private readonly suspect = new Uint8Array(HELD_FRAMES);
  private heldCount = 0;
  private frames = 0;
  private quietFrames = 0;

  /** @param folder of the recordings @param failing told once, of what the disk said where it failed */
  constructor(
    request: number,
    recordingId: string,
    folder: string,
    limits: RecordWish,
    quota?: RecordingQuota,
    failing?: (error: Error) => void,
  ) {
    this.quota = quota;
    this.request = request;
    this.recordingId = recordingId;
    this.limits = limits;
    this.both = limits.both ?? false;
    this.writer = new WavWriter(folder, recordingId, failing);
  }

  get failed(): boolean {
    return this.writer.failed;
  }

  /** Milliseconds in the file. */
  get durationMs(): number {
    return Math.round(this.writer.samples / 8);
  }

  /** Takes 20 ms. `pressed`: the key that is down, if any; `suspected`: this may be the beginning of a key's tone. */
  hear(frame: Int16Array, pressed: string, suspected: boolean): void {
    if (this.writer.isWhole) this.end('stopped');
    if (this.ended) return;
    this.frames++;
    // A stop key that is down will end this when it comes up; from here on there is only its tone.
    if (pressed === '' || !this.limits.stopKeys.includes(pressed)) this.keep(frame, suspected);
    this.quietFrames = quiet(frame) ? this.quietFrames + 1 : 0;
    const longest = this.limits.maxMs > 0 ? Math.min(this.limits.maxMs, LONGEST_MS) : LONGEST_MS;
    if (this.frames * 20 + this.writer.earlier / 8 >= longest) this.end('timeout');
    else if (this.limits.silenceMs > 0 && this.quietFrames * 20 >= this.limits.silenceMs) this.end('silence');
  }

  /** A key came up. @returns true where it ended the recording */
  key(digit: string): boolean {
    if (this.ended || !this.limits.stopKeys.includes(digit)) return false;
    this.end('key');
    return true;
  }

  end(reason: RecordEnd): void {
    this.ended ??= reason;
  }

  /** Closes the file. */
  close(): Promise<Closing> {
    this.releaseHeld();
    return this.writer.close();
  }

  /** Closes the file for whoever goes on with it. */
  leave(): Promise<Closing> {
    this.end('released');
    this.releaseHeld();
    return this.writer.leave();
  }

  private releaseHeld(): void {
    for (let frames = this.ended === 'key' ? this.framesBeforeKey() : this.heldCount; frames > 0; frames--)
      this.release();
  }

  private keep(frame: Int16Array, suspected: boolean): void {
    if (this.heldCount === HELD_FRAMES) this.release();
    this.held.set(frame, this.heldCount * SAMPLES_PER_FRAME);
    this.suspect[this.heldCount] = suspected ? 1 : 0;
    this.heldCount++;
  }

  private framesBeforeKey(): number {
    const first = this.suspect.subarray(0, this.heldCount).indexOf(1);
    return Math.max(0, (first < 0 ? this.heldCount : first) - UNNOTICED_FRAMES);
  }

  private release(): void {
    for (let i = 0; i < SAMPLES_PER_FRAME; i++) this.frame[i] = this.held[i]!;
    if (this.quota?.take(2 * SAMPLES_PER_FRAME) === false) this.end('full');
    else this.writer.add(this.frame);
    this.held.copyWithin(0, SAMPLES_PER_FRAME);
    this.suspect.copyWithin(0, 1);
    this.heldCount--;
  }
}

function quiet(frame: Int16Array): boolean {
  let sum = 0;
  for (let i = 0; i < SAMPLES_PER_FRAME; i++) sum += Math.abs(frame[i]!);
  return sum < QUIET * SAMPLES_PER_FRAME;
}
