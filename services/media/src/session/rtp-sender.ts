// What a session says: a play, else the other leg of its bridge, else silence, and keys before all of them.
// It refuses two plays at once: a new one takes the place of the one before, which is stopped.
import type { Observed } from '@opentact/proto/events';
import { clipOf } from '../audio/clip.ts';
import { keyTone } from '../dsp/tone.ts';
import type { Piece } from '../prompt/prompt-source.ts';
import { DigitSender } from '../rtp/digit-sender.ts';
import type { Place } from '../rtp/latch.ts';
import { HEADER_BYTES, SAMPLES_PER_FRAME } from '../rtp/packet.ts';
import type { NegotiatedMedia } from '../sdp/negotiate.ts';
import { Playback } from './playback.ts';
import type { RtpOut } from './rtp-out.ts';

const TONE_MS_MIN = 80;
const TONE_MS_MAX = 1000;

/** A packet of audio, one of a key, or none. */
export type Sent = 'audio' | 'key' | 'nothing';

export class RtpSender {
  private readonly out: RtpOut;
  private readonly report: (fact: Observed) => void;
  private readonly keys = new DigitSender();
  private playback: Playback | undefined;
  private keyTone: Playback | undefined;

  constructor(out: RtpOut, report: (fact: Observed) => void) {
    this.out = out;
    this.report = report;
  }

  play(playback: Playback): void {
    this.stopPlay(this.playback?.play);
    this.playback = playback;
  }

  supply(play: number, index: number, piece: Piece): void {
    if (this.playback?.play === play) this.playback.supply(index, piece);
  }

  /** Nothing happens where `play` is not what is playing: its fact was told before. */
  stopPlay(play: number | undefined): void {
    if (!this.playback || this.playback.play !== play) return;
    this.report({ type: 'PlayStopped', requestId: play, ...heardOf(this.playback) });
    this.playback = undefined;
  }

  /** Ends without a word. */
  forgetPlay(): void {
    this.playback = undefined;
  }

  /** Sends a key to the peer: as an event where that was agreed, else as its tone. */
  sendKey(digit: string, durationMs: number, media: NegotiatedMedia | undefined): void {
    if (media && media.eventPayloadType >= 0) {
      this.keys.press(digit, durationMs);
      return;
    }
    const tone = keyTone(digit, Math.min(TONE_MS_MAX, Math.max(TONE_MS_MIN, durationMs)));
    if (!tone || this.keyTone) return;
    this.keyTone = new Playback(0, 1, 1);
    this.keyTone.supply(0, { kind: 'clip', clip: clipOf(tone) });
  }

  /**
   * One frame on its way. `to`: where media may go at this moment; undefined: nowhere, and time passes all the same.
   * @param bridged what the other leg of a bridge hears
   * @returns what went out
   */
  speak(media: NegotiatedMedia, to: Place | undefined, frames: number, bridged: Int16Array | undefined): Sent {
    if (!this.compose(media, frames, bridged)) this.out.fillSilence();
    const maySend = media.direction === 'sendrecv' || media.direction === 'sendonly';
    if (!maySend || !media.address || !to) {
      this.out.pause();
      return 'nothing';
    }
    if (this.keys.busy && media.eventPayloadType >= 0) {
      this.out.sendDigit(this.keys, media.eventPayloadType, to.address, to.port);
      return 'key';
    }
    this.out.sendAudio(media.payloadType, to.address, to.port);
    return 'audio';
  }

  /** Writes this frame's audio behind the header; false where there is none. */
  private compose({ codec }: NegotiatedMedia, frames: number, bridged: Int16Array | undefined): boolean {
    const { packet } = this.out;
    if (this.playback) {
      const audible = this.playback.next(codec, packet, HEADER_BYTES, frames);
      if (this.playback.ended) this.finishPlay(this.playback);
      return audible;
    }
    if (this.keyTone) {
      const audible = this.keyTone.next(codec, packet, HEADER_BYTES, frames);
      if (this.keyTone.ended) this.keyTone = undefined;
      if (audible) return true;
    }
    if (!bridged) return false;
    codec.encode(bridged, 0, SAMPLES_PER_FRAME, packet, HEADER_BYTES);
    return true;
  }

  private finishPlay(playback: Playback): void {
    const { ended, play: requestId } = playback;
    this.playback = undefined;
    if (ended?.kind === 'failed')
      this.report({ type: 'PlayFailed', requestId, reason: ended.reason, detail: ended.detail });
    else this.report({ type: 'PlayFinished', requestId, ...heardOf(playback) });
  }
}

/** What is told of a play that is over. */
const heardOf = ({ playedMs, voice }: Playback) => ({ playedMs, ...(voice && { voice }) });
