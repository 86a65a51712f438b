/** The parsed language: plain JSON, recorded in `DocumentAccepted.verbs`. A change of shape is a new LANGUAGE_VERSION. */
import type { PlayItem } from '@opentact/proto/events';

export const LANGUAGE_VERSION = 1;

/** `index` counts among same-named siblings; with the name it is the verb's path segment, `Say[0]`. */
type Common = { index: number; tag: string };

export type Say = Common & { name: 'Say'; text: string; voice: string; gender: string; lang: string; loop: number };
/** `recording` is the tag of an earlier Record; exactly one source is set. */
export type Play = Common & { name: 'Play'; item?: PlayItem; recording?: string; loop: number; error?: Verb[] };
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
export type Record = Common & { name: 'Record'; timeoutMs: number; verbs?: Verb[]; error?: Verb[] };
/** `uri` is `sip:…` or `tel:…`. */
export type Target = { uri: string };
export type Dial = Common & {
  name: 'Dial';
  targets: Target[];
  timeoutMs: number;
  from: string;
  record: boolean;
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

export type Verb = Say | Play | Pause | Gather | Record | Dial | Callback | Redirect | Reject | Hangup | Answer;
export type VerbName = Verb['name'];
export type VerbOf<N extends VerbName> = Extract<Verb, { name: N }>;

/** A whole document. `error` stands at Response level and serves the first failure without a nearer handler. */
export type Document = { verbs: Verb[]; error?: Verb[] };
