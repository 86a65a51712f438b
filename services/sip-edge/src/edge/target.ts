// Where a dialled leg goes: a SIP address as it stands, one of our own numbers, or the account's trunk.
// It refuses addresses that may not be dialled, checked after resolving, and more than three passes through ourselves.

import { isIPv6 } from 'node:net';
import { type CallEvent, type FactOf, legUuid } from '@opentact/proto';
import type { HeaderLine } from '../stack/message/build.ts';
import { GrammarFault } from '../stack/message/grammar.ts';
import { paramOf } from '../stack/message/params.ts';
import { formatUri, parseUri, type SipUri } from '../stack/message/uri.ts';
import { trunkOf } from './accounts.ts';
import type { EdgeCall } from './call.ts';
import type { Context } from './context.ts';
import { DirectoryAway, type Trunk } from './port.ts';
import type { Endpoint } from './resolve.ts';

export const HOPS_MAX = 3;

/** `transport` undefined: UDP, or TCP where the request is too large for it. */
export type Target = {
  readonly uriText: string;
  readonly endpoint: Endpoint;
  readonly transport: 'udp' | 'tcp' | undefined;
  readonly lines: readonly HeaderLine[];
  readonly trunk?: Trunk;
};

/** Why a leg can't be dialled at all, as `DialFailed` says it. */
export type NoTarget = { readonly reason: string; readonly q850: number };

type Dial = CallEvent<FactOf<'DialRequested'>>;

/** A Directory that is being started again is waited for while the call rings nobody yet. */
const AWAY_TRIES = 20;
const AWAY_WAIT_MS = 400;

export async function findTarget(context: Context, call: EdgeCall, ask: Dial): Promise<Target | NoTarget> {
  for (let tries = 1; ; tries++) {
    const found = await lookUp(context, call, ask);
    if (found) return found;
    const leg = call.legs.get(ask.leg);
    if (tries === AWAY_TRIES || leg?.hangup || leg?.state === 'ended') return { reason: 'unreachable', q850: 41 };
    await new Promise<void>((done) => void context.clock.after(AWAY_WAIT_MS, done));
  }
}

/** Undefined: the Directory is away. */
async function lookUp(context: Context, call: EdgeCall, ask: Dial): Promise<Target | NoTarget | undefined> {
  try {
    return ask.target.startsWith('tel:')
      ? await byNumber(context, call, ask)
      : await byAddress(context, call, ask.target);
  } catch (error) {
    if (error instanceof GrammarFault) return { reason: 'bad-target', q850: 28 };
    if (error instanceof DirectoryAway) return undefined;
    throw error;
  }
}

async function byAddress(context: Context, call: EdgeCall, target: string): Promise<Target | NoTarget> {
  const uri = parseUri(target);
  if (uri.kind !== 'sip' || uri.scheme !== 'sip' || uri.headers !== undefined)
    return { reason: 'bad-target', q850: 28 };
  return reach(context, call, uri);
}

async function reach(context: Context, call: EdgeCall, uri: SipUri, trunk?: Trunk): Promise<Target | NoTarget> {
  const wanted = paramOf(uri.params, 'transport')?.toLowerCase();
  if (wanted !== undefined && wanted !== 'udp' && wanted !== 'tcp') return { reason: 'unreachable', q850: 3 };
  const found = await context.resolve(uri.host, uri.port, wanted ?? 'udp');
  if (found.length === 0) return { reason: 'unreachable', q850: 3 };
  const allowed = found.filter(
    ({ address, port }) => isOwn(context, { address, port }) || context.allowed(address, port),
  );
  if (allowed.length === 0) return { reason: 'refused-address', q850: 21 };
  const family = isIPv6(context.network.advertise.address);
  const endpoint = allowed.find(({ address }) => isIPv6(address) === family);
  if (!endpoint) return { reason: 'unreachable', q850: 3 };
  const own = isOwn(context, endpoint);
  if (own && call.hops >= HOPS_MAX) return { reason: 'no-route', q850: 25 };
  const lines: HeaderLine[] = own ? [['X-Opentact-Hops', String(call.hops + 1)]] : [];
  return { uriText: formatUri(uri), endpoint, transport: wanted, lines, ...(trunk ? { trunk } : {}) };
}

function isOwn(context: Context, { address, port }: Endpoint): boolean {
  return address === context.network.advertise.address && port === context.network.advertise.port;
}

async function byNumber(context: Context, call: EdgeCall, ask: Dial): Promise<Target | NoTarget> {
  const number = ask.target.slice('tel:'.length).replace(/[^0-9+]/g, '');
  if (number === '' || number.length > 32) return { reason: 'no-route', q850: 3 };
  const { address, port } = context.network.advertise;
  const own = await context.directory.route({
    user: number,
    host: address,
    fromUser: ask.fromUser,
    callerWithheld: false,
    sourceAddress: address,
    callId: '',
  });
  const host = address.includes(':') ? `[${address}]` : address;
  if (own) return reach(context, call, { kind: 'sip', scheme: 'sip', user: number, host, port, params: [] });
  const trunk = await trunkOf(context, ask.accountId);
  if (!trunk || trunk.host === '') return { reason: 'no-route', q850: 3 };
  const leg = legUuid(call.id, ask.leg);
  const reservation = { leg, accountId: ask.accountId, appId: call.appId, called: number.replace('+', '') };
  const refusal = await context.directory.reserve(reservation).catch((error) => {
    // What another edge dialled already was granted to it.
    if (error instanceof DirectoryAway && isResumed(call, ask.leg)) return undefined;
    throw error;
  });
  if (refusal !== undefined) return { reason: refusal, q850: refusal === 'channel-limit' ? 34 : 21 };
  const params = trunk.transport === 'tcp' ? [{ name: 'transport', value: 'tcp' }] : [];
  const to = parseUri(`sip:${number}@${trunk.host}${trunk.port ? `:${trunk.port}` : ''}`) as SipUri;
  return reach(context, call, { ...to, params }, trunk);
}

function isResumed(call: EdgeCall, number: number): boolean {
  const leg = call.legs.get(number);
  return leg?.kind === 'callee' && leg.resumed;
}
