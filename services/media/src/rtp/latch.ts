// Symmetric RTP: decides which source a session listens to and answers. The window opens with the first media.
// It refuses to move after two seconds, however valid the packets look: a late stranger is an intruder.

export const LATCH_WINDOW_MS = 2000;

export class Latch {
  /** Where we send: the SDP's address until a source proved itself. Empty: not known yet. */
  address = '';
  port = 0;
  private saidAddress = '';
  private saidPort = 0;
  private openedAtMs = -1;
  private settled = false;

  /** The peer's SDP named a (new) place; the choice begins anew if the place changed. */
  aim(address: string, port: number): void {
    if (address === this.saidAddress && port === this.saidPort) return;
    this.saidAddress = this.address = address;
    this.saidPort = this.port = port;
    this.openedAtMs = -1;
    this.settled = false;
  }

  /** Media begins: from now on the window runs. Calling it again changes nothing. */
  open(nowMs: number): void {
    if (this.openedAtMs < 0) this.openedAtMs = nowMs;
  }

  /**
   * Whether a valid packet from this source is the peer's. The place that the SDP named is believed at once and for
   * good; the first other source only until that place is heard, for an old call's phone may still send to this port.
   */
  accepts(address: string, port: number, nowMs: number): boolean {
    if (this.saidPort === 0) return false;
    if (this.settled) return this.is(address, port);
    this.open(nowMs);
    const inWindow = nowMs - this.openedAtMs <= LATCH_WINDOW_MS;
    const hasOther = this.address !== this.saidAddress || this.port !== this.saidPort;
    const named = address === this.saidAddress && port === this.saidPort;
    if (named && (inWindow || !hasOther)) {
      this.aimAt(address, port);
      this.settled = true;
    } else if (!inWindow) this.settled = hasOther;
    else if (!hasOther) this.aimAt(address, port);
    return (this.settled || inWindow) && this.is(address, port);
  }

  private is(address: string, port: number): boolean {
    return address === this.address && port === this.port;
  }

  private aimAt(address: string, port: number): void {
    this.address = address;
    this.port = port;
  }
}
