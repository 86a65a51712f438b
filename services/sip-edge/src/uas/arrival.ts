// A new call: whose it is, CallArrived, 100. No log, no call: what no owner acknowledges within 2 s is answered 503.
// It refuses merged requests, INVITEs beyond 16 KiB, calls of nobody's number or of what is switched off, and those of a
// source beyond its share; of what it refuses nothing is kept.

import { callIdOfInvite } from '@opentact/proto';
import { rememberAccount } from '../admission/accounts.ts';
import { RETRY_AFTER_S } from '../admission/overload.ts';
import { type CallerLeg, type EdgeCall, newCall, newCallerLeg } from '../edge/call.ts';
import { type Context, letGoOfInvite, report, strangerTag, tagOf } from '../edge/context.ts';
import { mediaPeerOf } from '../edge/media-peer.ts';
import { DirectoryAway, type Route, type RouteQuestion } from '../edge/port.ts';
import { withoutCredentials } from '../edge/trace.ts';
import { dialogOfCallee } from '../stack/dialog/dialog.ts';
import { sdpOf } from '../stack/message/bodies.ts';
import type { HeaderLine } from '../stack/message/build.ts';
import { decimal, GrammarFault } from '../stack/message/grammar.ts';
import { inspect } from '../stack/message/inspect.ts';
import type { SipRequest } from '../stack/message/message.ts';
import { textParamOf } from '../stack/message/params.ts';
import { subscriberOf } from '../stack/message/uri.ts';
import type { ServerTransaction } from '../stack/transaction/server.ts';
import { type Arrival, formatAddress } from '../stack/transport/peer.ts';
import { cancelled, refuse } from './caller.ts';
import { isCallerIdRestricted } from './caller-id.ts';

/**
 * 100 is due by then (RFC 3261 17.2.1). It is said as soon as the call is in the log and not before, since a phone that
 * heard it never sends its INVITE again: until then an edge may die and the phone begins anew at another.
 */
export const TRYING_MS = 200;
export const OWNER_PATIENCE_MS = 2_000;
const OTHERS_MAX = 4;
const INVITE_BYTES_MAX = 16 * 1024;
const HOPS_HEADER = 'x-opentact-hops';

export const RETRY_AFTER: HeaderLine = ['Retry-After', String(RETRY_AFTER_S)];

/** The call that an INVITE outside a dialog begins. */
export function callIdFor(context: Pick<Context, 'secret'>, invite: SipRequest): string {
  const fromTag = textParamOf(invite.from.params, 'tag') ?? '';
  return callIdOfInvite(context.secret, invite.callId, fromTag, invite.cseq.number);
}

/** What every answer to an INVITE carries. */
export function callLine(callId: string): HeaderLine {
  return ['X-Opentact-Call-Id', callId];
}

/**
 * Is the call beyond what its source may begin, or try? Judged before anything is kept and anybody is asked: by what is
 * remembered of the address it calls.
 */
export function isBeyondRate(
  context: Pick<Context, 'arrivals' | 'clock' | 'directory' | 'network'>,
  request: SipRequest,
  arrival: Arrival,
): boolean {
  const { arrivals, clock, directory, network } = context;
  const { address } = arrival.source;
  const route = directory.known(questionOf(request, arrival, '', network.advertise.address));
  if (!route) return !arrivals.tries(address, isOwn(context, address), clock.nowMs());
  return !arrivals.mayBegin(route.accountId, address, isKnown(context, address, route), clock.nowMs());
}

export function arrive(context: Context, server: ServerTransaction): void {
  const { request } = server;
  const callId = callIdFor(context, request);
  // A leg's tag is for whoever has a leg: nobody learns it before the story does.
  server.identify(strangerTag(context, request), [callLine(callId)]);
  const known = context.calls.get(callId);
  if (known) return repeated(known, server);
  const refusal = inspect(request, context.abilities);
  if (refusal) return server.reject(refusal.status, refusal);
  if (request.raw.length > INVITE_BYTES_MAX) return server.reject(513);
  const call = newCall(callId);
  const tag = tagOf(context, callId, 0);
  const leg = newCallerLeg(call, tag, server);
  try {
    leg.dialog = dialogOfCallee(request, tag);
  } catch (error) {
    if (!(error instanceof GrammarFault)) throw error;
    return server.reject(400, { reason: error.message });
  }
  context.clock.after(TRYING_MS, () => trying(leg));
  call.legs.set(0, leg);
  context.calls.set(callId, call);
  server.listener = { cancelled: (cancel) => cancelled(context, leg, cancel), ended: () => letGoOfInvite(leg) };
  void admit(context, leg).catch((error: Error) => {
    context.log.error({ callId, error: error.message }, 'a new call failed');
    refuse(context, leg, 500, 41);
  });
}

