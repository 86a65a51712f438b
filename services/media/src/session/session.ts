// One leg's media: its sockets, what it hears and says. The pacer gives it 20 ms at a time.
// It refuses to speak before it knows the peer's address and something happened: a play, a bridge, a recording, a packet.
import type { RemoteInfo } from 'node:dgram';
import type { Observed } from '@opentact/proto/events';
import { KEYS_A_SECOND, KeyBudget } from '../rtp/key-budget.ts';
import { Latch } from '../rtp/latch.ts';
import type { MediaRule } from '../rtp/media-rule.ts';
import { emptyHeader, readHeader } from '../rtp/packet.ts';
import { isRtcp } from '../rtp/rtcp.ts';
import type { NegotiatedMedia } from '../sdp/negotiate.ts';
import type { Paced } from '../worker/pacer.ts';
import type { Bridge } from './bridge.ts';
import type { Playback } from './playback.ts';
import type { Recorder } from './recorder.ts';
import { Recordings } from './recordings.ts';
import { Reports } from './reports.ts';
import { RtpOut } from './rtp-out.ts';
import { RtpReceiver } from './rtp-receiver.ts';
import { RtpSender } from './rtp-sender.ts';
import type { SocketPair } from './sockets.ts';

export type SessionOptions = {
  leg: number;
  sdpId: number;
  /** Milliseconds without RTP or RTCP after which `MediaSilent` is said. */
  silentMs: number;
  report(fact: Observed): void;
};

/** Away for so long, this process may have been taken for dead, and what it does be another's by now. */
const TAKEN_FOR_DEAD_FRAMES = 125;
/** By how much an engine's clock may be ahead of ours. */
const CLOCKS_APART_MS = 1000;

export class Session implements Paced {
  readonly leg: number;
  readonly sdpId: number;
  readonly sockets: SocketPair;
  media: NegotiatedMedia | undefined;
  /** Our latest description; empty: none yet. */
  described = '';
  bridge: Bridge | undefined;
  readonly sender: RtpSender;
  readonly recordings = new Recordings((recorder) => this.closeRecording(recorder));
  /** Files that are being closed; a release waits for them. */
  readonly closing = new Set<Promise<void>>();
  private readonly options: SessionOptions;
  private readonly latch = new Latch();
  private readonly keys = new KeyBudget();
  private readonly header = emptyHeader();
  private readonly receiver: RtpReceiver;
  private readonly out: RtpOut;
  private readonly reports: Reports;
  private startedAtMs = -1;
  private lastHeardMs = performance.now();
  private silenceTold = false;
  /** When it last woke up after so long that it may have been taken for dead, ms since the epoch; 0 where it never did. */
  private wokeAt = 0;

  constructor(sockets: SocketPair, options: SessionOptions) {
    this.sockets = sockets;
    this.options = options;
    this.leg = options.leg;
    this.sdpId = options.sdpId;
    this.out = new RtpOut(sockets.rtp);
    this.sender = new RtpSender(this.out, options.report);
    this.reports = new Reports(sockets.rtcp, this.out);
    this.receiver = new RtpReceiver((digit, durationMs) => this.digit(digit, durationMs));
    sockets.rtp.on('message', (packet, from) => this.packet(packet, from));
    sockets.rtcp.on('message', (packet, from) => this.reported(packet, from));
  }

  /** Given back, it may live on elsewhere: then what it did has not ended, and that is not to be said. */
  get isDoubtful(): boolean {
    return this.wokeAt > 0;
  }

  /**
   * The call chose at `at`, by its engine's clock, to ask something of its sessions here. Chosen after this one woke up it is
   * proof that it was never given up; what waited here since before is none.
   */
  wanted(at: number): void {
    if (at > this.wokeAt + CLOCKS_APART_MS) this.wokeAt = 0;
  }

  /** The latest 20 ms from the peer. */
  get heard(): Int16Array {
    return this.receiver.heard;
  }

  /** By what its media is judged from now on; said before `agree`, for that aims by it. */
  judgeBy(rule: MediaRule): void {
    this.latch.judgeBy(rule);
  }

  /** The leg is answered. */
  answered(): void {
    this.latch.answered();
  }

  agree(media: NegotiatedMedia): void {
    this.media = media;
    // Whoever got the stream so far could prove any address by it.
    if (media.address && this.latch.aim(media.address, media.port, media.rtcpPort)) this.out.renew();
    this.receiver.agree(media);
    this.out.carry(media.codec, media.packetMs);
    this.listen();
  }

  play(playback: Playback): void {
    this.sender.play(playback);
    this.begin();
  }

  /** Records, too; `recordings` has room. */
  record(recorder: Recorder): void {
    this.recordings.add(recorder);
    this.begin();
    this.listen();
  }

