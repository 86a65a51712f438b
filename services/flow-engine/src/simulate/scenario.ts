/** What a simulated call is given: the document, the people, the servers, the clock. Data; nothing is chosen here. */

import type { FactOf } from '@opentact/proto/events';

export type Callee = 'answers' | 'busy' | 'silent';
export type Home = { state: string; county: string };

export type Scenario = {
  xml: string;
  /** Keys, each pressed a little after the call begins to listen: to the next Gather, to a prompt directly before one, or
   * for one more key of a Gather. */
  press?: string[];
  /** Keys at fixed times, ms after the call arrived. */
  pressAt?: Array<{ at: number; digit: string; way?: 'info' }>;
  from?: string;
  to?: string;
  autoAnswer?: boolean;
  callFlowUrl?: string;
  /** The call is ordered by API: whom it rings runs the document. */
  ordered?: true;
  /** As the outbound voice profile has it: 0, 1 or 2. */
  recordCalls?: number;
  /** How long the app lets a call last; absent: the platform's limit. */
  maxCallLengthMs?: number;
  /** ms after the answer. */
  hangupAfterMs?: number;
  /** ms after the call arrived, answered or not. */
  hangupAtMs?: number;
  callee?: Callee;
  /** By target (`sip:…`), where they differ. */
  callees?: { [target: string]: Callee };
  /** ms that an answering callee stays. */
  calleeStaysMs?: number;
  /** What a customer's server answers; default: 200 without a body. */
  server?: (request: { url: string; method: string }) => { status: number; body: string };
  /** ms since the epoch when the call arrives. */
  at?: number;
  /** Whose the call is, as its object shows it. */
  attribution?: FactOf<'CallArrived'>['attribution'];
  /** IANA name; the account's. */
  timeZone?: string;
  /** Where the caller's number is at home; absent: the state of its area code; null: nobody knows. */
  location?: Home | null;
  /** Whom each group rings. */
  groups?: { [uuid: string]: string[] };
  /** Orders by API, ms after the call arrived. */
  orders?: Array<{ at: number; xml: string }>;
  /** Takes the place of everything above where the world may do one thing or another. */
  choose?: Choose;
  /** Other homes that a chosen world may give the caller's number. */
  homes?: Home[];
  /** Other JSON answers that a chosen world may give to a Curl, by its tag. */
  replies?: ReadonlyMap<string, string[]>;
};

/**
 * Where the world may do one thing or another. `key` is the same where it is asked about the same thing again; the first
 * option is what happens where nobody chooses.
 */
export type Point = { key: string; at: string; options: readonly string[] };

/** The number of an option. */
export type Choose = (point: Point) => number;

/** What happens at a point. */
export function chosen<T>(
  { choose }: Scenario,
  point: { key: string; at: string; options: ReadonlyArray<readonly [name: string, value: T]> },
): T {
  const { key, at, options } = point;
  const n = choose && options.length > 1 ? choose({ key, at, options: options.map(([name]) => name) }) : 0;
  return options[n]![1];
}
