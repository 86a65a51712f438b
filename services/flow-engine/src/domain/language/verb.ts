/** The parsed language: plain JSON, recorded in `DocumentAccepted.verbs`. A change of shape is a new LANGUAGE_VERSION. */
import type { PlayItem } from '@opentact/proto/events';

export const LANGUAGE_VERSION = 1;

/** A number whose digits a double doesn't keep: `2.50`, `9196877626998785`. `digits` is a number of JSON (RFC 8259 6). */
export type Digits = { digits: string };

/** A value of a Meta variable, typed as it was written (reference section 4.17). */
export type Scalar = string | number | boolean | null | Digits;
export type Variables = { [name: string]: Scalar };

/** `index` counts among same-named siblings; with the name it is the verb's path segment, `Say[0]`. `meta` is set when
 * the verb starts. */
type Common = { index: number; tag: string; meta?: Variables };

/** Which legs hear it: the caller's, that of whom the caller was connected to, or both. */
export type LegName = 'aleg' | 'bleg' | 'both';

export type Say = Common & {
  name: 'Say';
  text: string;
  voice: string;
  gender: string;
  lang: string;
  loop: number;
  /** WaveNet or Standard; absent: Standard. */
  kind?: string;
};
/** `recording` is the tag of an earlier Record; exactly one source is set. `leg` absent: aleg. */
export type Play = Common & {
  name: 'Play';
  item?: PlayItem;
  recording?: string;
  loop: number;
  leg?: LegName;
  error?: Verb[];
};
export type Tone = Common & {
  name: 'Tone';
  hz: number[];
  onMs: number;
  offMs: number;
  /** On and off so often in one loop (the `x` notation). */
  cycles: number;
  volumeDb: number;
  loop: number;
  timeoutMs: number;
  leg: LegName;
};
export type Pause = Common & { name: 'Pause'; lengthMs: number; stopKeys: string };
export type Prompt = Say | Play | Pause;

/** `digits` is what must have been entered. `segment` is its path segment: `Case[1]` or `DTMF[0]`. */
export type Branch = { segment: string; digits: string; verbs: Verb[] };
export type Gather = Common & {
  name: 'Gather';
  digitsMax: number;
  finishKeys: string;
  timeoutMs: number;
  attempts: number;
  prompts: Prompt[];
  branches: Branch[];
  default?: Verb[];
  error?: Verb[];
  /** Asked for the next document when no branch matches (B), or after each attempt (A). */
  remote?: { url: string; method: 'GET' | 'POST'; eachAttempt: boolean };
};
export type Record = Common & { name: 'Record'; timeoutMs: number; verbs?: Verb[]; error?: Verb[]; asr?: boolean };
/** Records the caller and what he hears while the flow goes on. */
export type RecordStart = Common & { name: 'RecordStart'; asr: boolean };
/** `tag` empty: every recording that a RecordStart began. */
export type RecordStop = Common & { name: 'RecordStop' };
export type RecordWait = Common & { name: 'RecordWait'; timeoutMs: number };
/** `uri` is `sip:…`, `tel:…` or `group:UUID`. */
export type Target = { uri: string };
export type Dial = Common & {
  name: 'Dial';
  targets: Target[];
  timeoutMs: number;
  from: string;
  record: boolean;
  /** The call ends when the callee hangs up. */
  hangupOnBye?: boolean;
  error?: Verb[];
};
export type Callback = Common & {
  name: 'Callback';
  url: string;
  method: string;
  body: boolean;
  timeoutMs: number;
  error?: Verb[];
};
export type Redirect = Common & { name: 'Redirect'; url: string; method: string };
export type Reject = Common & { name: 'Reject'; reason: 'busy' | 'rejected' };
export type Hangup = Common & { name: 'Hangup' };
export type Answer = Common & { name: 'Answer'; delayMs: number };
/** Waits until an order begins with Unhold, or for its time; `prompts` absent: music. */
export type Hold = Common & { name: 'Hold'; timeoutMs: number; prompts?: Prompt[] };
export type Unhold = Common & { name: 'Unhold' };
/** A block of verbs that runs where its condition holds. */
export type CallBlock = Common & { name: 'Call'; field: string; value: Scalar; verbs: Verb[] };
/** No states and no county: always. */
export type Geo = Common & { name: 'Geo'; states: string[]; county: string; verbs: Verb[] };
/** `days` 0 (Sunday) … 6; empty: every day. `from` and `to` in seconds of the day, both inclusive; absent: all day.
 * `timeZone` empty: the account's. */
export type Schedule = Common & {
  name: 'Schedule';
  days: number[];
  time?: { from: number; to: number };
  timeZone: string;
  verbs: Verb[];
};
/** Sets variables where it stands among verbs; they are in `meta`. */
export type Meta = Common & { name: 'Meta' };
export type Curl = Common & {
  name: 'Curl';
  url: string;
  method: string;
  timeoutMs: number;
  /** Sent as it stands; absent: none, or the `meta` as JSON where the method has a body. */
  body?: string;
  /** The call object as the body. */
  sendsCall?: boolean;
  headers: Array<{ name: string; value: string }>;
  error?: Verb[];
};

/** Not of the language: an order by API connects the call to another (`hosts`: this call makes the bridge). */
export type Bridge = Common & { name: 'Bridge'; peer: string; hosts: boolean };
export type Verb =
  | Say
  | Play
  | Tone
  | Pause
  | Gather
  | Record
  | RecordStart
  | RecordStop
  | RecordWait
  | Dial
  | Callback
  | Curl
  | Redirect
  | Reject
  | Hangup
  | Answer
  | Hold
  | Unhold
  | CallBlock
  | Geo
  | Schedule
  | Meta
  | Bridge;
export type VerbName = Verb['name'];
export type VerbOf<N extends VerbName> = Extract<Verb, { name: N }>;

/** A whole document. `error` stands at Response level and serves the first failure without a nearer handler. */
export type Document = { verbs: Verb[]; error?: Verb[] };
