// Two sessions that hear each other. It refuses to know more of them than what they hear and how to send a key.
import { SAMPLES_PER_FRAME } from '../rtp/packet.ts';
import type { NegotiatedMedia } from '../sdp/negotiate.ts';
import type { Recorder } from './recorder.ts';
import type { RtpSender } from './rtp-sender.ts';

/** A session, as its bridge and the other leg see it. */
export type BridgedLeg = {
  /** The latest 20 ms from its peer. */
  readonly heard: Int16Array;
  readonly media: NegotiatedMedia | undefined;
  readonly sender: RtpSender;
  /** It may live on elsewhere: how things ended here is not to be said. */
  readonly isDoubtful: boolean;
  join(bridge: Bridge | undefined): void;
};

export class Bridge {
  /** The call that asked for it: its `seq` of the BridgeRequested. */
  readonly callId: string;
  readonly request: number;
  readonly legs: readonly [BridgedLeg, BridgedLeg];
  recorder: Recorder | undefined;
  private readonly mixed = new Int16Array(SAMPLES_PER_FRAME);

  constructor(callId: string, request: number, a: BridgedLeg, b: BridgedLeg, recorder: Recorder | undefined) {
    this.callId = callId;
    this.request = request;
    this.legs = [a, b];
    this.recorder = recorder;
  }

  other(leg: BridgedLeg): BridgedLeg {
    return leg === this.legs[0] ? this.legs[1] : this.legs[0];
  }

  /** Another node goes on with what is recorded here. Resolves when the file is closed. */
  async leaveRecording(): Promise<void> {
    const { recorder } = this;
    this.recorder = undefined;
    await recorder?.leave();
  }

  /** Called once per frame, when both legs have heard theirs. */
  record(): void {
    if (!this.recorder) return;
    const [a, b] = this.legs;
    for (let i = 0; i < SAMPLES_PER_FRAME; i++)
      this.mixed[i] = Math.max(-32_768, Math.min(32_767, a.heard[i]! + b.heard[i]!));
    this.recorder.hear(this.mixed, '', false);
  }
}
