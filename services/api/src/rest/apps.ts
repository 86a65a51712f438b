/** SIP Control Apps: what decides over the calls of the numbers that point to them (reference 1.7, 2.9). */
import { randomBytes, randomUUID } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import { Clean } from 'typebox/value';
import type { Database } from '../database/database.ts';
import { answers, Nothing, ok, Stamps, stamp, Uuid, UuidPath } from './envelope.ts';
import { badInput, notFound, RestError } from './errors.ts';
import { operation } from './operation.ts';
import { mustOwn } from './references.ts';
import { documentOf, takeDocuments } from './upload.ts';

const APPS_MAX = 1000;
const TIMEOUT_MAX_MS = 60_000;
const MINUTES_MAX = 24 * 60;

const Method = Type.Union([Type.Literal('GET'), Type.Literal('POST')]);
const Url = Type.String({ maxLength: 2048, pattern: '^(https?://.+)?$', description: 'http or https; empty: none.' });
const Milliseconds = Type.Integer({
  minimum: 0,
  maximum: TIMEOUT_MAX_MS,
  description: '0: the platform’s own limits.',
});
const Fields = {
  name: Type.String({ minLength: 1, maxLength: 255 }),
  is_active: Type.Boolean(),
  auto_answer: Type.Boolean(),
  webhook_url: Url,
  webhook_method: Method,
  webhook_request_timeout: Milliseconds,
  call_flow_url: Url,
  call_flow_method: Method,
  call_flow_request_timeout: Milliseconds,
  max_call_length_min: Type.Union([Type.Integer({ minimum: 1, maximum: MINUTES_MAX }), Type.Null()]),
};
const App = Type.Object({
  uuid: Uuid,
  ...Fields,
  outbound_voice_profile: Type.Union([Type.Object({ uuid: Uuid }), Type.Null()]),
  ...Stamps,
});
const Change = Type.Partial(Type.Object({ ...Fields, outbound_voice_profile: Type.Union([Uuid, Type.Null()]) }));
const New = Type.Intersect([Type.Object({ name: Fields.name }), Type.Omit(Change, ['name'])]);
const CallFlow = Type.Object({ url: Type.String(), xml: Type.String() });

type Row = {
  id: string;
  name: string;
  is_active: boolean;
  auto_answer: boolean;
  webhook_url: string;
  webhook_method: string;
  webhook_timeout_ms: number;
  call_flow_url: string;
  call_flow_method: string;
  call_flow_timeout_ms: number;
  max_call_length_ms: number | null;
  outbound_voice_profile_id: string | null;
  created_on: Date;
  modified_on: Date;
};
const COLUMNS = [
  'id',
  'name',
  'is_active',
  'auto_answer',
  'webhook_url',
  'webhook_method',
  'webhook_timeout_ms',
  'call_flow_url',
  'call_flow_method',
  'call_flow_timeout_ms',
  'max_call_length_ms',
  'outbound_voice_profile_id',
  'created_on',
  'modified_on',
] as const;

const appOf = (row: Row): Static<typeof App> => ({
  uuid: row.id,
  name: row.name,
  is_active: row.is_active,
  auto_answer: row.auto_answer,
  webhook_url: row.webhook_url,
  webhook_method: row.webhook_method as 'GET',
  webhook_request_timeout: row.webhook_timeout_ms,
  call_flow_url: row.call_flow_url,
  call_flow_method: row.call_flow_method as 'GET',
  call_flow_request_timeout: row.call_flow_timeout_ms,
  max_call_length_min: row.max_call_length_ms ? Math.round(row.max_call_length_ms / 60_000) : null,
  outbound_voice_profile: row.outbound_voice_profile_id ? { uuid: row.outbound_voice_profile_id } : null,
  created_on: stamp(row.created_on),
  modified_on: stamp(row.modified_on),
});

const PROFILE = 'outbound_voice_profile';
const NO_LIMIT_MS = 4 * 3_600_000;

/** Only what the schema names becomes a column. */
function columnsOf(given: Static<typeof Change>) {
  const known = Clean(Change, { ...given }) as Static<typeof Change>;
  const { webhook_request_timeout, call_flow_request_timeout, max_call_length_min, outbound_voice_profile, ...same } =
    known;
  return {
    ...same,
    ...(webhook_request_timeout !== undefined && { webhook_timeout_ms: webhook_request_timeout }),
    ...(call_flow_request_timeout !== undefined && { call_flow_timeout_ms: call_flow_request_timeout }),
    ...(outbound_voice_profile !== undefined && { outbound_voice_profile_id: outbound_voice_profile }),
    ...(max_call_length_min !== undefined && {
      max_call_length_ms: max_call_length_min === null ? NO_LIMIT_MS : max_call_length_min * 60_000,
    }),
  };
}

