// The RTP ports of one worker: even ports, their odd neighbours for RTCP (RFC 3550 section 11).
// It refuses to hand out a port again at once: the longest free one goes first, since old packets may still come.

export class PortPool {
  private readonly free: number[] = [];

  /** Ports from `first` to `last`, both included. */
  constructor(first: number, last: number) {
    for (let port = first + (first & 1); port + 1 <= last; port += 2) this.free.push(port);
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

/** The `index`th of `count` equal slices of `10000-19999`. @throws RangeError where the text is no range of ports */
export function portSlice(range: string, index: number, count: number): { first: number; last: number } {
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(range.trim());
  const first = Number(match?.[1]);
  const last = Number(match?.[2]);
  if (!match || first < 1024 || last > 65_535 || last - first < 2 * count - 1)
    throw new RangeError(`OPENTACT_RTP_PORTS: ${range} is no range of at least ${2 * count} ports`);
  const pairs = Math.floor((last - first + 1) / 2 / count);
  const start = first + (first & 1) + index * 2 * pairs;
  return { first: start, last: Math.min(last, start + 2 * pairs - 1) };
}
