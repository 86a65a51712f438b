/**
 * Where an account's calls come from beside phones: the trunks that serve it and its own connections, with what is known of
 * their media. The same for every caller, so that it is remembered with the account's numbers. Bounded.
 */
import { isIP } from 'node:net';
import type { DirectoryV1 } from '@opentact/proto';
import { isLoopback } from '@opentact/runtime';
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../database/database.ts';

const PLACES_MAX = 128;
const SOURCES_MAX = 256;

type Place = { host: string; port: number; more: string[]; ranges: string[]; anywhere: boolean; is_trunk: boolean };

export async function knownSourcesOf(db: Kysely<Tables>, accountId: string): Promise<DirectoryV1.KnownSource[]> {
  const { rows } = await sql<Place>`
    select lower(host) as host, port, addresses::text[] as more, media_ranges::text[] as ranges,
        media_from_anywhere as anywhere, true as is_trunk
      from trunk where account_id is null or account_id = ${accountId}
        or exists (select from trunk_account where trunk_id = trunk.id and trunk_account.account_id = ${accountId})
    union all
    select lower(coalesce(ip, hostname)), port, '{}', '{}', false, false
      from sip_connection where account_id = ${accountId} and is_active
    order by is_trunk desc limit ${PLACES_MAX}`.execute(db);
  if (rows.length === 0) return [];
  // Trunks' first: an account's own hosts don't take their room.
  const hosts = rows.map(({ host }) => host);
  const resolved = await sql<{ host: string; address: string }>`
    select host, address from endpoint_address where host = any(${hosts}::text[])
    order by array_position(${hosts}::text[], host), seen_on desc, address limit ${SOURCES_MAX}`.execute(db);
  const sources = rows.flatMap((place) => {
    const bare = place.host.replace(/^\[|\]$/g, '');
    const found = isIP(bare)
      ? [bare]
      : resolved.rows.filter(({ host }) => host === place.host).map((row) => row.address);
    const { ranges, anywhere: fromAnywhere, port } = place;
    // What else a customer's host resolves to may be anybody's: no media goes there.
    if (!place.is_trunk)
      return found.map((address) => ({ from: fromOf(address, port), media: { ranges: [address], fromAnywhere } }));
    const media = { ranges, fromAnywhere };
    return [...found.map((address) => fromOf(address, port)), ...place.more].map((from) => ({ from, media }));
  });
  return sources.slice(0, SOURCES_MAX);
}

/** On loopback there are several parties behind one address. */
const fromOf = (address: string, port: number) =>
  isLoopback(address) ? `${isIP(address) === 6 ? `[${address}]` : address}:${port}` : address;