/**
 * The same call again. By the same branch and address it is a repetition that came another way (a new connection, a
 * transaction long over) and is told what was said before; by others it went around (RFC 3261 8.2.2.2).
 */
function repeated(call: EdgeCall, server: ServerTransaction): void {
  const leg = call.legs.get(0);
  // Held here only by a leg that it dialled, or answered long ago: whoever answered this INVITE does so again, or nobody.
  if (leg?.kind !== 'caller' || !leg.server) return server.drop();
  const first = leg.server.request;
  const { request } = server;
  const same = first.via.branch === request.via.branch && first.uriText === request.uriText;
  if (!same || leg.others.length === OTHERS_MAX) return server.reject(482);
  server.identify(leg.server.tag!, [callLine(call.id)]);
  leg.others.push(server);
  server.respond(leg.said?.status ?? 100, leg.said?.options);
}

/** 100, unless something better was said. */
function trying(leg: CallerLeg): void {
  if (leg.state !== 'arrived' || leg.said) return;
  leg.said = { status: 100, options: {} };
  leg.server?.respond(100);
}

async function admit(context: Context, leg: CallerLeg): Promise<void> {
  const { call } = leg;
  const server = leg.server!;
  const { address } = server.arrival.source;
  const question = questionOf(server.request, server.arrival, call.id, context.network.advertise.address);
  const isTry = context.directory.known(question) === undefined;
  let route: Route | undefined;
  try {
    route = await context.directory.route(question);
  } catch (error) {
    if (!(error instanceof DirectoryAway)) throw error;
    if (call.adoptedAt > 0) return;
    return refuse(context, leg, 503, 41, [RETRY_AFTER]);
  }
  if (isTry && route && (route.media || route.refusal === undefined))
    context.arrivals.found(address, isOwn(context, address));
  if (route?.media) context.arrivals.isPeer(address);
  if (leg.state === 'ended' || call.adoptedAt > 0) return;
  if (!route) return refuse(context, leg, 404, 1);
  if (route.inactive) return refuse(context, leg, 480, 41);
  // Full since it was admitted: others were quicker with their look-ups.
  if (context.setups.isFull() || !begins(context, server, route)) return refuse(context, leg, 503, 42, [RETRY_AFTER]);
  const refusal = takePlace(context, leg, server, route);
  if (refusal === undefined && !hasShare(context, call, server, route))
    return refuse(context, leg, 503, 42, [RETRY_AFTER]);
  call.told = true;
  beginTrace(context, call, server);
  name(leg, server, leg.tag);
  const isSetUp = beginSetup(context, call.id);
  const told = report(context, call.id, {
    ...factOf(leg.tag, server, route),
    ...(refusal === undefined ? {} : { refusal }),
  });
  const unheard = () => {
    if (leg.state === 'arrived') name(leg, server, strangerTag(context, server.request));
    refuse(context, leg, 503, 41, [RETRY_AFTER]);
  };
  const stop = context.clock.after(OWNER_PATIENCE_MS, () => {
    isSetUp();
    context.log.warn({ callId: call.id }, 'no owner took the call in time');
    unheard();
  });
  // Where the owner refuses to know the call, `gone` releases it.
  told.then(() => trying(leg)).catch(() => {});
  await told.finally(isSetUp).finally(stop).catch(unheard);
}

/**
 * The call is being set up until what is returned is called. One whose owner isn't there waits for a takeover, which says
 * nothing of how busy the platform is: it takes no place from calls that have their owner.
 */
