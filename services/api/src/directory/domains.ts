/**
 * Where a call to `anything@domain` goes (reference 1.9, 1.10): to the domain's app, whoever calls; else, from a switch of the
 * domain alone, on to its connection or out by the account's trunk. Nobody registers here yet.
 */
import { isIP } from 'node:net';
import type { Database } from '../database/database.ts';
import { digitsOf } from '../kernel/digits.ts';
import { ACCOUNT_COLUMNS, accountOf, domainOf, SWITCH_COLUMNS, switchOf, USER_COLUMNS, userOf } from './attribution.ts';
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
  const domain = await domainAt(db, host, user, source);
  if (!domain) return undefined;
  const found = await destinationOf(db, domain, user);
  if (!found) return undefined;
  const by = switchOf(domain);
  const attribution = { ...found.destination.attribution, domain: domainOf(domain), switch: by, user: userOf(domain) };
  const refusal = domain.app_id || by ? found.refusal : 'the address is no switch of this domain';
  return { refusal, destination: { ...found.destination, attribution } };
}

/** The domain, with its switch that calls and its user who is called, where there are such. */
function domainAt(db: Database, host: string, user: string, source: string) {
  const bare = source.replace(/^::ffff:(?=[0-9.]+$)/i, '');
  const address = isIP(bare) ? bare : null;
  return db
    .selectFrom('sip_domain as domain')
    .leftJoin('sip_switch', (on) =>
      on
        .onRef('sip_switch.domain_id', '=', 'domain.id')
        .on('sip_switch.remote_ip', '=', address)
        .on('sip_switch.is_active', '=', true),
    )
    .leftJoin('sip_user', (on) =>
      on
        .onRef('sip_user.domain_id', '=', 'domain.id')
        .on('sip_user.login', '=', user)
        .on('sip_user.is_active', '=', true),
    )
    .select(['domain.domain', 'domain.created_on', 'domain.modified_on'])
    .select(['domain.app_id', 'domain.connection_id', 'domain.outbound_voice_profile_id'])
    .select([...SWITCH_COLUMNS, ...USER_COLUMNS])
    .where('domain.domain', '=', host.toLowerCase())
    .executeTakeFirst();
}
type Domain = NonNullable<Awaited<ReturnType<typeof domainAt>>>;

/** What the domain names: its app, else its connection, else the way out by its profile. */
async function destinationOf(db: Database, domain: Domain, user: string): Promise<AtDomain | undefined> {
  const { app_id: app, connection_id: connection, outbound_voice_profile_id: profile } = domain;
  if (!app && !connection) return profile ? outBy(db, profile, user) : undefined;
  const destination = app ? await appById(db, app) : await connectionById(db, connection!, user);
  return destination && { destination, refusal: undefined };
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
    .select(['profile.id', 'profile.name', 'profile.is_active', 'profile.record_calls', 'lease.tn'])
    .select(['account.id as account_id', 'account.calls_max', 'account.dials_per_minute_max', 'account.time_zone'])
    .select(ACCOUNT_COLUMNS)
    .executeTakeFirst();
  if (!row) return undefined;
  const app = {
    ...relaying(row, row.id, row.name, relayOut(number, row.tn ?? undefined)),
    ...(row.record_calls > 0 && { recordCalls: row.record_calls }),
  };
  // Whatever the switch calls itself, nobody is shown a number that the account hasn't leased.
  const refusal = row.tn ? undefined : 'the outbound voice profile of this domain has no leased number to show';
  const attribution = { account: accountOf(row) };
  return { destination: { account: row, app, isActive: row.is_active, attribution }, refusal };
}