/** @param check what is wrong with a document, with its place; undefined where a call could run it. */
export const apps =
  (db: Database, check: (xml: string) => Promise<string | undefined>): FastifyPluginAsyncTypebox =>
  async (http) => {
    await takeDocuments(http);
    const mine = (uuid: string, accountId: string) =>
      db.selectFrom('app').where('id', '=', uuid).where('account_id', '=', accountId);
    const one = async (uuid: string, accountId: string) => {
      const row = await mine(uuid, accountId).select(COLUMNS).executeTakeFirst();
      if (!row) throw notFound('SIP control app');
      return row;
    };

    http.get(
      '/sip/app',
      { schema: { ...operation('ListSIPControlApps', 'SIP apps', 'List apps'), response: answers(Type.Array(App)) } },
      async ({ identity }) => {
        const rows = await db
          .selectFrom('app')
          .where('account_id', '=', identity.accountId)
          .select(COLUMNS)
          .orderBy('created_on')
          .limit(APPS_MAX)
          .execute();
        return ok(rows.map(appOf));
      },
    );

    const made = answers(App, { status: 201, failures: [409] });
    http.post(
      '/sip/app',
      { schema: { ...operation('CreateSIPControlApp', 'SIP apps', 'Make an app'), body: New, response: made } },
      async ({ identity, body }, reply) => {
        await mustOwn(db, identity.accountId, PROFILE, PROFILE, body.outbound_voice_profile);
        const row = await db
          .insertInto('app')
          .values({
            ...columnsOf(body),
            name: body.name,
            id: randomUUID(),
            account_id: identity.accountId,
            signing_key: randomBytes(32),
          })
          .returning(COLUMNS)
          .executeTakeFirstOrThrow();
        reply.code(201);
        return ok(appOf(row));
      },
    );

    const found = answers(App, { failures: [404] });
    http.get(
      '/sip/app/:uuid',
      {
        schema: {
          ...operation('GetSIPControlAppByUUID', 'SIP apps', 'Read an app'),
          params: UuidPath,
          response: found,
        },
      },
      async ({ identity, params }) => ok(appOf(await one(params.uuid, identity.accountId))),
    );
    http.patch(
      '/sip/app/:uuid',
      {
        schema: {
          ...operation('ModifySIPControlApp', 'SIP apps', 'Change an app'),
          params: UuidPath,
          body: Change,
          response: found,
        },
      },
      async ({ identity, params, body }) => {
        await mustOwn(db, identity.accountId, PROFILE, PROFILE, body.outbound_voice_profile);
        const row = await db
          .updateTable('app')
          .set({ ...columnsOf(body), modified_on: new Date() })
          .where('id', '=', params.uuid)
          .where('account_id', '=', identity.accountId)
          .returning(COLUMNS)
          .executeTakeFirst();
        if (!row) throw notFound('SIP control app');
        return ok(appOf(row));
      },
    );
    const gone = answers(App, { failures: [404, 409] });
    http.delete(
      '/sip/app/:uuid',
      {
        schema: {
          ...operation(
            'RemoveSIPControlAppByUUID',
            'SIP apps',
            'Remove an app',
            'Refused (409) while numbers point to it.',
          ),
          params: UuidPath,
          response: gone,
        },
      },
      async ({ identity, params }) => {
        const row = await one(params.uuid, identity.accountId);
        const number = await db.selectFrom('number').select('number').where('app_id', '=', row.id).executeTakeFirst();
        if (number)
          throw new RestError(409, `numbers point to this app, like ${number.number}: point them elsewhere first`);
        await db.deleteFrom('app').where('id', '=', row.id).where('account_id', '=', identity.accountId).execute();
        return ok(appOf(row));
      },
    );

    const flow = answers(CallFlow, { failures: [404] });
    const flowOf = (uuid: string, xml: string) => ok({ url: `/rest/sip/app/call/flow/${uuid}`, xml });
    http.get(
      '/sip/app/call/flow/:uuid',
      {
        schema: {
          ...operation('GetSIPControlAppStaticCallFlow', 'SIP apps', 'Read the document of an app'),
          params: UuidPath,
          response: flow,
        },
      },
      async ({ identity, params }) => {
        const row = await mine(params.uuid, identity.accountId).select('static_document').executeTakeFirst();
        if (!row) throw notFound('SIP control app');
        if (!row.static_document) throw notFound('document of this app');
        return flowOf(params.uuid, row.static_document);
      },
    );
    http.post(
      '/sip/app/call/flow/:uuid',
      {
        schema: {
          ...operation(
            'SaveSIPControlAppStaticCallFlow',
            'SIP apps',
            'Give an app a document',
            'Checked before it is kept: what a call could not run is refused with its line and column.',
          ),
          params: UuidPath,
          consumes: ['multipart/form-data'],
          response: flow,
        },
      },
      async (request) => {
        const { identity, params } = request;
        const xml = await documentOf(request);
        const fault = await check(xml);
        if (fault) throw badInput({ 'body.file': { message: fault } });
        const changed = await db
          .updateTable('app')
          .set({ static_document: xml, modified_on: new Date() })
          .where('id', '=', params.uuid)
          .where('account_id', '=', identity.accountId)
          .executeTakeFirst();
        if (changed.numUpdatedRows === 0n) throw notFound('SIP control app');
        return flowOf(params.uuid, xml);
      },
    );
    const none = answers(Nothing, { failures: [404] });
    http.delete(
      '/sip/app/call/flow/:uuid',
      {
        schema: {
          ...operation('RemoveSIPControlAppStaticCallFlow', 'SIP apps', 'Take the document of an app away'),
          params: UuidPath,
          response: none,
        },
      },
      async ({ identity, params }) => {
        const changed = await db
          .updateTable('app')
          .set({ static_document: '', modified_on: new Date() })
          .where('id', '=', params.uuid)
          .where('account_id', '=', identity.accountId)
          .executeTakeFirst();
        if (changed.numUpdatedRows === 0n) throw notFound('SIP control app');
        return ok({});
      },
    );
  };
