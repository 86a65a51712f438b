// Where a dialled leg goes and who it is from: a SIP address as it stands, one of our own numbers, or the account's trunk.
// It refuses addresses that may not be dialled, checked after resolving, callers that aren't the account's to show, and more
// than three passes through ourselves.

import { isIPv6 } from 'node:net';
import { type CallEvent, type FactOf, legUuid } from '@opentact/proto';
import { trunkOf } from '../admission/accounts.ts';
import type { EdgeCall, Target } from '../edge/call.ts';
import type { Context, TargetLookUp } from '../edge/context.ts';
import { type CallerNamed, DirectoryAway, type Reached } from '../edge/port.ts';
import type { HeaderLine } from '../stack/message/build.ts';
import { GrammarFault } from '../stack/message/grammar.ts';
import { parseNameAddr } from '../stack/message/name-addr.ts';
import { paramOf } from '../stack/message/params.ts';
import { formatUri, parseUri, type SipUri, subscriberOf } from '../stack/message/uri.ts';
import { formatAddress } from '../stack/transport/peer.ts';
import type { Asker, Endpoint } from './resolve.ts';

export const HOPS_MAX = 3;
const OF_THE_WAY = ['transport', 'maddr', 'ttl', 'lr', 'method'];

/** Why a leg can't be dialled at all, as `DialFailed` says it. */
export type NoTarget = { readonly reason: string; readonly q850: number };

type Dial = CallEvent<FactOf<'DialRequested'>>;

/** A Directory that is being started again is waited for while the call rings nobody yet: 24 s, and what it takes to ask. */
const AWAY_TRIES = 60;
const AWAY_WAIT_MS = 400;

export async function findTarget(context: TargetLookUp, call: EdgeCall, ask: Dial): Promise<Target | NoTarget> {
  for (let tries = 1; ; tries++) {
    const found = await lookUp(context, call, ask);
    if (found) return found;
    const leg = call.legs.get(ask.leg);
    if (tries === AWAY_TRIES || leg?.hangup || leg?.state === 'ended') return { reason: 'unreachable', q850: 41 };
    await new Promise<void>((done) => void context.clock.after(AWAY_WAIT_MS, done));
  }
}

/** Undefined: the Directory is away. */
async function lookUp(context: TargetLookUp, call: EdgeCall, ask: Dial): Promise<Target | NoTarget | undefined> {
  try {
    return ask.target.startsWith('tel:') ? await byNumber(context, call, ask) : await byAddress(context, call, ask);
  } catch (error) {
    if (error instanceof GrammarFault) return { reason: 'bad-target', q850: 28 };
    if (error instanceof DirectoryAway) return undefined;
    throw error;
  }
}

async function byAddress(context: TargetLookUp, call: EdgeCall, ask: Dial): Promise<Target | NoTarget> {
  const uri = parseUri(ask.target);
  if (uri.kind !== 'sip' || uri.scheme !== 'sip' || uri.headers !== undefined)
    return { reason: 'bad-target', q850: 28 };
  const place = await placeFor(context, uri, { of: ask.accountId, isTrunk: false });
  return 'reason' in place ? place : reach(context, call, ask, uri, place);
}

type Place = Pick<Target, 'endpoint' | 'transport' | 'addresses'>;

/** Where an address is, resolved and within what may be dialled. */
async function placeFor(context: TargetLookUp, uri: SipUri, asker: Asker): Promise<Place | NoTarget> {
  const transport = paramOf(uri.params, 'transport')?.toLowerCase();
  if (transport !== undefined && transport !== 'udp' && transport !== 'tcp') return { reason: 'unreachable', q850: 3 };
  const found = await context.resolve(uri.host, uri.port, transport ?? 'udp', asker);
  if (found.length === 0) return { reason: 'unreachable', q850: 3 };
  const allowed = found.filter(
    ({ address, port }) => isOwn(context, { address, port }) || context.allowed(address, port),
  );
  if (allowed.length === 0) return { reason: 'refused-address', q850: 21 };
  const family = isIPv6(context.network.advertise.address);
  const endpoint = allowed.find(({ address }) => isIPv6(address) === family);
  const addresses = found.map(({ address }) => address);
  return endpoint ? { endpoint, transport, addresses } : { reason: 'unreachable', q850: 3 };
}

