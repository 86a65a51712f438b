/** A user and an account as the REST API shows them, and what may be said of a user (reference A.2). */
import type { Kysely, Selectable } from 'kysely';
import { type Static, Type } from 'typebox';
import type { Tables } from '../../database/database.ts';
import { Moment, Stamps, stamp, Uuid } from '../../rest/envelope.ts';
import { RestError } from '../../rest/errors.ts';

export const Role = Type.Union([Type.Literal('Admin'), Type.Literal('User'), Type.Literal('Provider')]);
export const text = (max = 255) => Type.String({ minLength: 1, maxLength: max });
const Nullable = Type.Union([Type.String(), Type.Null()]);

export const Account = Type.Object(
  {
    uuid: Uuid,
    name: Type.String(),
    email: Type.String(),
    level: Type.String(),
    balance: Type.Number(),
    time_zone: Type.String(),
    phone: Nullable,
    address1: Nullable,
    address2: Nullable,
    zip_code: Nullable,
    city: Nullable,
    deleted_on: Type.Union([Moment, Type.Null()]),
    ...Stamps,
  },
  { title: 'Account' },
);
export const User = Type.Object(
  {
    uuid: Uuid,
    email: Type.String(),
    role: Role,
    first_name: Nullable,
    last_name: Nullable,
    phone_number: Nullable,
    gender: Nullable,
    dob: Nullable,
    avatar: Nullable,
    gmail_user_id: Nullable,
    facebook_user_id: Nullable,
    wss_online: Type.Boolean(),
    token: Type.Optional(Type.String()),
    account: Account,
    deleted_on: Type.Union([Moment, Type.Null()]),
    ...Stamps,
  },
  { title: 'User' },
);

/** What pages show: never an address that runs something. */
export const AvatarAddress = Type.String({
  maxLength: 2048,
  pattern: '^(https?://|/rest/avatar/)',
  description: 'an http or https URL',
});
export const Person = {
  phone_number: Type.Optional(text(32)),
  first_name: Type.Optional(text()),
  last_name: Type.Optional(text()),
  gender: Type.Optional(Type.Union([Type.Literal('Male'), Type.Literal('Female'), Type.Literal('Other')])),
  dob: Type.Optional(Type.String({ format: 'date' })),
  avatar: Type.Optional(AvatarAddress),
};
export const Email = Type.String({ format: 'email', maxLength: 255 });
export const Password = Type.String({ minLength: 8, maxLength: 256 });

/** Has anybody this e-mail? @param email in lower case */
export const isTaken = async (db: Kysely<Tables>, email: string): Promise<boolean> =>
  (await db.selectFrom('person').select('id').where('email', '=', email).executeTakeFirst()) !== undefined;

export const emailIsTaken = () => new RestError(409, 'there is a user with this email');

export const readUser = (db: Kysely<Tables>) =>
  db
    .selectFrom('person')
    .innerJoin('account', 'account.id', 'person.account_id')
    .selectAll('person')
    .select(['account.name', 'account.level', 'account.balance', 'account.time_zone', 'account.email as account_email'])
    .select(['account.phone', 'account.address1', 'account.address2', 'account.zip_code', 'account.city'])
    .select(['account.created_on as account_created_on', 'account.modified_on as account_modified_on']);
type Row = NonNullable<Awaited<ReturnType<ReturnType<typeof readUser>['executeTakeFirst']>>>;

type AccountRow = Pick<Selectable<Tables['account']>, Exclude<keyof Static<typeof Account>, 'uuid'> | 'id'>;

export const accountOf = (row: AccountRow): Static<typeof Account> => ({
  uuid: row.id,
  name: row.name,
  email: row.email,
  level: row.level,
  balance: Number(row.balance),
  time_zone: row.time_zone,
  phone: row.phone,
  address1: row.address1,
  address2: row.address2,
  zip_code: row.zip_code,
  city: row.city,
  created_on: stamp(row.created_on),
  modified_on: stamp(row.modified_on),
  deleted_on: row.deleted_on && stamp(row.deleted_on),
});

export const userOf = (row: Row): Static<typeof User> => ({
  uuid: row.id,
  email: row.email,
  role: row.role as 'Admin',
  first_name: row.first_name,
  last_name: row.last_name,
  phone_number: row.phone_number,
  gender: row.gender,
  dob: row.dob,
  avatar: row.avatar,
  gmail_user_id: row.gmail_user_id,
  facebook_user_id: row.facebook_user_id,
  wss_online: false,
  created_on: stamp(row.created_on),
  modified_on: stamp(row.modified_on),
  deleted_on: row.deleted_on && stamp(row.deleted_on),
  account: accountOf({
    ...row,
    id: row.account_id,
    email: row.account_email,
    created_on: row.account_created_on,
    modified_on: row.account_modified_on,
    deleted_on: null,
  }),
});
