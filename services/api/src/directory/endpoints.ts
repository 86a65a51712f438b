/**
 * Which addresses trunks and connections have: their hosts, resolved anew every minute, so that a leg to one of them is known
 * however it was written. Trunks are the operator's, and go first and apart: no name of a customer holds theirs up, and the last
 * addresses of a trunk are never forgotten. A customer's host is a claim, and proves nothing (reach.ts, known-sources.ts).
 * Bounded: so many hosts an account and a round, so many addresses a host, three seconds each.
 */
import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Allowed, isAllowedAddress, type Logger, reachedAddress } from '@opentact/runtime';
import { type Kysely, sql } from 'kysely';
import type { Database, Tables } from '../database/database.ts';
import { createHostResolver, type ResolveHost } from './host-resolver.ts';

const ROUND_MS = 5_000;
const HOSTS_A_ROUND = 500;
const HOSTS_AN_ACCOUNT = 50;
const AT_ONCE = 16;
const PATIENCE_MS = 3_000;

type Kind = 'trunk' | 'connection';

/** Of a host: so many addresses at once, and so many remembered, as carriers rotate theirs. */
const BOUNDS: Record<Kind, { atOnce: number; remembered: number }> = {
  trunk: { atOnce: 32, remembered: 256 },
  connection: { atOnce: 8, remembered: 16 },
};

/**
 * Whose an address is. `connection`: an account says so; `equipment`: the operator does. `account` null: of the installation.
 * `port` null: any.
 */
export type Endpoint = { kind: Kind | 'equipment'; id: string; account: string | null; port: number | null };

export type Resolving = {
  resolve: ResolveHost;
  /** Beside public ones what a customer's host may resolve to: OPENTACT_DIAL_ALLOW. */
  allowed: readonly Allowed[];
};

/** What a host has now. Of a customer's, what no call may be sent to anyway is dropped. */
async function addressesOf(kind: Kind, host: string, { resolve, allowed }: Resolving): Promise<string[]> {
  const bare = host.replace(/^\[|\]$/g, '');
  const found = isIP(bare)
    ? [bare]
    : await Promise.race([resolve(host), sleep(PATIENCE_MS, [] as string[], { ref: false })]);
  const known = found.map(reachedAddress).filter((address) => address !== undefined);
  const may = known.filter((address) => kind === 'trunk' || isAllowedAtAnyPort(allowed, address));
  return [...new Set(may)].slice(0, BOUNDS[kind].atOnce);
}

const isAllowedAtAnyPort = (allowed: readonly Allowed[], address: string) =>
  isAllowedAddress(
    allowed.map((entry) => ({ ...entry, port: undefined })),
    address,
    1,
  );

const TRUNK_HOSTS = sql`select lower(host) as host from trunk`;

/** A trunk's name stays a trunk's, whoever claims it beside. */
const CONNECTION_HOSTS = sql`
  select distinct host from (
    select host, row_number() over (partition by account_id order by since, host) as nth from (
      select account_id, lower(hostname) as host, min(created_on) as since from sip_connection
      where hostname is not null and is_active group by account_id, lower(hostname)
    ) as claimed
  ) as ranked where nth <= ${HOSTS_AN_ACCOUNT} and host not in (${TRUNK_HOSTS})`;

