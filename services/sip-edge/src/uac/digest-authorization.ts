// Answers a carrier's challenges with its trunk's credentials (RFC 3261 22, RFC 8760). They go to the trunk's own addresses
// alone, are answers to challenges that came from there, and hold for the trunk's realm; a Contact or Record-Route that
// leads elsewhere never gets them. The password itself is kept nowhere.

import { isIPv6 } from 'node:net';
import type { Leg } from '../edge/call.ts';
import type { Context, Names } from '../edge/context.ts';
import type { Trunk } from '../edge/port.ts';
import type { HeaderLine } from '../stack/message/build.ts';
import { type Challenge, formatAuthorization, parseChallenge, preferred } from '../stack/message/digest.ts';
import { GrammarFault } from '../stack/message/grammar.ts';
import type { SipResponse } from '../stack/message/message.ts';
import type { Peer } from '../stack/transport/peer.ts';
import { AUTHORIZATION_HEADERS, type Credentials } from './credentials.ts';
import { blockListOf } from './trunk-addresses.ts';

const NONCES_MAX = 16;
const REALMS_MAX = 10_000;

/** The request that was challenged: its header lines with credentials, its Request-URI, where it went and its names. */
export type Challenged = {
  readonly method: string;
  readonly uriText: string;
  readonly peer: Pick<Peer, 'address'>;
  readonly names: Names;
  readonly lines: readonly HeaderLine[];
};

/**
 * The header lines that answer a 401 or 407: one for each kind of challenge that the leg met, since a proxy and whoever is
 * behind it ask each for themselves. Undefined where there is no challenge that may be answered.
 */
export function digestAuthorization(
  context: Pick<Context, 'realms'>,
  leg: Leg,
  { response, source }: { response: SipResponse; source: { readonly address: string } },
  asked: Challenged,
): HeaderLine[] | undefined {
  const { status } = response;
  if ((status !== 401 && status !== 407) || leg.kind !== 'callee' || !leg.trunk?.user) return undefined;
  if (!isOfTrunk(leg, asked.peer.address) || !isOfTrunk(leg, source.address)) return undefined;
  const header = AUTHORIZATION_HEADERS[status];
  const challenge = challengeOf(context, leg.trunk, response, status);
  // A second refusal means the password is wrong, unless the nonce was only too old (RFC 7616 3.5).
  const wasAnswered = asked.lines.some(([name]) => name === header);
  if (!challenge || (wasAnswered && !challenge.stale)) return undefined;
  leg.credentials.challenges.set(header, challenge);
  try {
    return linesOf(leg.credentials, leg.trunk, asked);
  } catch (error) {
    if (error instanceof GrammarFault) return undefined;
    throw error;
  }
}

/** The client nonce is derived from the branch that was challenged. */
function linesOf({ challenges, counts }: Credentials, trunk: Trunk, asked: Challenged): HeaderLine[] {
  return [...challenges].map(([header, challenge]) => {
    const nonceCount = (counts.get(challenge.nonce) ?? 0) + 1;
    counts.delete(challenge.nonce);
    counts.set(challenge.nonce, nonceCount);
    if (counts.size > NONCES_MAX) counts.delete(counts.keys().next().value!);
    const cnonce = asked.names.branch.slice(-16);
    const proof = { method: asked.method, uri: asked.uriText, cnonce, nonceCount };
    return [header, formatAuthorization(challenge, trunk, proof)];
  });
}

/** The strongest challenge of the trunk's realm; undefined where there is none. */
function challengeOf({ realms }: Pick<Context, 'realms'>, trunk: Trunk, { headers }: SipResponse, status: 401 | 407) {
  const key = `${trunk.trunk} ${trunk.host} ${trunk.user} ${status}`;
  const realm = trunk.realm ?? realms.get(key);
  const lines = headers.lines(status === 407 ? 'proxy-authenticate' : 'www-authenticate');
  const readable = lines.flatMap((line) => challengeIn(line) ?? []);
  const chosen = preferred(readable.filter((challenge) => realm === undefined || challenge.realm === realm));
  if (chosen && realm === undefined) {
    if (realms.size >= REALMS_MAX) realms.clear();
    realms.set(key, chosen.realm);
  }
  return chosen;
}

function challengeIn(line: string): Challenge | undefined {
  try {
    return parseChallenge(line);
  } catch (error) {
    if (error instanceof GrammarFault) return undefined;
    throw error;
  }
}

/** Is that address one of the leg's trunk: one that its host resolved to, or one that the Directory lists? */
export function isOfTrunk(leg: Leg, address: string): boolean {
  if (leg.kind !== 'callee' || !leg.trunk) return false;
  if (leg.trunk.resolved.includes(address)) return true;
  const listed = leg.trunk.endpoints?.addresses ?? [];
  return listed.length > 0 && blockListOf(listed).check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}
