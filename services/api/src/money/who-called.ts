/** Who sent the calls that came in, and to which of its numbers: what decides who pays for them. */
import type { CallEvent } from '@opentact/proto';
import { reachedAddress } from '@opentact/runtime';
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../database/database.ts';
import { type Endpoint, endpointsAt } from '../directory/endpoints.ts';
import { digitsOf } from '../kernel/digits.ts';
import { isUuid } from '../kernel/uuid.ts';

export type Arrival = Extract<CallEvent, { type: 'CallArrived' }>;
/** `called`: the number whose minutes are paid, else empty. `is_peer`: it pays what is spoken to it. */
export type WhoCalled = { called: string; is_peer: boolean };

/**
 * Who sent each of these calls. A carrier, or the account's own equipment: it pays the minutes of its number, and speech; a
 * machine of a domain of its own: speech alone. What a stranger sends costs nobody anything.
 */
export async function whoCalled(tx: Kysely<Tables>, arrivals: Arrival[]): Promise<Map<string, WhoCalled>> {
  const places = new Map<string, Endpoint[]>();
  for (const source of new Set(arrivals.map(sourceOf))) places.set(source, await endpointsAt(tx, source));
  const isEndpoint = (event: Arrival) =>
    places
      .get(sourceOf(event))!
      .some(({ kind, account }) => account === event.accountId || (kind === 'trunk' && account === null));
  const [ours, others] = [arrivals.filter(isEndpoint), arrivals.filter((event) => !isEndpoint(event))];
  const leased = await leasedThen(tx, ours);
  const switched = await switchesOf(tx, others);
  const found = new Map<string, WhoCalled>();
  for (const { callId } of ours) found.set(callId, { called: leased.get(callId) ?? '', is_peer: true });
  for (const { callId } of others) found.set(callId, { called: '', is_peer: switched.has(callId) });
  return found;
}

const sourceOf = ({ sourceAddress }: Arrival): string => sourceAddress.replace(/:\d+$/, '');

/** The calls of these that came from a switch of a domain of their account. */
async function switchesOf(tx: Kysely<Tables>, arrivals: Arrival[]): Promise<Set<string>> {
  const asked = arrivals.flatMap((event) => {
    const source = reachedAddress(sourceOf(event));
    return source === undefined || !isUuid(event.accountId) ? [] : [{ ...event, source }];
  });
  if (asked.length === 0) return new Set();
  const of = (value: (event: (typeof asked)[number]) => string) => asked.map(value);
  const { rows } = await sql<{ call: string }>`
    select came.call_id as call from unnest(
      ${of(({ callId }) => callId)}::text[], ${of(({ accountId }) => accountId)}::uuid[], ${of(({ source }) => source)}::inet[]
    ) as came (call_id, account_id, source)
    where exists (
      select from sip_switch join sip_domain on sip_domain.id = sip_switch.domain_id
      where sip_domain.account_id = came.account_id and remote_ip = came.source and sip_switch.is_active
    )`.execute(tx);
  return new Set(rows.map(({ call }) => call));
}

/** By call: the number that it came in to, where the account had it at that moment; else none: those minutes cost it nothing. */
async function leasedThen(tx: Kysely<Tables>, arrivals: Arrival[]): Promise<Map<string, string>> {
  const asked = arrivals.flatMap(({ callId, toNumber, accountId, at }) => {
    const number = digitsOf(toNumber);
    return number && isUuid(accountId) ? [{ callId, number, accountId, at: new Date(at) }] : [];
  });
  if (asked.length === 0) return new Map();
  const of = <T>(value: (call: (typeof asked)[number]) => T) => asked.map(value);
  const { rows } = await sql<{ call: string; number: string }>`
    select came.call_id as call, came.number from unnest(
      ${of(({ callId }) => callId)}::text[], ${of(({ number }) => number)}::text[],
      ${of(({ accountId }) => accountId)}::uuid[], ${of(({ at }) => at)}::timestamptz[]
    ) as came (call_id, number, account_id, at)
    where exists (
      select from lease where tn = came.number and lease.account_id = came.account_id and created_on <= came.at
        and (released_on is null or released_on > came.at)
    )`.execute(tx);
  return new Map(rows.map(({ call, number }) => [call, number]));
}
