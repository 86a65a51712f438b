/** API keys: made, listed, changed and taken away by their user; shown once (reference 2.3). */
import { randomUUID } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Database } from '../../database/database.ts';
import { isUuid } from '../../kernel/uuid.ts';
import { digestOf, newApiKey } from '../../rest/auth/credentials.ts';
import { answers, Moment, Nothing, ok, Stamps, stamp, Uuid, UuidPath } from '../../rest/envelope.ts';
import { notFound, RestError } from '../../rest/errors.ts';
import { type Http, operation } from '../../rest/operation.ts';

const KEYS_MAX = 100;
const TTL_MAX_S = 10 * 365 * 86_400;
const TTL_DEFAULT_S = 365 * 86_400;

const Ttl = Type.Integer({ minimum: 60, maximum: TTL_MAX_S, description: 'Seconds from now.' });
const Name = Type.String({ minLength: 1, maxLength: 255 });
/** `token` only in the answer to its making. */
const Token = Type.Object(
  {
    uuid: Uuid,
    name: Type.String(),
    token: Type.Optional(Type.String()),
    expired_on: Type.Union([Moment, Type.Null()], { description: 'Null: never, as the demo’s.' }),
    ...Stamps,
  },
  { title: 'APIKey' },
);

/** `expires_on`: a number where it is infinity. */
type Row = { id: string; name: string; expires_on: Date | number; created_on: Date; modified_on: Date };
const tokenOf = ({ id, name, expires_on, created_on, modified_on }: Row) => ({
  uuid: id,
  name,
  expired_on: typeof expires_on === 'number' ? null : stamp(expires_on),
  created_on: stamp(created_on),
  modified_on: stamp(modified_on),
});
const COLUMNS = ['id', 'name', 'expires_on', 'created_on', 'modified_on'] as const;
const after = (seconds: number) => new Date(Date.now() + seconds * 1000);

export const tokens =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) => {
    createToken(http, db);
    getTokenList(http, db);
    modifyToken(http, db);
    removeAll(http, db);
    removeByTokenString(http, db);
  };

function createToken(http: Http, db: Database): void {
  const New = Type.Object({ name: Name, ttl: Type.Optional(Ttl) });
  const made = answers(Token, { status: 201, failures: [409] });
  http.post(
    '/token',
    {
      schema: {
        ...operation('CreateToken', 'API keys', 'Make an API key', 'The answer is the only one that shows it.'),
        body: New,
        response: made,
      },
    },
    async ({ identity, body }, reply) => {
      const token = newApiKey();
      const { count } = await db
        .selectFrom('api_key')
        .where('person_id', '=', identity.userId)
        .select(db.fn.countAll<string>().as('count'))
        .executeTakeFirstOrThrow();
      if (Number(count) >= KEYS_MAX) throw new RestError(409, `a user has ${KEYS_MAX} API keys at most`);
      const row = await db
        .insertInto('api_key')
        .values({
          id: randomUUID(),
          digest: digestOf(token),
          account_id: identity.accountId,
          person_id: identity.userId,
          name: body.name,
          expires_on: after(body.ttl ?? TTL_DEFAULT_S),
        })
        .returning(COLUMNS)
        .executeTakeFirstOrThrow();
      reply.code(201);
      return ok({ ...tokenOf(row), token });
    },
  );
}

function getTokenList(http: Http, db: Database): void {
  http.get(
    '/token/list',
    { schema: { ...operation('GetTokenList', 'API keys', 'List API keys'), response: answers(Type.Array(Token)) } },
    async ({ identity }) => {
      const rows = await db
        .selectFrom('api_key')
        .where('person_id', '=', identity.userId)
        .select(COLUMNS)
        .orderBy('created_on')
        .limit(KEYS_MAX)
        .execute();
      return ok(rows.map(tokenOf));
    },
  );
}

function modifyToken(http: Http, db: Database): void {
  const Change = Type.Object({ name: Type.Optional(Name), ttl: Type.Optional(Ttl) });
  const changed = {
    ...operation('ModifyToken', 'API keys', 'Rename an API key or move its end'),
    params: UuidPath,
    body: Change,
    response: answers(Token, { failures: [404] }),
  };
  http.patch('/token/:uuid', { schema: changed }, async ({ identity, params, body }) => {
    const row = await db
      .updateTable('api_key')
      .set({
        ...(body.name && { name: body.name }),
        ...(body.ttl && { expires_on: after(body.ttl) }),
        modified_on: new Date(),
      })
      .where('id', '=', params.uuid)
      .where('person_id', '=', identity.userId)
      .returning(COLUMNS)
      .executeTakeFirst();
    if (!row) throw notFound('API key');
    return ok(tokenOf(row));
  });
}

function removeAll(http: Http, db: Database): void {
  http.delete(
    '/token/all',
    {
      schema: { ...operation('RemoveAll', 'API keys', 'Remove all API keys of oneself'), response: answers(Nothing) },
    },
    async ({ identity }) => {
      await db.deleteFrom('api_key').where('person_id', '=', identity.userId).execute();
      return ok({});
    },
  );
}

function removeByTokenString(http: Http, db: Database): void {
  // The path holds the key itself, as the reference has it; its uuid serves too and appears in no log.
  const KeyPath = Type.Object({ token: Type.String({ minLength: 1, maxLength: 64 }) });
  const removed = {
    ...operation('RemoveByTokenString', 'API keys', 'Remove an API key', 'By the key itself or, better, by its uuid.'),
    params: KeyPath,
    response: answers(Token, { failures: [404] }),
  };
  http.delete('/token/:token', { schema: removed }, async ({ identity, params }) => {
    const row = await db
      .deleteFrom('api_key')
      .where('person_id', '=', identity.userId)
      .where((w) => w.or([w('digest', '=', digestOf(params.token)), w('id', '=', uuidOr(params.token))]))
      .returning(COLUMNS)
      .executeTakeFirst();
    if (!row) throw notFound('API key');
    return ok(tokenOf(row));
  });
}

const NO_UUID = '00000000-0000-0000-0000-000000000000';
const uuidOr = (text: string) => (isUuid(text) ? text : NO_UUID);
