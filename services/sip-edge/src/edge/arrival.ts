// A new call: whose it is, CallArrived, 100. No log, no call: what no owner acknowledges within 2 s is answered 503.
// It refuses merged requests, INVITEs beyond 16 KiB, and calls of nobody's number or
// of what is switched off.

import { callIdOfInvite } from '@opentact/proto';
import { dialogOfCallee } from '../stack/dialog/dialog.ts';
import type { HeaderLine } from '../stack/message/build.ts';
import { decimal, GrammarFault } from '../stack/message/grammar.ts';
import { inspect } from '../stack/message/inspect.ts';
import type { SipRequest } from '../stack/message/message.ts';
import { textParamOf } from '../stack/message/params.ts';
import { normalUser, type Uri } from '../stack/message/uri.ts';
import type { ServerTransaction } from '../stack/transaction/server.ts';
import { rememberAccount } from './accounts.ts';
import { RETRY_AFTER_S } from './admission.ts';
import { type CallerLeg, type EdgeCall, newCall, newCallerLeg } from './call.ts';
import { cancelled, refuse } from './caller.ts';
import { ABILITIES, type Context, report, strangerTag, tagOf } from './context.ts';
import { DirectoryAway, type Route } from './port.ts';
import { isWithheld } from './withheld.ts';

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
export function callIdFor(context: Context, invite: SipRequest): string {
  const fromTag = textParamOf(invite.from.params, 'tag') ?? '';
  return callIdOfInvite(context.secret, invite.callId, fromTag, invite.cseq.number);
}

/** What every answer to an INVITE carries. */
export function callLine(callId: string): HeaderLine {
  return ['X-Opentact-Call-Id', callId];
}

export function arrive(context: Context, server: ServerTransaction): void {
  const { request } = server;
  const callId = callIdFor(context, request);
  // A leg's tag is for whoever has a leg: nobody learns it before the story does.
  server.identify(strangerTag(context, request), [callLine(callId)]);
  const known = context.calls.get(callId);
  if (known) return repeated(known, server);
  const refusal = inspect(request, ABILITIES);
  if (refusal) return void server.respond(refusal.status, refusal);
  if (request.raw.length > INVITE_BYTES_MAX) return void server.respond(513);
  context.trace.open(callId, request.callId);
  const { address, port } = server.arrival.source;
  context.trace.note(request.callId, 'in', `${address}:${port}`, request.raw, Date.now());
  const call = newCall(callId);
  const tag = tagOf(context, callId, 0);
  const leg = newCallerLeg(call, tag, server);
  try {
    leg.dialog = dialogOfCallee(request, tag);
  } catch (error) {
    if (!(error instanceof GrammarFault)) throw error;
    return void server.respond(400, { reason: error.message });
  }
  context.clock.after(TRYING_MS, () => trying(leg));
  call.legs.set(0, leg);
  context.calls.set(callId, call);
  server.listener = { cancelled: (cancel) => cancelled(context, leg, cancel) };
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
  if (!same || leg.others.length === OTHERS_MAX) return void server.respond(482);
  server.identify(leg.server.tag!, [callLine(call.id)]);
  leg.others.push(server);
  server.respond(leg.said?.status ?? 100, leg.said?.options);
}

/** 100, unless something better was said. */
function trying(leg: CallerLeg): void {
  if (leg.state === 'arrived' && !leg.said) leg.server?.respond(100);
}

async function admit(context: Context, leg: CallerLeg): Promise<void> {
  const { call } = leg;
  const server = leg.server!;
  let route: Route | undefined;
  try {
    route = await context.directory.route(questionOf(server, leg.call.id));
  } catch (error) {
    if (!(error instanceof DirectoryAway)) throw error;
    if (call.adoptedAt > 0) return;
    return refuse(context, leg, 503, 41, [RETRY_AFTER]);
  }
  if (leg.state === 'ended' || call.adoptedAt > 0) return;
  if (!route) return refuse(context, leg, 404, 1);
  if (route.inactive) return refuse(context, leg, 480, 41);
  const refusal = takePlace(context, leg, server, route);
  call.told = true;
  name(leg, server, leg.tag);
  const told = report(context, call.id, {
    ...factOf(leg.tag, server, route),
    ...(refusal === undefined ? {} : { refusal }),
  });
  const unheard = () => {
    if (leg.state === 'arrived') name(leg, server, strangerTag(context, server.request));
    refuse(context, leg, 503, 41, [RETRY_AFTER]);
  };
  const stop = context.clock.after(OWNER_PATIENCE_MS, () => {
    context.log.warn({ callId: call.id }, 'no owner took the call in time');
    unheard();
  });
  // Where the owner refuses to know the call, `gone` releases it.
  told.then(() => trying(leg)).catch(() => {});
  await told.finally(stop).catch(unheard);
}

/** The To tag of every answer from here on. */
function name({ call, others }: CallerLeg, server: ServerTransaction, tag: string): void {
  for (const each of [server, ...others]) each.identify(tag, [callLine(call.id)]);
}

function questionOf({ request, arrival }: ServerTransaction, callId: string) {
  const host = request.uri.kind === 'sip' ? request.uri.host : '';
  const user = normalUser(userOf(request.uri));
  return {
    user,
    host,
    fromUser: normalUser(userOf(request.from.uri)),
    callerWithheld: isWithheld(request),
    sourceAddress: `${arrival.source.address}:${arrival.source.port}`,
    callId,
  };
}

function userOf(uri: Uri): string {
  return uri.kind === 'sip' ? (uri.user ?? '') : uri.rest;
}

/** Counts the call for its account. Why the flow must not run, or undefined. */
function takePlace(context: Context, { call }: CallerLeg, server: ServerTransaction, route: Route): string | undefined {
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
  return {
    type: 'CallArrived',
    accountId: route.accountId,
    fromNumber: userOf(request.from.uri),
    toNumber: userOf(request.uri),
    app: route.app,
    invite: request.raw,
    transport: arrival.peer.transport,
    sourceAddress: `${arrival.source.address}:${arrival.source.port}`,
    localTag: tag,
    sdp: request.body.toString('utf8'),
    topBranch: request.via.branch,
    requestUri: request.uriText,
    sipCallId: request.callId,
  } as const;
}
