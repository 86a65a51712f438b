/** Where calls go: an app, or a connection as an app whose document hands the call on. With the account that they are of. */
import type { Attribution, DirectoryV1 } from '@opentact/proto';
import type { Database } from '../database/database.ts';
import {
  ACCOUNT_COLUMNS,
  APP_COLUMNS,
  accountOf,
  appOf,
  connectionOf,
  LEASE_COLUMNS,
  numberOf,
} from './attribution.ts';
import { relayTo } from './relay.ts';
import { timeZoneOf } from './time-zone.ts';

export type App = NonNullable<DirectoryV1.RouteResponse['app']>;
export type Account = { account_id: string; calls_max: number; dials_per_minute_max: number; time_zone: string };
/**
 * `isActive` false: it was switched off. `profileId`: the outbound voice profile of an app that names one. `attribution`: whose
 * it is; whoever found it adds by what.
 */
export type Destination = {
  account: Account;
  app: App;
  isActive: boolean;
  profileId?: string;
  attribution: Attribution;
};

const RELAY_MS_MAX = 4 * 3_600_000;
const ACCOUNT = ['account.id as account_id', 'account.calls_max', 'account.dials_per_minute_max'] as const;

const appsOf = (db: Database) =>
  db
    .selectFrom('app')
    .innerJoin('account', 'account.id', 'app.account_id')
    .leftJoin('outbound_voice_profile as profile', 'profile.id', 'app.outbound_voice_profile_id')
    .select(['app.id', 'app.name', 'app.auto_answer', 'app.call_flow_url', 'app.call_flow_method', 'app.is_active'])
    .select(['app.call_flow_timeout_ms', 'app.static_document', 'app.max_call_length_ms'])
    .select(['app.outbound_voice_profile_id', 'app.silence_ms', 'app.rtp_from_anywhere'])
    .select([...APP_COLUMNS, ...ACCOUNT, ...ACCOUNT_COLUMNS, 'account.time_zone', 'profile.record_calls']);
type AppRow = NonNullable<Awaited<ReturnType<ReturnType<typeof appsOf>['executeTakeFirst']>>>;

const fromApp = (row: AppRow): Destination => ({
  account: row,
  isActive: row.is_active,
  attribution: { account: accountOf(row), app: appOf(row) },
  ...(row.outbound_voice_profile_id && { profileId: row.outbound_voice_profile_id }),
  app: {
    appId: row.id,
    name: row.name,
    autoAnswer: row.auto_answer,
    callFlowUrl: row.call_flow_url,
    callFlowMethod: row.call_flow_method,
    callFlowTimeoutMs: row.call_flow_timeout_ms,
    staticDocument: row.static_document,
    maxCallLengthMs: row.max_call_length_ms,
    timeZone: timeZoneOf(row.time_zone),
    ...(row.silence_ms !== null && { silenceMs: row.silence_ms }),
    ...(row.rtp_from_anywhere && { rtpFromAnywhere: true }),
    ...(row.record_calls && { recordCalls: row.record_calls }),
  },
});

/** An app that only hands on. `id` stands where an app's would: in the story and in the call log. */
export const relaying = (account: Account, id: string, name: string, staticDocument: string): App => ({
  appId: id,
  name,
  autoAnswer: false,
  callFlowUrl: '',
  callFlowMethod: 'GET',
  callFlowTimeoutMs: 0,
  staticDocument,
  maxCallLengthMs: RELAY_MS_MAX,
  timeZone: timeZoneOf(account.time_zone),
});

export async function appById(db: Database, id: string): Promise<Destination | undefined> {
  const row = await appsOf(db).where('app.id', '=', id).executeTakeFirst();
  return row && fromApp(row);
}

/** @param user whom the customer's equipment is asked for. */
export async function connectionById(db: Database, id: string, user: string): Promise<Destination | undefined> {
  const row = await db
    .selectFrom('sip_connection as connection')
    .innerJoin('account', 'account.id', 'connection.account_id')
    .where('connection.id', '=', id)
    .select(['connection.id', 'connection.name', 'connection.is_active', 'connection.ip', 'connection.hostname'])
    .select(['connection.port', 'connection.created_on', 'connection.modified_on'])
    .select([...ACCOUNT, ...ACCOUNT_COLUMNS, 'account.time_zone'])
    .executeTakeFirst();
  if (!row) return undefined;
  const document = relayTo(user, row.ip ?? row.hostname ?? '', row.port);
  return {
    account: row,
    app: relaying(row, row.id, row.name, document),
    isActive: row.is_active,
    attribution: { account: accountOf(row), connection: connectionOf(row) },
  };
}

/** The account that leases a number (digits), wherever it points. */
export async function holderOf(db: Database, number: string): Promise<string | undefined> {
  const lease = db.selectFrom('lease').select('account_id').where('tn', '=', number).where('released_on', 'is', null);
  return (await lease.executeTakeFirst())?.account_id;
}

/** Whose number it is (digits), and where it leads. */
export async function byNumber(db: Database, number: string): Promise<Destination | undefined> {
  const row = await db
    .selectFrom('number')
    .leftJoin('lease', (on) =>
      on
        .onRef('lease.tn', '=', 'number.number')
        .onRef('lease.account_id', '=', 'number.account_id')
        .on('lease.released_on', 'is', null),
    )
    .select(['number.app_id', 'number.connection_id', ...LEASE_COLUMNS])
    .where('number.number', '=', number)
    .executeTakeFirst();
  const found = row?.app_id
    ? await appById(db, row.app_id)
    : row?.connection_id
      ? await connectionById(db, row.connection_id, number)
      : undefined;
  return found && { ...found, attribution: { ...found.attribution, number: numberOf(number, row!) } };
}
