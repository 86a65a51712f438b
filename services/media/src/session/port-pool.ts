// The RTP ports of one worker: even ports, their odd neighbours for RTCP (RFC 3550 section 11).
// It refuses to hand out a port again at once: the longest free one goes first, since old packets may still come.

export class PortPool {
  private readonly free: number[] = [];

  /**
   * Ports from `first` to `last`, both included.
   * @param share 0 … 1: where in the range to begin, so that several processes with one range rarely meet
   */
  constructor(first: number, last: number, share = 0) {
    for (let port = first + (first & 1); port + 1 <= last; port += 2) this.free.push(port);
    this.free.push(...this.free.splice(0, Math.floor(share * this.free.length)));
  }

  get available(): number {
    return this.free.length;
  }

  take(): number | undefined {
    return this.free.shift();
  }

  give(port: number): void {
    this.free.push(port);
  }
}

/** The `index`th of `count` equal shares of a range. @throws RangeError where there is no pair for each */
export function portShare(
  range: { first: number; last: number },
  index: number,
  count: number,
): { firstPort: number; lastPort: number } {
  const first = range.first + (range.first & 1);
  const pairs = Math.floor((range.last - first + 1) / 2 / count);
  if (pairs < 1) throw new RangeError(`OPENTACT_RTP_PORTS holds fewer than ${count} pairs of ports`);
  const firstPort = first + index * 2 * pairs;
  return { firstPort, lastPort: firstPort + 2 * pairs - 1 };
}