/** One round: hosts of a kind that are new, or were resolved over a minute ago. @returns how many were resolved */
export async function resolveEndpoints(db: Database, kind: Kind, of: Resolving): Promise<number> {
  const { rows } = await sql<{ host: string }>`
    select distinct host, resolved_on from (${kind === 'trunk' ? TRUNK_HOSTS : CONNECTION_HOSTS}) as places
    left join endpoint_host using (host)
    where resolved_on is null or resolved_on < now() - interval '1 minute'
    order by resolved_on nulls first limit ${HOSTS_A_ROUND}`.execute(db);
  const waiting = rows.map(({ host }) => host).reverse();
  const work = async () => {
    for (let host = waiting.pop(); host !== undefined; host = waiting.pop())
      await keep(db, host, await addressesOf(kind, host, of).catch(() => []), BOUNDS[kind].remembered);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  await (kind === 'trunk' ? forgetTrunks(db) : forgetConnections(db));
  return rows.length;
}

const keep = (db: Database, host: string, addresses: string[], remembered: number): Promise<void> =>
  db.transaction().execute(async (tx) => {
    await sql`
      insert into endpoint_host values (${host}, now())
      on conflict (host) do update set resolved_on = excluded.resolved_on`.execute(tx);
    if (addresses.length === 0) return;
    await sql`
      insert into endpoint_address select ${host}, address, now() from unnest(${addresses}::text[]) as address
      on conflict (host, address) do update set seen_on = excluded.seen_on`.execute(tx);
    await sql`
      delete from endpoint_address where host = ${host} and address not in (
        select address from endpoint_address where host = ${host} order by seen_on desc, address limit ${remembered}
      )`.execute(tx);
  });

/** A day after the host had others. While it can't be resolved it keeps what it had: whoever dials there must not go unseen. */
const forgetTrunks = (db: Database) =>
  sql`
    delete from endpoint_address as old where host in (${TRUNK_HOSTS}) and seen_on < (
      select max(seen_on) from endpoint_address as latest where latest.host = old.host) - interval '1 day'`.execute(db);

async function forgetConnections(db: Database): Promise<void> {
  await sql`
    delete from endpoint_address where host not in (${TRUNK_HOSTS}) and seen_on < now() - interval '1 day'`.execute(db);
  await sql`
    delete from endpoint_host where host not in (${TRUNK_HOSTS}) and resolved_on < now() - interval '1 day'`.execute(
    db,
  );
}

/** Until it is told to stop. Never rejects. @param allowed OPENTACT_DIAL_ALLOW */
export async function keepEndpoints(
  db: Database,
  allowed: readonly Allowed[],
  signal: AbortSignal,
  logger: Logger,
): Promise<void> {
  const keeping = async (kind: Kind) => {
    const of = { resolve: createHostResolver(), allowed };
    while (!signal.aborted) {
      const resolved = await resolveEndpoints(db, kind, of).catch((err) => {
        logger.warn({ err, kind }, 'the addresses of trunks or connections stay as they were');
        return 0;
      });
      if (kind === 'trunk' && resolved > 0) await tellUnresolved(db, logger).catch(() => {});
      await sleep(ROUND_MS, undefined, { signal }).catch(() => {});
    }
  };
  await Promise.all([keeping('trunk'), keeping('connection')]);
}

async function tellUnresolved(db: Database, logger: Logger): Promise<void> {
  const trunks = (await unresolvedTrunks(db)).map(({ id }) => id);
  if (trunks.length > 0)
    logger.warn(
      { trunks },
      'the hosts of these trunks were never resolved: until then no leg may go to a bare address',
    );
}

/** Trunks that may be anywhere: their hosts are names that never were resolved. */
export async function unresolvedTrunks(db: Kysely<Tables>): Promise<Endpoint[]> {
  const { rows } = await sql<Endpoint>`
    select 'trunk' as kind, id, account_id as account, port from trunk
      where host !~ '^[0-9.]+$' and position(':' in host) = 0
        and not exists (select from endpoint_address where endpoint_address.host = lower(trunk.host))`.execute(db);
  return rows;
}

/** Whose an address is. @param address numeric, without a port */
export async function endpointsAt(db: Kysely<Tables>, address: string): Promise<Endpoint[]> {
  const at = reachedAddress(address);
  if (at === undefined) return [];
  const { rows } = await sql<Endpoint>`
    with names as (select host from endpoint_address where address = ${at} union select ${at} union select ${`[${at}]`})
    select 'trunk' as kind, id, account_id as account, port from trunk
      where lower(host) in (select host from names)
        or exists (select from unnest(addresses) as range where ${at}::inet <<= range)
    union all
    select 'connection', id::text, account_id, port from sip_connection
      where lower(coalesce(ip, hostname)) in (select host from names)
    union all
    select 'equipment', '', account_id, null from account_address where ${at}::inet <<= range`.execute(db);
  return rows;
}