/** An address that nobody reserves for: the Directory says whether it is a trunk's after all, and who is shown there. */
async function reach(
  context: TargetLookUp,
  call: EdgeCall,
  ask: Dial,
  uri: SipUri,
  place: Place,
): Promise<Target | NoTarget> {
  const { endpoint } = place;
  const own = isOwn(context, endpoint);
  if (own && call.hops >= HOPS_MAX) return { reason: 'no-route', q850: 25 };
  const address = own ? '' : formatAddress(endpoint);
  const asked = { accountId: ask.accountId, address, ...callerNamed(call, ask) };
  const found = await context.directory.reach(asked).catch((error) => granted(error, call, ask));
  if (found.refusal !== undefined) return { reason: found.refusal, q850: 21 };
  if (found.trunk !== undefined) return byTrunk(context, call, ask, (uri.user ?? '').replace(VISUAL_SEPARATORS, ''));
  const lines: HeaderLine[] = own ? [['X-Opentact-Hops', String(call.hops + 1)]] : [];
  return { ...textsOf(uri), ...place, lines, fromUser: found.shown ?? ask.fromUser };
}

function textsOf(uri: SipUri): Pick<Target, 'uriText' | 'toText'> {
  const params = uri.params.filter(({ name }) => !OF_THE_WAY.includes(name));
  return { uriText: formatUri(uri), toText: formatUri({ ...uri, params }) };
}

function isOwn(context: Pick<Context, 'network'>, { address, port }: Endpoint): boolean {
  return address === context.network.advertise.address && port === context.network.advertise.port;
}

/** RFC 3966 5.1.1. */
const VISUAL_SEPARATORS = /[-.()\s]/g;

async function byNumber(context: TargetLookUp, call: EdgeCall, ask: Dial): Promise<Target | NoTarget> {
  const number = ask.target.slice('tel:'.length).replace(/[^0-9+]/g, '');
  if (number === '' || number.length > 32) return { reason: 'no-route', q850: 3 };
  const { advertise } = context.network;
  const own = await context.directory.route({
    user: number,
    host: advertise.address,
    fromUser: ask.fromUser,
    callerWithheld: false,
    sourceAddress: advertise.address,
    callId: '',
  });
  if (!own) return byTrunk(context, call, ask, number);
  return byAddress(context, call, { ...ask, target: `sip:${number}@${formatAddress(advertise)}` });
}

/** By the account's trunk, reserved first. @param number digits, `+` before them or not */
async function byTrunk(context: TargetLookUp, call: EdgeCall, ask: Dial, number: string): Promise<Target | NoTarget> {
  if (!/^\+?[0-9]{1,31}$/.test(number)) return { reason: 'no-route', q850: 3 };
  const trunk = await trunkOf(context, ask.accountId);
  if (!trunk || trunk.host === '') return { reason: 'no-route', q850: 3 };
  const leg = legUuid(call.id, ask.leg);
  const { accountId } = ask;
  const asked = { leg, accountId, appId: call.appId, called: number.replace('+', ''), ...callerNamed(call, ask) };
  // What another edge dialled already was granted to it.
  const { refusal, shown } = await context.directory.reserve(asked).catch((error) => granted(error, call, ask));
  if (refusal !== undefined) return { reason: refusal, q850: refusal === 'channel-limit' ? 34 : 21 };
  const params = trunk.transport === 'tcp' ? [{ name: 'transport', value: 'tcp' }] : [];
  const to = parseUri(`sip:${number}@${trunk.host}${trunk.port ? `:${trunk.port}` : ''}`) as SipUri;
  const uri = { ...to, params };
  const place = await placeFor(context, uri, { of: accountId, isTrunk: true });
  if ('reason' in place) return place;
  return { ...textsOf(uri), ...place, lines: [], trunk, fromUser: shown ?? ask.fromUser };
}

function granted(error: unknown, call: EdgeCall, ask: Dial): Reached {
  if (error instanceof DirectoryAway && isResumed(call, ask.leg)) return {};
  throw error;
}

/** Who called us is known where their leg is held. Of a call that was ordered, whoever ordered it named the caller. */
function callerNamed({ legs }: EdgeCall, ask: Dial): CallerNamed {
  const first = legs.get(0);
  const from = first?.kind === 'caller' ? first.dialog?.remoteAddress : undefined;
  const ordered = first?.kind === 'callee' ? first.ask.fromUser || undefined : undefined;
  return { caller: ask.fromUser, originalCaller: from === undefined ? ordered : userOf(from) };
}

/** As the story names the caller. */
const userOf = (from: string): string => subscriberOf(parseNameAddr(from).uri).user;

function isResumed(call: EdgeCall, number: number): boolean {
  const leg = call.legs.get(number);
  return leg?.kind === 'callee' && leg.resumed;
}
