/** What the caller's process is told and what it answers; plain data, since it travels between processes. */

/** `sig`: BYE as soon as answered. `job`: key after the first prompt, waits for our BYE. `hold`: BYE after `holdMs`. */
export type Behaviour = 'sig' | 'job' | 'hold';

export type Order = {
  behaviour: Behaviour;
  sipPort: number;
  user: string;
  /** Calls a second, evenly spaced. */
  rate: number;
  calls: number;
  /** A call that is refused by 503 is made anew, so that so many are accepted. */
  again?: boolean;
  holdMs: number;
  /** Whatever isn't over by then has failed. */
  secondsMax: number;
};

export type Spread = { count: number; p50: number; p99: number; max: number };

/** Times in ms from the first INVITE, by this process's clock as it reads each datagram. */
export type Outcome = {
  started: number;
  completed: number;
  /** Answered 503 before anything else. */
  refused: number;
  /** Everything else that didn't complete, by what it lacked. */
  failed: number;
  why: Record<string, number>;
  inviteRepeats: number;
  byeRepeats: number;
  seconds: number;
  concurrentMax: number;
  answered: Spread;
  /** Until a 503. */
  refusedAfter: Spread;
  firstRtp: Spread;
  /** The first packet of the first prompt: what a person hears first. */
  firstSound: Spread;
  /** From the key's end, as sent, to the second prompt's first packet. */
  digitToSound: Spread;
  rtp: { sent: number; received: number; lost: number; late: number };
  /** CPU of this process, share of one core. */
  callerCpu: number;
  /** How late this process's own timer was at worst, ms: its stamps are no better than that. */
  callerLate: Spread;
};
