/**
 * Whether a leg that nobody reserved may go to an address. One of a trunk that serves the account goes by that trunk; one of
 * any other trunk, or of what the operator knows to be somebody else's equipment, is refused: it would trust us, and its owner
 * would pay. What a customer's connection says of an address closes it to nobody, and opens nothing.
 */
import { isIP } from 'node:net';
import type { DirectoryV1 } from '@opentact/proto';
import { isLoopback, reachedAddress } from '@opentact/runtime';
import type { Database } from '../database/database.ts';
import { isUuid } from '../kernel/uuid.ts';
import { callerByAddress } from './caller-id.ts';
import { type Endpoint, endpointsAt, unresolvedTrunks } from './endpoints.ts';
import { DirectoryError } from './error.ts';
import { trunkOf } from './trunks.ts';

/** @throws DirectoryError INVALID_ARGUMENT where the account or the address can be none */
export async function reach(db: Database, of: DirectoryV1.ReachRequest): Promise<DirectoryV1.ReachResponse> {
  const { accountId } = of;
  const place = placeOf(of.address);
  if (!isUuid(accountId) || place === undefined)
    throw new DirectoryError('INVALID_ARGUMENT', 'no account, or no address');
  const at = (found: Endpoint[]) => (place === 'ours' ? [] : found.filter((owner) => isAt(owner, place)));
  const owners = place === 'ours' ? [] : at(await endpointsAt(db, place.host));
  const trunk = owners.length > 0 ? await trunkOf(db, accountId) : undefined;
  if (trunk && owners.some(({ kind, id }) => kind === 'trunk' && id === trunk.id))
    return { refusal: '', trunk: trunk.id, shown: '' };
  const proven = owners.filter(({ kind }) => kind === 'equipment');
  const isTheirs = proven.length > 0 && !proven.some(({ account }) => account === accountId);
  if (isTheirs || owners.some(({ kind }) => kind === 'trunk')) return refused('refused-address');
  // Nobody knows yet where that trunk is: it may be here.
  if (at(await unresolvedTrunks(db)).length > 0) return refused('trunk-unresolved');
  const answer = await callerByAddress(db, { accountId, wanted: of.caller, original: of.originalCaller });
  return 'refusal' in answer ? { ...answer, trunk: '', shown: '' } : { refusal: '', trunk: '', shown: answer.shown };
}

const refused = (refusal: string): DirectoryV1.ReachResponse => ({ refusal, trunk: '', shown: '' });

type Place = { host: string; port: number };

/** `IP:port` or `[IP]:port`; empty: the platform itself. */
function placeOf(address: string): Place | 'ours' | undefined {
  if (address === '') return 'ours';
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, Math.max(0, colon)).replace(/^\[|\]$/g, '');
  const port = Number(address.slice(colon + 1));
  return isIP(host) && Number.isInteger(port) && port > 0 && port < 65_536 ? { host, port } : undefined;
}

/** Whatever the port: behind one address there is one machine. On loopback there are several parties. */
const isAt = (owner: Endpoint, { host, port }: Place) =>
  owner.port === null || owner.port === port || !isLoopback(reachedAddress(host) ?? host);
