/**
 * A call as customers see it: what its public object and what is told of its changes need of its past. It holds no document,
 * no SDP and no key that was pressed, and it grows with nothing but the legs.
 */
import type { App, Attribution } from '../events.ts';
import type { UnderWay } from './under-way.ts';

export type LegState = 'init' | 'ringing' | 'live' | 'hangup' | 'destroyed';

/** Times are ms since the epoch. */
export type PublicLeg = {
  leg: number;
  /** Leg 0 of a call that was ordered by API: it was rung by us. */
  outgoing?: true;
  from: string;
  to: string;
  state: LegState;
  initOn: number;
  ringOn?: number;
  answerOn?: number;
  hangupOn?: number;
  destroyOn?: number;
  q850?: number;
  /** Why it ended, in the words of the journal. */
  reason?: string;
};

/** An executed verb. */
export type CommandLog = { at: number; name: string; path: string; success: boolean; reason: string; tag: string };

/** Plain data, so that it lies in a snapshot as JSON. `legs` in the order of their beginning, the caller's first. */
export type PublicCall = {
  callId: string;
  account: string;
  /** When something of it changed last, and by which event. */
  modifiedOn: number;
  seq: number;
  app: Pick<App, 'appId' | 'name' | 'autoAnswer' | 'maxCallLengthMs'>;
  /** Absent in stories from before it was told, and then not known. */
  attribution?: Attribution;
  legs: PublicLeg[];
  /** When each running verb began, by document and path. */
  running: Record<string, number>;
  /**
   * The legs of each bridge that was asked for and is not known to stand, by the request's `seq`. The second leg is another
   * call's where it is a uuid.
   */
  bridges: Record<number, [number, number | string]>;
  /** Of the bulk order that it was made by. */
  batchItem?: string;
  logs: CommandLog[];
  /** Verbs that were told of so far. */
  verbs?: number;
  records: Array<{ uuid: string; durationMs: number; at: number }>;
  /** Absent in what older notifiers remembered. */
  underWay?: UnderWay;
  /** Who ended it, and why in the words of the journal. */
  ended?: { owner: string; reason: string };
  /** Leg 0 was answered, and no verb ran since that would tell it. */
  isAnswerUntold?: true;
  /** Over, and remembered only until what is under way is told of: then its last event is. */
  isOver?: true;
};

/** The newest of each list; a call may go on for hours. */
export const KEPT_MAX = 20;
const RUNNING_MAX = 64;

/** Texts of documents and phones may be long; customers are told their beginning. */
const TEXT_MAX = 200;
export const short = (text: string) => (text.length > TEXT_MAX ? text.slice(0, TEXT_MAX).toWellFormed() : text);

export const newest = <T>(list: T[], one: T): T[] => [...list, one].slice(-KEPT_MAX);

export const verbKey = ({ document, path }: { document: number; path: string }) => `${document} ${short(path)}`;

/** A verb that was cut off never ends; the oldest such is forgotten. */
export function withVerb(running: PublicCall['running'], key: string, at: number): PublicCall['running'] {
  const { [key]: _, ...others } = running;
  return Object.fromEntries([...Object.entries(others), [key, at] as const].slice(-RUNNING_MAX));
}

export const legOf = (call: PublicCall, leg: number) => call.legs.find((one) => one.leg === leg);

export function withLeg(call: PublicCall, changed: PublicLeg): PublicCall {
  const known = call.legs.some(({ leg }) => leg === changed.leg);
  const legs = known ? call.legs.map((one) => (one.leg === changed.leg ? changed : one)) : [...call.legs, changed];
  // The caller's leg stays, however many were dialled; of the others those that are over go first.
  const spare = legs.length > KEPT_MAX ? legs.findIndex(({ leg, state }) => leg > 0 && state === 'destroyed') : -1;
  return { ...call, legs: legs.filter((_, n) => n !== spare) };
}

/** A call of which everything is empty: which fields there are. */
export const SAMPLE: PublicCall = {
  callId: '00000000-0000-8000-8000-000000000000',
  account: '',
  modifiedOn: 0,
  seq: 0,
  app: { appId: '', name: '', autoAnswer: false, maxCallLengthMs: 0 },
  legs: [{ leg: 0, from: '', to: '', state: 'init', initOn: 0 }],
  running: {},
  bridges: {},
  logs: [],
  records: [],
};
