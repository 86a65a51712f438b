/**
 * The call object, one for each leg, as customers know it on every channel (reference 3.5). What the platform doesn't know
 * is null, not left out.
 */
import { accountObject, appMore, entities, numberObject } from './attribution.ts';
import { iso } from './iso.ts';
import { type LegState, legOf, type PublicCall, type PublicLeg } from './public-call.ts';

const CAUSES: Record<number, string> = {
  1: 'UNALLOCATED_NUMBER',
  3: 'NO_ROUTE_DESTINATION',
  16: 'NORMAL_CLEARING',
  17: 'USER_BUSY',
  18: 'NO_USER_RESPONSE',
  19: 'NO_ANSWER',
  21: 'CALL_REJECTED',
  22: 'NUMBER_CHANGED',
  27: 'DESTINATION_OUT_OF_ORDER',
  28: 'INVALID_NUMBER_FORMAT',
  31: 'NORMAL_UNSPECIFIED',
  34: 'NORMAL_CIRCUIT_CONGESTION',
  38: 'NETWORK_OUT_OF_ORDER',
  41: 'NORMAL_TEMPORARY_FAILURE',
  88: 'INCOMPATIBLE_DESTINATION',
  102: 'RECOVERY_ON_TIMER_EXPIRE',
  111: 'PROTOCOL_ERROR',
  127: 'INTERWORKING',
};

/** What readers of earlier events look at; the first word of each pair as in the published examples. */
const SWITCH_STATES: Record<LegState, readonly [call: string, channel: string]> = {
  init: ['DOWN', 'CS_INIT'],
  ringing: ['RINGING', 'CS_ROUTING'],
  live: ['EARLY', 'CS_EXECUTE'],
  hangup: ['DOWN', 'CS_CONSUME_MEDIA'],
  destroyed: ['HANGUP', 'CS_REPORTING'],
};

const isoOrNull = (at: number | undefined) => (at === undefined ? null : iso(at));

/** The uuid of a leg: the call's with the leg number (0 … 65535) in its low 16 bits. Leg 0 is the call itself. */
export const legUuid = (callId: string, leg: number) => callId.slice(0, -4) + leg.toString(16).padStart(4, '0');

/** Whole seconds from answer to end, or to `at`. */
export function secondsOf({ answerOn, hangupOn }: PublicLeg, at: number): number {
  return answerOn === undefined ? 0 : Math.round(((hangupOn ?? at) - answerOn) / 1000);
}

const numberOf = (target: string) => /^(?:sips?|tel):([^@;]+)/.exec(target)?.[1] ?? target;

export const directionOf = ({ leg, outgoing }: PublicLeg) => (leg === 0 && !outgoing ? 'in' : 'out');
export const toOf = ({ to }: PublicLeg) => numberOf(to).replace(/^\+/, '');

/** The number of ours that has to do with the call. Stories of before don't say which: it is taken for what was called. */
function tnOf({ attribution }: PublicCall, leg: PublicLeg) {
  const before = { number: leg.outgoing ? leg.from.replace(/^\+/, '') : toOf(leg), lease: undefined };
  const known = attribution ? attribution.number : before;
  return known ? numberObject(known.number, known.lease) : null;
}

/** One leg without its relations. What the call came by is told of its first leg alone. */
function bare(call: PublicCall, leg: PublicLeg, at: number) {
  const [callState, channelState] = SWITCH_STATES[leg.state];
  const { app, callId, attribution = {} } = call;
  return {
    uuid: legUuid(callId, leg.leg),
    type: 'CallSCA',
    direction: directionOf(leg),
    from: leg.from,
    to: toOf(leg),
    state: leg.state,
    duration: secondsOf(leg, at),
    created_on: iso(leg.initOn),
    modified_on: iso(at),
    init_on: iso(leg.initOn),
    ring_on: isoOrNull(leg.ringOn),
    answer_on: isoOrNull(leg.answerOn),
    hangup_on: isoOrNull(leg.hangupOn),
    destroy_on: isoOrNull(leg.destroyOn),
    finished_on: isoOrNull(leg.destroyOn),
    q850_cause: leg.q850 ?? null,
    q850_cause_string: leg.q850 === undefined ? null : (CAUSES[leg.q850] ?? 'UNSPECIFIED'),
    release_cause_from_protocol_stack: leg.reason ?? null,
    freeswitch_call_state: callState,
    freeswitch_channel_state: channelState,
    stir_shaken_attest_level: null,
    stir_shaken_identity: null,
    tn: leg.leg === 0 ? tnOf(call, leg) : null,
    sip_control_app: {
      uuid: app.appId,
      name: app.name,
      auto_answer: app.autoAnswer,
      max_call_length_min: Math.round(app.maxCallLengthMs / 60_000),
      ...appMore(attribution.app),
    },
    account: accountObject(call.account, attribution.account),
    // One value for all legs of a story, of the published form: 32 hexadecimal digits.
    thread: callId.replaceAll('-', ''),
    ...entities(leg.leg === 0 ? attribution : {}),
    country: null,
    lerg: null,
    hotkey: null,
    batch_item: call.batchItem ?? null,
  };
}

/** Path of the verb that runs; of several, one in another, the innermost. */
function verbOf({ running }: PublicCall): string | null {
  const newest = Object.keys(running).at(-1);
  return newest === undefined ? null : newest.slice(newest.indexOf(' ') + 1);
}

/** The call itself: the object of its first leg. */
export const wholeCallObject = (call: PublicCall): CallObject => callObject(call, legOf(call, 0)!);

export type CallObject = ReturnType<typeof callObject>;

/** The object of one leg, with its parent or its children. `at`: ms since the epoch, up to which it is told. */
export function callObject(call: PublicCall, leg: PublicLeg, at = call.modifiedOn) {
  const caller = legOf(call, 0);
  const isRoot = leg.leg === 0;
  return {
    ...bare(call, leg, at),
    // Who ended the call and why; and what of its flow runs.
    owner: isRoot ? (call.ended?.owner ?? null) : null,
    reason: isRoot ? (call.ended?.reason ?? null) : null,
    verb: isRoot ? verbOf(call) : null,
    parent: isRoot || !caller ? null : bare(call, caller, at),
    children: isRoot ? call.legs.filter(({ leg: n }) => n > 0).map((child) => bare(call, child, at)) : [],
    records: isRoot
      ? call.records.map(({ uuid, durationMs, at: on }) => ({
          uuid,
          duration: Math.round(durationMs / 1000),
          created_on: iso(on),
        }))
      : [],
    logs: isRoot ? call.logs.map(({ at: on, ...log }) => ({ ...log, created_on: iso(on) })) : [],
  };
}