  join(bridge: Bridge | undefined): void {
    this.bridge = bridge;
    if (bridge) this.begin();
    this.listen();
  }

  /** Ends the recordings and forgets the play; the sockets are the owner's to close, once `closing` is empty. */
  end(): void {
    this.sender.forgetPlay();
    this.recordings.end('released');
  }

  hear(nowMs: number, frames: number): void {
    if (frames >= TAKEN_FOR_DEAD_FRAMES) this.wokeAt = Date.now();
    // Before the peer's SDP is known nobody can be heard, and that is no silence.
    const records = this.media !== undefined && !this.recordings.isEmpty;
    this.receiver.tick(nowMs, frames, records ? this.recordFrame : undefined);
    this.recordings.settle();
    this.watchSilence(nowMs);
  }

  // One function for the session's life, so that no frame makes a new one.
  private readonly recordFrame = (): void => {
    this.recordings.hear(this.receiver);
  };

  speak(nowMs: number, frames: number): void {
    this.out.advance(frames);
    const { media } = this;
    if (!media || this.startedAtMs < 0) return;
    const { bridge } = this;
    if (bridge?.legs[0] === this) bridge.record();
    const to = this.latch.target(nowMs);
    const sent = this.sender.speak(media, to, frames, bridge?.other(this).heard);
    if (sent === 'audio') this.recordings.tell(media.codec, this.out.packet);
    if (to && sent !== 'nothing') this.reports.tick(nowMs, to.address, this.latch.rtcpPort(to));
  }

  private closeRecording(recorder: Recorder): void {
    this.listen();
    const closed = reportClosed(recorder, this.isDoubtful, this.options.report).finally(() =>
      this.closing.delete(closed),
    );
    this.closing.add(closed);
  }

  private packet(packet: Buffer, from: RemoteInfo): void {
    const nowMs = performance.now();
    if (!readHeader(packet, this.header) || !this.receiver.knows(this.header.payloadType)) return;
    if (!this.latch.accepts(from.address, from.port)) return;
    this.begin();
    this.isAlive(nowMs);
    this.reports.counter.count(this.header, nowMs);
    this.receiver.packet(packet, this.header, nowMs);
  }

  /** Whoever only listens, muted or in a webinar, is known to live by its reports. */
  private reported(packet: Buffer, from: RemoteInfo): void {
    if (!isRtcp(packet) || !this.latch.acceptsReport(from.address, from.port, this.reports.proves(packet))) return;
    this.isAlive(performance.now());
    this.reports.receive(packet);
  }

  private isAlive(nowMs: number): void {
    this.lastHeardMs = nowMs;
    this.silenceTold = false;
  }

  private digit(digit: string, durationMs: number): void {
    const verdict = this.keys.take(performance.now());
    if (verdict === 'first-refused')
      process.emitWarning(`a leg's keys come faster than ${KEYS_A_SECOND} a second: the others are left out`);
    if (verdict !== 'taken') return;
    this.options.report({ type: 'DigitPressed', leg: this.leg, digit, durationMs });
    this.recordings.key(digit);
    const other = this.bridge?.other(this);
    other?.sender.sendKey(digit, durationMs, other.media);
  }

  /** Media flows from now on: the watch over silence begins. */
  private begin(): void {
    if (this.startedAtMs >= 0) return;
    this.startedAtMs = this.lastHeardMs = performance.now();
  }

  private listen(): void {
    this.receiver.listen(!this.recordings.isEmpty || this.bridge !== undefined);
  }

  private watchSilence(nowMs: number): void {
    if (this.silenceTold) return;
    const silent = this.media?.held || this.media?.direction === 'sendonly';
    if (silent) this.lastHeardMs = nowMs;
    if (nowMs - this.lastHeardMs < this.options.silentMs) return;
    // Before anything flowed nobody here knows whether the leg is answered yet, so it is said again as long as it holds.
    if (this.startedAtMs < 0) this.lastHeardMs = nowMs;
    else this.silenceTold = true;
    this.options.report({ type: 'MediaSilent', leg: this.leg, silentMs: this.options.silentMs });
  }
}

/** Closes a recording's file and says how it ended, unless another node goes on with it. Never rejects. */
export async function reportClosed(
  recorder: Recorder,
  isDoubtful: boolean,
  report: (fact: Observed) => void,
): Promise<void> {
  const { request: requestId, recordingId } = recorder;
  const closed = await (isDoubtful && recorder.ended === 'released' ? recorder.leave() : recorder.close());
  if (closed instanceof Error) report({ type: 'RecordFailed', requestId, reason: 'disk' });
  else if (closed !== 'taken')
    report({
      type: 'RecordFinished',
      requestId,
      recordingId,
      durationMs: recorder.durationMs,
      reason: closed === 'cut' ? 'disk' : (recorder.ended ?? 'stopped'),
    });
}
