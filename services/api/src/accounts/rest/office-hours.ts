/** Office hours of an account: spans of a day of the week, in seconds of that day (reference 2.4, A.2). Stored only. */
import { randomUUID } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import type { Database } from '../../database/database.ts';
import { holdAccount } from '../../rest/auth/roles.ts';
import { answers, ok, Stamps, stamp, Uuid, UuidPath } from '../../rest/envelope.ts';
import { badInput, notFound, RestError } from '../../rest/errors.ts';
import { storedOnly } from '../../rest/known.ts';
import { type Http, operation } from '../../rest/operation.ts';

const SPANS_MAX = 200;
const DAY_S = 86_400;

const oneOf = <const T extends string[]>(...choices: T) => Type.Unsafe<T[number]>({ type: 'string', enum: choices });
const UNASKED = 'no document asks for office hours; its Schedule names its own times';
/** In a body. */
const kept = <const T extends string[]>(...choices: T) =>
  Type.Unsafe<T[number]>({ type: 'string', enum: choices, ...storedOnly(UNASKED) });
const Dow = oneOf('sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat');
const Fields = {
  type: kept('nonworking', 'lunchtime', 'coffeebreak', 'weekends'),
  dow: kept('sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'),
  time_from: Type.Integer({ minimum: 0, maximum: DAY_S - 1, ...storedOnly(UNASKED, 'Seconds of the day.') }),
  time_to: Type.Integer({
    minimum: 1,
    maximum: DAY_S,
    ...storedOnly(UNASKED, 'Seconds of the day, after time_from.'),
  }),
};
const name = Type.Optional(Type.Union([Type.String({ maxLength: 255 }), Type.Null()]));
const New = Type.Object({ ...Fields, name });
const Change = Type.Object({ ...Type.Partial(Type.Object(Fields)).properties, name });
const OfficeHours = Type.Object(
  { uuid: Uuid, ...Fields, name: Type.Union([Type.String(), Type.Null()]), ...Stamps },
  { title: 'OfficeHours' },
);

const read = (db: Database, accountId: string) =>
  db.selectFrom('office_hours').selectAll().where('account_id', '=', accountId);
type Row = NonNullable<Awaited<ReturnType<ReturnType<typeof read>['executeTakeFirst']>>>;

const spanOf = ({
  id,
  account_id: _,
  created_on,
  modified_on,
  type,
  dow,
  ...same
}: Row): Static<typeof OfficeHours> => ({
  uuid: id,
  ...same,
  type: type as 'weekends',
  dow: dow as 'sun',
  created_on: stamp(created_on),
  modified_on: stamp(modified_on),
});

const CHECK_VIOLATION = '23514';
const isBackwards = () => badInput({ 'body.time_to': { message: 'must be after time_from' } });
/** A change may name one end only; the table knows both. */
function backwards(error: { code?: string; constraint?: string }): never {
  if (error.code === CHECK_VIOLATION && error.constraint === 'office_hours_order') throw isBackwards();
  throw error;
}

const found = { params: UuidPath, response: answers(OfficeHours, { failures: [404] }) };

const shown = (row: Row | undefined) => {
  if (!row) throw notFound('office hours');
  return ok(spanOf(row));
};

export const officeHours =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) => {
    getAccountOfficeHoursList(http, db);
    createAccountOfficeHours(http, db);
    getAccountOfficeHours(http, db);
    updateAccountOfficeHours(http, db);
    removeAccountOfficeHoursByUUID(http, db);
  };

function getAccountOfficeHoursList(http: Http, db: Database): void {
  const listed = {
    ...operation('GetAccountOfficeHoursList', 'Account', 'List office hours'),
    querystring: Type.Object({ dow: Type.Optional(Dow) }),
    response: answers(Type.Array(OfficeHours)),
  };
  http.get('/account/office_hours', { schema: listed }, async ({ identity, query: { dow } }) => {
    const rows = await read(db, identity.accountId)
      .$if(dow !== undefined, (q) => q.where('dow', '=', dow!))
      .orderBy('created_on')
      .orderBy('id')
      .limit(SPANS_MAX)
      .execute();
    return ok(rows.map(spanOf));
  });
}

function createAccountOfficeHours(http: Http, db: Database): void {
  const made = {
    ...operation('CreateAccountOfficeHours', 'Account', 'Add office hours'),
    body: New,
    response: answers(OfficeHours, { status: 201, failures: [409] }),
  };
  http.post('/account/office_hours', { schema: made }, async ({ identity, body }, reply) => {
    if (body.time_from >= body.time_to) throw isBackwards();
    const row = await db.transaction().execute(async (tx) => {
      await holdAccount(tx, identity.accountId);
      const { count } = await tx
        .selectFrom('office_hours')
        .select((w) => w.fn.countAll<string>().as('count'))
        .where('account_id', '=', identity.accountId)
        .executeTakeFirstOrThrow();
      if (Number(count) >= SPANS_MAX) throw new RestError(409, `an account has ${SPANS_MAX} spans at most`);
      return tx
        .insertInto('office_hours')
        .values({ ...body, name: body.name ?? null, id: randomUUID(), account_id: identity.accountId })
        .returningAll()
        .executeTakeFirstOrThrow();
    });
    reply.code(201);
    return ok(spanOf(row));
  });
}

function getAccountOfficeHours(http: Http, db: Database): void {
  const one = operation('GetAccountOfficeHours', 'Account', 'Read office hours');
  http.get('/account/office_hours/:uuid', { schema: { ...one, ...found } }, async ({ identity, params }) =>
    shown(await read(db, identity.accountId).where('id', '=', params.uuid).executeTakeFirst()),
  );
}

function updateAccountOfficeHours(http: Http, db: Database): void {
  const changed = operation('UpdateAccountOfficeHours', 'Account', 'Change office hours');
  http.patch(
    '/account/office_hours/:uuid',
    { schema: { ...changed, ...found, body: Change } },
    async ({ identity, params, body }) =>
      shown(
        await db
          .updateTable('office_hours')
          .set({ ...body, modified_on: new Date() })
          .where('id', '=', params.uuid)
          .where('account_id', '=', identity.accountId)
          .returningAll()
          .executeTakeFirst()
          .catch(backwards),
      ),
  );
}

function removeAccountOfficeHoursByUUID(http: Http, db: Database): void {
  const gone = operation('RemoveAccountOfficeHoursByUUID', 'Account', 'Remove office hours');
  http.delete('/account/office_hours/:uuid', { schema: { ...gone, ...found } }, async ({ identity, params }) =>
    shown(
      await db
        .deleteFrom('office_hours')
        .where('id', '=', params.uuid)
        .where('account_id', '=', identity.accountId)
        .returningAll()
        .executeTakeFirst(),
    ),
  );
}
