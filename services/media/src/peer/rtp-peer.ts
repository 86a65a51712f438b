// A phone's media: offers, answers, sends silence, audio and keys, and keeps what it hears.
// It refuses to be a service: one socket, no RTCP, no jitter buffer; it hears exactly what came.
import { createSocket, type Socket } from 'node:dgram';
import type { AddressInfo } from 'node:net';
import type { Codec } from '../codec/codec.ts';
import { staticCodec } from '../codec/codecs.ts';
import { PCMU } from '../codec/g711/g711.ts';
import { keyTone } from '../dsp/tone.ts';
import { DigitSender } from '../rtp/digit-sender.ts';
import { emptyHeader, HEADER_BYTES, readHeader, SAMPLES_PER_FRAME } from '../rtp/packet.ts';
import { composeAnswer, composeOffer } from '../sdp/compose.ts';
import { codecsOf, negotiate } from '../sdp/negotiate.ts';
import { type Direction, parseSdp } from '../sdp/parse.ts';
import { RtpOut } from '../session/rtp-out.ts';
import { FRAME_MS, type Paced, Pacer } from '../worker/pacer.ts';
import { Heard } from './heard.ts';

export type PeerOptions = {
  /** Where to bind and what SDP says. */
  address?: string;
  /** The one that it offers and sends; default PCMU. */
  codec?: Codec;
  /** Payload type of telephone events; -1: keys are sent as tones. */
  events?: number;
  /** Whether silence is sent when nothing else is; default true. */
  silence?: boolean;
};

/** All peers of a process share one loop. */
const pacer = new Pacer();

type Spoken = { samples: Int16Array; at: number; done: () => void };

export class RtpPeer implements Paced {
  readonly heard = new Heard();
  readonly address: string;
  readonly port: number;
  private readonly socket: Socket;
  private readonly out: RtpOut;
  private readonly codec: Codec;
  private readonly events: number;
  private readonly silence: boolean;
  private readonly header = emptyHeader();
  private readonly digits = new DigitSender();
  private readonly spoken: Spoken[] = [];
  private remote: { address: string; port: number } | undefined;
  /** Of the codec: as offered, until the other side names another. */
  private payloadType: number;
  private version = 0;
  private muted = false;

  constructor(socket: Socket, options: PeerOptions) {
    this.socket = socket;
    this.address = socket.address().address;
    this.port = (socket.address() as AddressInfo).port;
    this.codec = options.codec ?? PCMU;
    this.payloadType = this.codec.payloadType ?? 96;
    this.events = options.events ?? 101;
    this.silence = options.silence ?? true;
    this.out = new RtpOut(socket);
    this.out.carry(this.codec, FRAME_MS);
    socket.on('message', (packet) => {
      if (!readHeader(packet, this.header)) return;
      const type = this.header.payloadType;
      const codec = type === this.payloadType ? this.codec : staticCodec(type);
      if (codec || type === this.events) this.heard.take(packet, this.header, codec, performance.now());
    });
    pacer.add(this);
  }

  /** An offer of this phone's one codec and, unless it has none, telephone events. */
  offer(direction: Direction = 'sendrecv'): string {
    const ours = { id: this.port, version: ++this.version, address: this.address, port: this.port };
    const sdp = composeOffer(ours, this.codec, '', { codecs: [this.codec], events: this.events });
    this.payloadType = codecsOf(parseSdp(sdp)!.media[0]!)[0]!.payloadType;
    return sdp.replace('a=sendrecv', `a=${direction}`);
  }

  /** Takes the other side's description, and from now on sends there. @throws Error where nothing is common */
  connect(sdp: string): void {
    const accepted = negotiate(sdp, this.codec);
    if (!accepted.ok) throw new Error(`no agreement: ${accepted.reason}`);
    const { media } = accepted;
    this.remote = { address: media.address, port: media.port };
    if (media.codec === this.codec) this.payloadType = media.payloadType;
  }

  /** Takes the other side's offer and answers it. @throws Error where nothing is common */
  answer(offer: string): string {
    const accepted = negotiate(offer, this.codec);
    if (!accepted.ok) throw new Error(`no agreement: ${accepted.reason}`);
    if (this.events < 0) accepted.media.eventPayloadType = -1;
    this.connect(offer);
    return composeAnswer({ id: this.port, version: ++this.version, address: this.address, port: this.port }, accepted);
  }

  /** Sends 8 kHz samples at their pace; resolves when the last frame went out. */
  say(samples: Int16Array): Promise<void> {
    return new Promise((done) => this.spoken.push({ samples, at: 0, done }));
  }

  /** Presses a key: as telephone event where this phone has them, else as a tone with 60 ms of silence behind it. */
  async press(digit: string, durationMs = 100): Promise<void> {
    if (this.events < 0) {
      const tone = keyTone(digit, durationMs);
      if (!tone) throw new Error(`no key ${digit}`);
      const padded = new Int16Array(tone.length + 480);
      padded.set(tone);
      return this.say(padded);
    }
    if (!this.digits.press(digit, durationMs)) throw new Error(`no key ${digit}`);
    while (this.digits.busy) await new Promise((later) => setTimeout(later, 10));
  }

  /** Sends nothing at all, as a phone whose network went away; `false` ends it. */
  mute(muted = true): void {
    this.muted = muted;
  }

  hear(nowMs: number): void {
    this.heard.tick(nowMs);
  }

  speak(_nowMs: number, frames: number): void {
    this.out.advance(frames);
    const { remote } = this;
    if (!remote) return;
    if (this.muted) this.speakToNobody(frames);
    else if (this.digits.busy) this.out.sendDigit(this.digits, this.events, remote.address, remote.port);
    else if (this.spoken.length > 0 || this.silence) {
      this.compose(frames);
      this.out.sendAudio(this.payloadType, remote.address, remote.port);
    } else this.out.pause();
  }

  /** What is said goes nowhere, in its time. */
  private speakToNobody(frames: number): void {
    this.out.pause();
    if (this.digits.busy) this.digits.write(this.out.packet, HEADER_BYTES);
    else this.compose(frames);
  }

  /** Writes what is said in this frame behind the header, silence where it is nothing. */
  private compose(frames: number): void {
    const now = this.spoken[0];
    this.out.fillSilence();
    if (!now) return;
    // Time that this process lost is lost to the speech too: what follows stays in its place.
    now.at = Math.min(now.samples.length, now.at + (frames - 1) * SAMPLES_PER_FRAME);
    const count = Math.min(SAMPLES_PER_FRAME, now.samples.length - now.at);
    this.codec.encode(now.samples, now.at, count, this.out.packet, HEADER_BYTES);
    now.at += count;
    if (now.at >= now.samples.length) this.spoken.shift()?.done();
  }

  close(): Promise<void> {
    pacer.remove(this);
    return new Promise((closed) => this.socket.close(() => closed()));
  }
}

/** A phone on a free port of `address`, 127.0.0.1 unless told otherwise. */
export async function openPeer(options: PeerOptions = {}): Promise<RtpPeer> {
  const socket = createSocket('udp4');
  await new Promise<void>((bound, failed) => {
    socket.once('error', failed);
    socket.bind(0, options.address ?? '127.0.0.1', () => bound());
  });
  return new RtpPeer(socket, options);
}
