/**
 * Where a call to `anything@domain` goes (reference 1.9, 1.10): to the domain's app, whoever calls; else, from a switch of the
 * domain alone, on to its connection or out by the account's trunk. Nobody registers here yet.
 */
import { isIP } from 'node:net';
import type { Database } from '../database/database.ts';
import { digitsOf } from '../kernel/digits.ts';
import { appById, connectionById, type Destination, relaying } from './destinations.ts';
import { relayOut } from './relay.ts';

/** `refusal`: why this caller may not. */
export type AtDomain = { destination: Destination; refusal: string | undefined };

/** @param source the address that the call came from, without its port */
export async function byDomain(
  db: Database,
  host: string,
  user: string,
  source: string,
): Promise<AtDomain | undefined> {
  const domain = await db
    .selectFrom('sip_domain')
    .select(['id', 'app_id', 'connection_id', 'outbound_voice_profile_id'])
    .where('domain', '=', host.toLowerCase())
    .executeTakeFirst();
  if (!domain) return undefined;
  if (domain.app_id) {
    const destination = await appById(db, domain.app_id);
    return destination && { destination, refusal: undefined };
  }
  const { connection_id: connection, outbound_voice_profile_id: profile } = domain;
  const relayed = connection ? await connectionById(db, connection, user) : undefined;
  const found = relayed
    ? { destination: relayed, refusal: undefined }
    : !connection && profile
      ? await outBy(db, profile, user)
      : undefined;
  if (!found || (await isSwitch(db, domain.id, source))) return found;
  return { ...found, refusal: 'the address is no switch of this domain' };
}

async function isSwitch(db: Database, domainId: string, source: string): Promise<boolean> {
  const address = source.replace(/^::ffff:(?=[0-9.]+$)/i, '');
  if (!isIP(address)) return false;
  const row = await db
    .selectFrom('sip_switch')
    .select('id')
    .where('domain_id', '=', domainId)
    .where('remote_ip', '=', address)
    .where('is_active', '=', true)
    .executeTakeFirst();
  return row !== undefined;
}

/** Out to a number, with the profile's own as the caller id; refused without one. Undefined for what is no number. */
async function outBy(db: Database, profileId: string, user: string): Promise<AtDomain | undefined> {
  const number = digitsOf(user);
  if (!number) return undefined;
  const row = await db
    .selectFrom('outbound_voice_profile as profile')
    .innerJoin('account', 'account.id', 'profile.account_id')
    .leftJoin('lease', (join) =>
      join
        .onRef('lease.id', '=', 'profile.tn_lease_id')
        .on('lease.released_on', 'is', null)
        .onRef('lease.account_id', '=', 'profile.account_id'),
    )
    .where('profile.id', '=', profileId)
    .select(['profile.id', 'profile.name', 'profile.is_active', 'lease.tn'])
    .select(['account.id as account_id', 'account.calls_max', 'account.dials_per_minute_max', 'account.time_zone'])
    .executeTakeFirst();
  if (!row) return undefined;
  const app = relaying(row, row.id, row.name, relayOut(number, row.tn ?? undefined));
  // Whatever the switch calls itself, nobody is shown a number that the account hasn't leased.
  const refusal = row.tn ? undefined : 'the outbound voice profile of this domain has no leased number to show';
  return { destination: { account: row, app, isActive: row.is_active }, refusal };
}
