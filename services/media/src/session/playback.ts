// What a session plays: pieces one after the other, some perhaps still being prepared, all of them `loop` times.
// It refuses to end twice, and to run for ever over nothing.
import { type Cadence, cadenceFrames, copyCadence } from '../audio/cadence.ts';
import type { Codec } from '../codec/codec.ts';
import type { Piece } from '../prompt/prompt-source.ts';
import { SAMPLES_PER_FRAME } from '../rtp/packet.ts';

/** A clip's bytes, by the name of each codec. `cadence`: in which order they sound, where it isn't their own. */
type Bytes = {
  kind: 'bytes';
  frames: number;
  voice: string;
  cadence: Cadence | undefined;
  encoded: Record<string, Buffer>;
};
type Loaded = Bytes | Extract<Piece, { kind: 'silence' | 'failure' }>;

export type PlayEnd = { kind: 'finished' } | { kind: 'failed'; reason: string; detail: string };

function loaded(piece: Piece): Loaded {
  if (piece.kind === 'silence' || piece.kind === 'failure') return piece;
  const cadence = piece.kind === 'cadence' ? piece.cadence : undefined;
  const clip = piece.kind === 'cadence' ? piece.cadence.clip : piece.clip;
  const voice = (piece.kind === 'clip' && piece.voice) || '';
  // Views over the shared bytes, made once and not per frame.
  const encoded = Object.fromEntries(Object.entries(clip.encoded).map(([name, of]) => [name, Buffer.from(of)]));
  const frames = cadence ? cadenceFrames(cadence) : clip.frames;
  return { kind: 'bytes', frames, voice, cadence, encoded };
}

export class Playback {
  /** `seq` of the PlayRequested. */
  readonly play: number;
  ended: PlayEnd | undefined;
  /** The last voice that spoke in the place of one that isn't there; empty: none did. */
  voice = '';
  private readonly pieces: (Loaded | undefined)[];
  private readonly loop: number;
  private index = 0;
  private frame = 0;
  private round = 0;
  private framesPlayed = 0;
  private isRunning = false;

  /** `loop` 0: until stopped. `count` pieces are `supply`d in any order. */
  constructor(play: number, loop: number, count: number) {
    this.play = play;
    this.loop = loop;
    this.pieces = Array.from({ length: count }, () => undefined);
  }

  get playedMs(): number {
    return this.framesPlayed * 20;
  }

  supply(index: number, piece: Piece): void {
    if (index < this.pieces.length) this.pieces[index] ??= loaded(piece);
  }

  /**
   * Moves on by one frame, or by more where the pacer lost some while this was playing, and writes it at `packet[at]`.
   * @returns false where there is nothing to be heard: silence, a piece not ready, or the end (see `ended`)
   */
  next(codec: Codec, packet: Buffer, at: number, frames: number): boolean {
    // Lost before it began, or while a piece was awaited, is not lost to it.
    if (this.isRunning) for (let skipped = 1; skipped < frames; skipped++) if (this.current()) this.advance();
    const piece = this.current();
    this.isRunning = piece !== undefined;
    if (!piece) return false;
    if (piece.kind === 'bytes') this.write(piece, codec, packet, at);
    this.advance();
    return piece.kind === 'bytes';
  }

  private write(piece: Bytes, codec: Codec, packet: Buffer, at: number): void {
    const bytes = piece.encoded[codec.name]!;
    const start = this.frame * SAMPLES_PER_FRAME;
    const { sampleBytes } = codec;
    if (piece.cadence) copyCadence(piece.cadence, codec, bytes, start, packet, at, SAMPLES_PER_FRAME);
    else bytes.copy(packet, at, start * sampleBytes, (start + SAMPLES_PER_FRAME) * sampleBytes);
    if (piece.voice) this.voice = piece.voice;
  }

  /** The piece that holds the next frame; steps over empty ones, and ends the play where nothing is left. */
  private current(): Exclude<Loaded, { kind: 'failure' }> | undefined {
    for (let steps = 0; !this.ended && steps <= 2 * this.pieces.length + 1; steps++) {
      if (this.index >= this.pieces.length) {
        this.turn();
        continue;
      }
      const piece = this.pieces[this.index];
      if (!piece) return undefined;
      if (piece.kind === 'failure') {
        this.ended = { kind: 'failed', reason: piece.reason, detail: piece.detail };
        return undefined;
      }
      if (this.frame < piece.frames) return piece;
      this.index++;
      this.frame = 0;
    }
    return undefined;
  }

  private turn(): void {
    this.round++;
    this.index = 0;
    this.frame = 0;
    // Silence or speech of no length, for ever, would be an endless loop: it is over.
    const hollow = this.pieces.every((piece) => piece && (piece.kind === 'failure' || piece.frames === 0));
    if (hollow || (this.loop > 0 && this.round >= this.loop)) this.ended = { kind: 'finished' };
  }

  private advance(): void {
    this.frame++;
    this.framesPlayed++;
  }
}
