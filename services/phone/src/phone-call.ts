/** One call of a phone, out or in: what state it is in, what it says on the line, and its RTP peer. It never calls again. */
import { EventEmitter, once } from 'node:events';
import type { RtpPeer } from '../../media/src/peer/index.ts';
import type { SipMessage, SipRequest, SipResponse } from '../../sip-edge/src/stack/message/message.ts';

/** How a call ended: who said so, and the SIP status where it was never answered. */
export type Ended = { by: 'us' | 'them'; status: number };

/** The phone as its calls see it. */
type Line = {
  /** Sends a request of the call. */
  send(call: PhoneCall, method: string, sdp?: string): void;
  /** Answers its INVITE. */
  answer(call: PhoneCall, status: number, sdp?: string): void;
};

type About = { direction: 'out' | 'in'; sipCallId: string; remoteUri: string; invite?: SipRequest };

/** Of identifiers: tags, branches, Call-IDs. */
export const random = (): string => Math.random().toString(36).slice(2, 12);

const late = (ms: number, message: string) =>
  new Promise<never>((_, fail) => setTimeout(() => fail(new Error(message)), ms).unref());

/** One call of a phone. Events: `ringing` (180), `answered`, `ended` (Ended), `reinvited`. */
export class PhoneCall extends EventEmitter {
  readonly peer: RtpPeer;
  /** Another one each time it is called again. */
  sipCallId: string;
  readonly direction: 'out' | 'in';
  state: 'calling' | 'ringing' | 'answered' | 'ended' = 'calling';
  /** The platform's uuid of the call, from `X-Opentact-Call-Id`; empty until a response brought it. */
  platformCallId = '';
  /** performance.now() of the INVITE and of its 200. */
  invitedAt = performance.now();
  answeredAt = 0;
  ended?: Ended;
  localTag = random();
  remoteTag = '';
  remoteUri: string;
  target: string;
  cseq = 1;
  branch = '';
  readonly invite: SipRequest | undefined;
  /** Where an incoming INVITE came from; its answers go back there. */
  source = { address: '', port: 0 };
  /** The INVITE brought no offer: the answer goes into the ACK. */
  delayed = false;
  /** Where requests go before a Contact is known, host:port; the address itself where there is none. */
  proxy: string | undefined;
  /** Of the last time it was called. */
  readonly messages: SipMessage[] = [];
  /** How often it was refused for congestion. */
  congested = 0;
  /** Header lines of its INVITE, besides those every one has. */
  lines: string[] = [];
  readonly #line: Line;

  constructor(line: Line, peer: RtpPeer, about: About) {
    super();
    this.#line = line;
    this.peer = peer;
    this.direction = about.direction;
    this.sipCallId = about.sipCallId;
    this.remoteUri = about.remoteUri;
    this.target = about.remoteUri;
    this.invite = about.invite;
  }

  /** Waits for an event that may have happened already. @throws Error after `ms` */
  async until(state: 'ringing' | 'answered' | 'ended', ms = 10_000): Promise<this> {
    const reached = () =>
      this.state === state || (state === 'ringing' && this.state === 'answered') || this.state === 'ended';
    if (!reached())
      await Promise.race([
        once(this, state),
        once(this, 'ended'),
        late(ms, `the call is ${this.state}, not ${state}, after ${ms} ms`),
      ]);
    if (state !== 'ended' && this.ended)
      throw new Error(`the call ended (${this.ended.by}, ${this.ended.status}) before it was ${state}`);
    return this;
  }

  /** Called again as another call of SIP; to whoever waits for it, it is the same one. */
  renew(sipCallId: string): void {
    this.sipCallId = sipCallId;
    this.localTag = random();
    this.remoteTag = '';
    this.platformCallId = '';
    this.messages.length = 0;
  }

  finish(ended: Ended): void {
    if (this.ended) return;
    this.ended = ended;
    this.state = 'ended';
    // Whoever has the platform's port next is not to hear us.
    this.peer.mute();
    this.emit('ended', ended);
  }

  /** BYE, or CANCEL while unanswered; an incoming unanswered call is refused with `status`. */
  hangup(status = 603): void {
    if (this.ended) return;
    if (this.state === 'answered') {
      this.#line.send(this, 'BYE');
      this.finish({ by: 'us', status: 0 });
    } else if (this.direction === 'out') this.#line.send(this, 'CANCEL');
    else {
      this.#line.answer(this, status);
      this.finish({ by: 'us', status });
    }
  }

  /** Answers an incoming call: 180 or 183, or 200 with our description. */
  ring(status = 180): void {
    this.state = 'ringing';
    this.#line.answer(this, status);
  }
  accept(): void {
    const offer = this.invite!.body.toString('latin1');
    const sdp = offer ? this.peer.answer(offer) : this.peer.offer();
    this.state = 'answered';
    this.answeredAt = performance.now();
    this.#line.answer(this, 200, sdp);
    this.emit('answered');
  }

  /** A re-INVITE with this direction; resolves with its final response. */
  async reinvite(direction: 'sendrecv' | 'sendonly' | 'inactive' = 'sendrecv', withSdp = true): Promise<SipResponse> {
    this.cseq++;
    const sdp = withSdp ? this.peer.offer(direction) : '';
    const answered = once(this, 'reinvited');
    this.#line.send(this, 'INVITE', sdp);
    const [response] = (await Promise.race([answered, late(5_000, 'no answer to the re-INVITE')])) as [SipResponse];
    if (response.status < 300) {
      const offered = response.body.toString('latin1');
      this.#line.send(this, 'ACK', withSdp || !offered ? '' : this.peer.answer(offered));
      if (withSdp) this.peer.connect(offered);
    } else this.#line.send(this, 'ACK');
    return response;
  }
}
