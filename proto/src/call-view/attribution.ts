/**
 * Whose a call is and what it came by, as customers see them in the call object: as they were when the call began, so that
 * every channel shows the same, whatever is changed meanwhile.
 */
import type { Attribution } from '../events.ts';
import { iso } from './iso.ts';

/** Characters of each text, of which there are some twenty: 16 KiB at most, written once for a call. */
const TEXT_MAX = 255;
/** The last moment that a Date can say (ECMA-262 21.4.1.1), in ms since the epoch. */
const TIME_MAX = 8.64e15;

/** The same with its texts cut, its times such as can be said, and without what is undefined: the same however it was come by. */
export const boundedAttribution = (given: Attribution): Attribution => bounded(given) as Attribution;

function bounded(value: unknown): unknown {
  if (typeof value === 'string') return value.length > TEXT_MAX ? value.slice(0, TEXT_MAX).toWellFormed() : value;
  if (typeof value === 'number') return Math.min(Math.max(value, 0), TIME_MAX);
  if (typeof value !== 'object' || value === null) return value;
  const known = Object.entries(value).filter(([, part]) => part !== undefined);
  return Object.fromEntries(known.map(([name, part]) => [name, bounded(part)]));
}

/** Times of a row: ms since the epoch. */
type Stamps = { createdAt: number; modifiedAt: number };
const stamps = ({ createdAt, modifiedAt }: Stamps) => ({ created_on: iso(createdAt), modified_on: iso(modifiedAt) });
const UNKNOWN = { created_on: null, modified_on: null };

/** Its balance changes with every call: `GET /account` tells it. Nobody calls by an account that is no more. */
export const accountObject = (uuid: string, of: Attribution['account']) => ({
  uuid,
  name: of?.name ?? null,
  email: of?.email ?? null,
  level: of?.level ?? null,
  phone: of?.phone ?? null,
  address1: of?.address1 ?? null,
  address2: of?.address2 ?? null,
  zip_code: of?.zipCode ?? null,
  city: of?.city ?? null,
  balance: null,
  ...(of ? stamps(of) : UNKNOWN),
  deleted_on: null,
  disabled_on: null,
});

export const appMore = (of: Attribution['app']) => ({
  is_active: of?.isActive ?? true,
  shaken_verify_policy: of?.shakenVerifyPolicy ?? null,
  shaken_minimum_accepted_attest_lvl: of?.shakenMinimumAcceptedAttestLvl ?? null,
  ...(of ? stamps(of) : UNKNOWN),
});

/** A number with its lease; it is the account's since it was leased. */
export const numberObject = (tn: string, lease: NonNullable<Attribution['number']>['lease']) => ({
  tn,
  ...(lease ? stamps(lease) : UNKNOWN),
  deleted_on: null,
  tnlease: lease
    ? { uuid: lease.leaseId, autorenew: lease.autorenew, expired_on: iso(lease.expiresAt), ...stamps(lease) }
    : null,
});

/** What else the call came by; null by what it did not come. */
export const entities = ({ domain, switch: by, user, connection }: Attribution) => ({
  sip_domain: domain ? { domain: domain.domain, ...stamps(domain) } : null,
  sip_switch: by ? { uuid: by.switchId, name: by.name, remote_ip: by.remoteIp, ...stamps(by) } : null,
  sip_user: user ? userObject(user) : null,
  sip_connection: connection ? connectionObject(connection) : null,
});

const userObject = (user: NonNullable<Attribution['user']>) => ({
  uuid: user.userId,
  login: user.login,
  first_name: user.firstName ?? null,
  last_name: user.lastName ?? null,
  email: user.email ?? null,
  phone_number: user.phoneNumber ?? null,
  same_domain_calls_only: user.sameDomainCallsOnly,
  ...stamps(user),
});

const connectionObject = (connection: NonNullable<Attribution['connection']>) => ({
  uuid: connection.connectionId,
  name: connection.name,
  is_active: connection.isActive,
  ip: connection.ip ?? null,
  hostname: connection.hostname ?? null,
  port: connection.port,
  ...stamps(connection),
});
