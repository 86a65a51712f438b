// One leg's media: its sockets, what it hears and says. The pacer gives it 20 ms at a time.
// It refuses to speak before it knows the peer's address and something happened: a play, a bridge, a recording, a packet.
import type { RemoteInfo } from 'node:dgram';
import type { Observed } from '@opentact/proto/events';
import { Latch } from '../rtp/latch.ts';
import { emptyHeader, readHeader } from '../rtp/packet.ts';
import type { Agreement } from '../sdp/negotiate.ts';
import type { Paced } from '../worker/pacer.ts';
import type { Bridge } from './bridge.ts';
import { Hearing } from './hearing.ts';
import type { Playback } from './playback.ts';
import type { Recorder } from './recorder.ts';
import { Recordings } from './recordings.ts';
import { Reports } from './reports.ts';
import { RtpOut } from './rtp-out.ts';
import type { SocketPair } from './sockets.ts';
import { Speaking } from './speaking.ts';

export type SessionOptions = {
  leg: number;
  sdpId: number;
  /** Milliseconds without RTP after which `MediaSilent` is said. */
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
  agreement: Agreement | undefined;
  bridge: Bridge | undefined;
  readonly speaking: Speaking;
  readonly recordings = new Recordings((recorder) => this.closeRecording(recorder));
  /** Files that are being closed; a release waits for them. */
  readonly closing = new Set<Promise<void>>();
  private readonly options: SessionOptions;
  private readonly latch = new Latch();
  private readonly header = emptyHeader();
  private readonly hearing: Hearing;
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
    this.speaking = new Speaking(this.out, options.report);
    this.reports = new Reports(sockets.rtcp, this.out);
    this.hearing = new Hearing((digit, durationMs) => this.digit(digit, durationMs));
    sockets.rtp.on('message', (packet, from) => this.packet(packet, from));
    sockets.rtcp.on('message', (packet) => this.reports.receive(packet));
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
    return this.hearing.heard;
  }

  agree(agreement: Agreement): void {
    this.agreement = agreement;
    if (agreement.address) this.latch.aim(agreement.address, agreement.port);
    // A new place while media flows: its window runs at once, whoever speaks first.
    if (this.startedAtMs >= 0) this.latch.open(performance.now());
    this.hearing.agree(agreement);
    this.listen();
  }

  play(playback: Playback): void {
    this.speaking.play(playback);
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
    this.speaking.forgetPlay();
    this.recordings.end('released');
  }

  hear(nowMs: number, frames: number): void {
    if (frames >= TAKEN_FOR_DEAD_FRAMES) this.wokeAt = Date.now();
    // Before the peer's SDP is known nobody can be heard, and that is no silence.
    const records = this.agreement !== undefined && !this.recordings.isEmpty;
    this.hearing.tick(nowMs, frames, records ? this.recordFrame : undefined);
    this.recordings.settle();
    this.watchSilence(nowMs);
  }

  // One function for the session's life, so that no frame makes a new one.
  private readonly recordFrame = (): void => {
    this.recordings.hear(this.hearing);
  };

  speak(nowMs: number, frames: number): void {
    this.out.advance(frames);
    const { agreement } = this;
    if (!agreement || this.startedAtMs < 0) return;
    const { bridge } = this;
    if (bridge?.legs[0] === this) bridge.record();
    const sent = this.speaking.speak(agreement, this.latch, frames, bridge?.other(this).heard);
    if (sent === 'audio') this.recordings.tell(agreement.law, this.out.packet);
    if (sent !== 'nothing') this.reports.tick(nowMs, this.latch.address, agreement.rtcpPort);
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
    if (!readHeader(packet, this.header) || !this.hearing.knows(this.header.payloadType)) return;
    if (!this.latch.accepts(from.address, from.port, nowMs)) return;
    this.begin();
    this.lastHeardMs = nowMs;
    this.silenceTold = false;
    this.reports.counter.count(this.header, nowMs);
    this.hearing.packet(packet, this.header, nowMs);
  }

  private digit(digit: string, durationMs: number): void {
    this.options.report({ type: 'DigitPressed', leg: this.leg, digit, durationMs });
    this.recordings.key(digit);
    const other = this.bridge?.other(this);
    other?.speaking.sendKey(digit, durationMs, other.agreement);
  }

  /** Media flows from now on: the latch's window and the watch over silence begin. */
  private begin(): void {
    if (this.startedAtMs >= 0) return;
    this.startedAtMs = this.lastHeardMs = performance.now();
    this.latch.open(this.startedAtMs);
  }

  private listen(): void {
    this.hearing.listen(!this.recordings.isEmpty || this.bridge !== undefined);
  }

  private watchSilence(nowMs: number): void {
    if (this.silenceTold) return;
    const silent = this.agreement?.held || this.agreement?.direction === 'sendonly';
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
  else if (closed === 'whole')
    report({
      type: 'RecordFinished',
      requestId,
      recordingId,
      durationMs: recorder.durationMs,
      reason: recorder.ended ?? 'stopped',
    });
}
