/**
 * Whose a call is and what it came by, as customers see it in the call object: columns that the Directory's statements read
 * beside their own, and what is made of them. No statement is made for it alone.
 */
import type { Attribution } from '@opentact/proto';
import type { Selectable } from 'kysely';
import type { Tables } from '../database/database.ts';

type Of<K extends keyof Attribution> = NonNullable<Attribution[K]>;
type Stamps = { created_on: Date; modified_on: Date };

const stamps = ({ created_on, modified_on }: Stamps) => ({
  createdAt: created_on.getTime(),
  modifiedAt: modified_on.getTime(),
});

/** Where a statement joins `account`. */
export const ACCOUNT_COLUMNS = [
  'account.name as account_name',
  'account.email as account_email',
  'account.level as account_level',
  'account.phone as account_phone',
  'account.address1',
  'account.address2',
  'account.zip_code',
  'account.city',
  'account.created_on as account_created_on',
  'account.modified_on as account_modified_on',
] as const;
type AccountRow = Pick<Selectable<Tables['account']>, 'address1' | 'address2' | 'zip_code' | 'city'> & {
  account_name: string;
  account_email: string;
  account_level: string;
  account_phone: string | null;
  account_created_on: Date;
  account_modified_on: Date;
};

export const accountOf = (row: AccountRow): Of<'account'> => ({
  name: row.account_name,
  email: row.account_email,
  level: row.account_level,
  phone: row.account_phone ?? undefined,
  address1: row.address1 ?? undefined,
  address2: row.address2 ?? undefined,
  zipCode: row.zip_code ?? undefined,
  city: row.city ?? undefined,
  ...stamps({ created_on: row.account_created_on, modified_on: row.account_modified_on }),
});

export const APP_COLUMNS = [
  'app.shaken_verify_policy',
  'app.shaken_minimum_accepted_attest_lvl',
  'app.created_on',
  'app.modified_on',
] as const;
type AppRow = Pick<Selectable<Tables['app']>, 'is_active' | 'created_on' | 'modified_on'> &
  Pick<Selectable<Tables['app']>, 'shaken_verify_policy' | 'shaken_minimum_accepted_attest_lvl'>;

export const appOf = (row: AppRow): Of<'app'> => ({
  isActive: row.is_active,
  shakenVerifyPolicy: row.shaken_verify_policy,
  shakenMinimumAcceptedAttestLvl: row.shaken_minimum_accepted_attest_lvl,
  ...stamps(row),
});

/** Where a statement joins `lease`; its `id` null where nobody leases the number. */
export const LEASE_COLUMNS = [
  'lease.id as lease_id',
  'lease.autorenew',
  'lease.expires_on',
  'lease.created_on as leased_on',
  'lease.modified_on as lease_modified_on',
] as const;
type LeaseRow = {
  lease_id: string | null;
  autorenew: boolean | null;
  expires_on: Date | null;
  leased_on: Date | null;
  lease_modified_on: Date | null;
};

export const numberOf = (number: string, row: LeaseRow): Of<'number'> =>
  row.lease_id
    ? {
        number,
        lease: {
          leaseId: row.lease_id,
          autorenew: row.autorenew!,
          expiresAt: row.expires_on!.getTime(),
          ...stamps({ created_on: row.leased_on!, modified_on: row.lease_modified_on! }),
        },
      }
    : { number };

type DomainRow = Pick<Selectable<Tables['sip_domain']>, 'domain'> & Stamps;
export const domainOf = (row: DomainRow): Of<'domain'> => ({ domain: row.domain, ...stamps(row) });

/** Where a statement joins `sip_switch` and `sip_user` to a domain; the `id` null of what is not there. */
export const SWITCH_COLUMNS = [
  'sip_switch.id as switch_id',
  'sip_switch.name as switch_name',
  'sip_switch.remote_ip',
  'sip_switch.created_on as switch_created_on',
  'sip_switch.modified_on as switch_modified_on',
] as const;
type SwitchRow = {
  switch_id: string | null;
  switch_name: string | null;
  remote_ip: string | null;
  switch_created_on: Date | null;
  switch_modified_on: Date | null;
};

export const switchOf = (row: SwitchRow): Of<'switch'> | undefined =>
  row.switch_id
    ? {
        switchId: row.switch_id,
        name: row.switch_name!,
        remoteIp: row.remote_ip!,
        ...stamps({ created_on: row.switch_created_on!, modified_on: row.switch_modified_on! }),
      }
    : undefined;

export const USER_COLUMNS = [
  'sip_user.id as user_id',
  'sip_user.login',
  'sip_user.first_name',
  'sip_user.last_name',
  'sip_user.email',
  'sip_user.phone_number',
  'sip_user.same_domain_calls_only',
  'sip_user.created_on as user_created_on',
  'sip_user.modified_on as user_modified_on',
] as const;
type UserRow = {
  user_id: string | null;
  login: string | null;
  same_domain_calls_only: boolean | null;
  user_created_on: Date | null;
  user_modified_on: Date | null;
} & Pick<Selectable<Tables['sip_user']>, 'first_name' | 'last_name' | 'email' | 'phone_number'>;

export const userOf = (row: UserRow): Of<'user'> | undefined =>
  row.user_id
    ? {
        userId: row.user_id,
        login: row.login!,
        firstName: row.first_name ?? undefined,
        lastName: row.last_name ?? undefined,
        email: row.email ?? undefined,
        phoneNumber: row.phone_number ?? undefined,
        sameDomainCallsOnly: row.same_domain_calls_only!,
        ...stamps({ created_on: row.user_created_on!, modified_on: row.user_modified_on! }),
      }
    : undefined;

type ConnectionRow = Pick<
  Selectable<Tables['sip_connection']>,
  'id' | 'name' | 'is_active' | 'ip' | 'hostname' | 'port'
> &
  Stamps;
export const connectionOf = (row: ConnectionRow): Of<'connection'> => ({
  connectionId: row.id,
  name: row.name,
  isActive: row.is_active,
  ip: row.ip ?? undefined,
  hostname: row.hostname ?? undefined,
  port: row.port,
  ...stamps(row),
});