function beginSetup({ clock, link, setups }: Pick<Context, 'clock' | 'link' | 'setups'>, callId: string): () => void {
  if (!link.ready(callId)) return () => {};
  const beganMs = clock.nowMs();
  let isUnderWay = true;
  setups.began();
  return () => {
    if (isUnderWay) setups.ended(beganMs, clock.nowMs());
    isUnderWay = false;
  };
}

/** The To tag of every answer from here on. */
function name({ call, others }: CallerLeg, server: ServerTransaction, tag: string): void {
  for (const each of [server, ...others]) each.identify(tag, [callLine(call.id)]);
}

function questionOf(request: SipRequest, arrival: Arrival, callId: string, own: string): RouteQuestion {
  // A number without a host is one of ours, or nobody's.
  const host = request.uri.kind === 'sip' ? request.uri.host : own;
  const { user } = subscriberOf(request.uri);
  return {
    user,
    host,
    fromUser: subscriberOf(request.from.uri).user,
    callerWithheld: isCallerIdRestricted(request),
    sourceAddress: `${arrival.source.address}:${arrival.source.port}`,
    callId,
  };
}

/** Within the rate at which its source and strangers together may begin calls: each is written, whatever becomes of it. */
function begins(
  context: Pick<Context, 'arrivals' | 'clock' | 'network'>,
  { arrival }: ServerTransaction,
  route: Route,
): boolean {
  const { address } = arrival.source;
  return context.arrivals.begin(route.accountId, address, isKnown(context, address, route), context.clock.nowMs());
}

/** Do we call ourselves? */
const isOwn = ({ network }: Pick<Context, 'network'>, address: string) => address === network.advertise.address;

/** A trunk's or connection's, or our own. */
function isKnown(context: Pick<Context, 'network'>, address: string, route: Route): boolean {
  return route.media !== undefined || isOwn(context, address);
}

/**
 * Is the source within its part of the account's calls that are set up or wait for an ACK? A trunk or connection, which
 * the Directory tells media ranges of, brings the calls of many.
 */
function hasShare(
  context: Pick<Context, 'limits'>,
  call: EdgeCall,
  { arrival }: ServerTransaction,
  route: Route,
): boolean {
  if (route.media) return true;
  const { address } = arrival.source;
  if (!context.limits.begin(route.accountId, address, route.callsMax)) return false;
  call.unconfirmedBy = address;
  return true;
}

/** A call's messages are kept from its admission on. */
function beginTrace({ trace }: Pick<Context, 'trace'>, call: EdgeCall, { request, arrival }: ServerTransaction): void {
  trace.open(call.id, request.callId);
  trace.note(request.callId, 'in', formatAddress(arrival.source), request.raw, Date.now());
}

/** Counts the call for its account. Why the flow must not run, or undefined. */
function takePlace(
  context: Pick<Context, 'limits' | 'accounts'>,
  { call }: CallerLeg,
  server: ServerTransaction,
  route: Route,
): string | undefined {
  call.accountId = route.accountId;
  call.appId = route.app?.appId ?? '';
  call.dialsPerMinuteMax = route.dialsPerMinuteMax;
  call.hops = decimal(server.request.headers.get(HOPS_HEADER) ?? '', 99) ?? 0;
  rememberAccount(context, route.accountId, route);
  if (route.refusal !== undefined) return route.refusal;
  call.counted = context.limits.enter(route.accountId, route.callsMax);
  return call.counted ? undefined : 'call-limit';
}

function factOf(tag: string, { request, arrival }: ServerTransaction, route: Route) {
  const [from, to] = [subscriberOf(request.from.uri), subscriberOf(request.uri)];
  return {
    type: 'CallArrived',
    accountId: route.accountId,
    fromNumber: from.user,
    toNumber: to.user,
    ...(from.parameters && { fromParameters: from.parameters }),
    ...(to.parameters && { toParameters: to.parameters }),
    app: route.app,
    invite: withoutCredentials(request.raw),
    transport: arrival.peer.transport,
    sourceAddress: `${arrival.source.address}:${arrival.source.port}`,
    localTag: tag,
    sdp: sdpOf(request),
    topBranch: request.via.branch,
    requestUri: request.uriText,
    sipCallId: request.callId,
    media: mediaPeerOf(arrival.source.address, route.media),
    ...(route.attribution && { attribution: route.attribution }),
  } as const;
}
