// Symmetric RTP: where a session's RTP and RTCP go, and whose packets it takes (RFC 4961; the rule is in decisions/0019).
// It refuses to send to an address only because an SDP names it, and to be moved by packets once a source was heard.
import { isSameAddress, MediaRule, type Standing } from './media-rule.ts';

/** Media for a public address that never answered: long enough for a gateway that waits to hear us first. */
export const UNPROVEN_MS = 2000;
/** Addresses of one leg that get this time; an offer that names a further one gets none. */
const UNPROVEN_ADDRESSES_MAX = 4;

/** An IP address and a UDP port. */
export type Place = { address: string; port: number };

type Said = Place & { rtcpPort: number; standing: Standing };

export class Latch {
  private rule = new MediaRule(undefined, { allowed: [] });
  private said: Said | undefined;
  private heard: (Place & { standing: Standing }) | undefined;
  /** Where the peer's RTCP comes from. */
  private reporter: Place | undefined;
  /** RTCP that knows our stream came from the address that the SDP names. */
  private isProven = false;
  private isAnswered = false;
  /** When we first sent to each public address that had not answered, ms of the monotonic clock. */
  private readonly unproven = new Map<string, number>();
  private refused: Place | undefined;

  /** What is known of the leg beside its SDP. */
  judgeBy(rule: MediaRule): void {
    this.rule = rule;
    this.refused = undefined;
    if (this.said) this.said.standing = rule.standing(this.said.address, this.said.port);
    if (this.heard) this.heard.standing = rule.standing(this.heard.address, this.heard.port);
  }

  /** The leg is answered: media may go beyond those whom we know. */
  answered(): void {
    this.isAnswered = true;
  }

  /** The peer's SDP names a place; a new one begins the choice anew. @returns true for a new one that must prove itself */
  aim(address: string, port: number, rtcpPort: number): boolean {
    if (this.said?.address === address && this.said.port === port) {
      this.said.rtcpPort = rtcpPort;
      return false;
    }
    this.said = { address, port, rtcpPort, standing: this.rule.standing(address, port) };
    this.heard = this.reporter = this.refused = undefined;
    this.isProven = false;
    return this.said.standing === 'public';
  }

  /** Where a packet goes at this moment; undefined: nowhere. */
  target(nowMs: number): Place | undefined {
    const { heard, said } = this;
    const place = heard ?? said;
    if (!place || place.standing === 'known') return place;
    if (!this.isAnswered) return undefined;
    if (heard) return heard;
    return said!.standing === 'public' && (this.isProven || this.isTried(said!.address, nowMs)) ? said : undefined;
  }

  /** The port that RTCP goes to, at the address that RTP goes to. */
  rtcpPort(to: Place): number {
    if (this.reporter?.address === to.address) return this.reporter.port;
    if (this.said?.address === to.address) return this.said.rtcpPort;
    return to.port < 65_535 ? to.port + 1 : to.port;
  }

  /** Is a valid RTP packet from this source the peer's? The first that may be is believed for good. */
  accepts(address: string, port: number): boolean {
    const { heard, refused, said } = this;
    if (heard) return address === heard.address && port === heard.port;
    if (!said || (refused?.address === address && refused.port === port)) return false;
    if (!this.rule.fromAnywhere && !this.isPeer(said, address)) {
      this.refused = { address, port };
      return false;
    }
    this.heard = { address, port, standing: this.rule.standing(address, port) };
    return true;
  }

  /**
   * Is a valid RTCP packet from this source the peer's? Its port is believed, never its address.
   * @param isProof it tells what only somebody knows to whom our stream went: source addresses can be forged
   */
  acceptsReport(address: string, port: number, isProof: boolean): boolean {
    const { heard, said } = this;
    if (!said) return false;
    if (heard ? address !== heard.address : !this.isPeer(said, address)) return false;
    if (isProof && isSameAddress(said.address, address)) this.isProven = true;
    if (this.reporter?.address !== address) this.reporter = { address, port };
    return true;
  }

  /** At the signalling source, in the trunk's ranges, or at the SDP's address where that may be sent to. */
  private isPeer(said: Said, address: string): boolean {
    return this.rule.isOwn(address) || (said.standing !== 'closed' && isSameAddress(said.address, address));
  }

  private isTried(address: string, nowMs: number): boolean {
    const since = this.unproven.get(address);
    if (since !== undefined) return nowMs - since < UNPROVEN_MS;
    if (this.unproven.size >= UNPROVEN_ADDRESSES_MAX) return false;
    this.unproven.set(address, nowMs);
    return true;
  }
}
