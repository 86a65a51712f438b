/**
 * A forgotten password: a token by mail, and a new password for the token (reference 2.2). Its answer never tells whether
 * an address is known. A token is kept hashed, serves once and for an hour; what it
 * changes ends the credentials made of the password before.
 */
import { randomBytes } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Kysely, sql } from 'kysely';
import { Type } from 'typebox';
import type { Database, Tables } from '../../database/database.ts';
import { type Attempts, createAttempts } from '../../rest/auth/attempts.ts';
import { digestOf } from '../../rest/auth/credentials.ts';
import { sourceOf } from '../../rest/auth/source.ts';
import { answers, Nothing, ok } from '../../rest/envelope.ts';
import { badInput, notFound, RestError } from '../../rest/errors.ts';
import { operation, PUBLIC, type Tag } from '../../rest/operation.ts';
import type { Mail } from '../mail.ts';
import { Email, type Password } from './user.ts';

const TOKEN_MS = 3_600_000;
/** For one address of mail, in a quarter of an hour. */
const LETTERS_MAX = 3;
const LETTERS_MS = 900_000;

export type ResetNeeds = {
  db: Database;
  attempts: Attempts;
  mail: Mail | undefined;
  /** May a link in a mail of ours lead there? Whoever asks for a reset chooses it, and whoever follows it gives the token. */
  mayLeadTo(origin: string): boolean;
  told(error: unknown): void;
};

const Ask = Type.Object({
  email: Email,
  callback: Type.Optional(
    Type.String({ maxLength: 2048, description: 'http(s) URL; `{token}` in it becomes the token.' }),
  ),
});

/** Whose passwords are reset: users of the API, or SIP users. */
export type Whose = {
  path: '/user/password_reset' | '/app/password_reset';
  operations: { ask: string; change: string; tag: Tag; ends: string };
  column: 'person_id' | 'sip_user_id';
  password: typeof Password;
  /** Who has that address; `name` as a mail calls them. */
  find(email: string): Promise<Array<{ id: string; email: string; name: string }>>;
  /** Makes what takes time before the transaction; then sets it. */
  prepare(password: string, share: string): Promise<(tx: Kysely<Tables>, id: string) => Promise<void>>;
};

export const passwordReset =
  ({ db, attempts, mail, mayLeadTo, told }: ResetNeeds, whose: Whose): FastifyPluginAsyncTypebox =>
  async (http) => {
    const letters = createAttempts({ max: LETTERS_MAX, windowMs: LETTERS_MS });
    const { ask, change, tag, ends } = whose.operations;
    const same = 'The answer is the same whether or not there is such a user.';
    const asked = {
      ...operation(ask, tag, 'Have a password reset mailed', same),
      ...PUBLIC,
      querystring: Ask,
      response: answers(Nothing, { failures: [503] }),
    };
    http.get(whose.path, { schema: asked }, async ({ query, ip }) => {
      if (!mail) throw new RestError(503, 'mail is not set up here');
      const email = query.email.toLowerCase();
      const callback = query.callback === undefined ? undefined : callbackOf(query.callback, mayLeadTo);
      attempts.begin(`reset ${sourceOf(ip)}`);
      letters.begin(email);
      // Not waited for: how long it takes would tell whether there is such a user.
      write(db, mail, whose, email, callback).catch(told);
      return ok({});
    });

    const changed = {
      ...operation(change, tag, 'Set a password by the token of a mail', ends),
      ...PUBLIC,
      body: Type.Object({ token: Type.String({ minLength: 1, maxLength: 128 }), password: whose.password }),
      response: answers(Nothing, { failures: [404] }),
    };
    http.post(whose.path, { schema: changed }, async ({ body, ip }) => {
      attempts.check(sourceOf(ip));
      const token = digestOf(body.token);
      const known = await db
        .selectFrom('password_reset')
        .select('digest')
        .where('digest', '=', token)
        .where(whose.column, 'is not', null)
        .executeTakeFirst();
      // Hashing costs; a token that is none is not worth it.
      const isChanged = known && (await take(db, whose, token, await whose.prepare(body.password, sourceOf(ip))));
      if (!isChanged) {
        attempts.failed(sourceOf(ip));
        throw notFound('password reset: it was used, is over an hour old, or never was');
      }
      return ok({});
    });
  };

/** Where the link of a mail leads. @throws RestError 400 */
function callbackOf(text: string, mayLeadTo: ResetNeeds['mayLeadTo']): string {
  const wrong = (message: string) => badInput({ 'query.callback': { message } });
  if (/[\p{Cc}\s<>"]/u.test(text) || !URL.canParse(text)) throw wrong('must be one URL');
  const { protocol, origin, username, password } = new URL(text);
  if (!text.includes('{token}')) throw wrong('must hold {token}, where the token goes');
  if (protocol !== 'http:' && protocol !== 'https:') throw wrong('must be http or https');
  if (username || password) throw wrong('must hold no user and no password');
  if (!mayLeadTo(origin)) throw wrong('leads to an origin that is not allowed here (OPENTACT_RESET_ORIGINS)');
  return text;
}

async function write(
  db: Database,
  mail: Mail,
  { path, column, find }: Whose,
  email: string,
  callback: string | undefined,
): Promise<void> {
  await db.deleteFrom('password_reset').where('expires_on', '<', sql<Date>`now()`).execute();
  for (const { id, email: to, name } of await find(email)) {
    const token = randomBytes(32).toString('base64url');
    const nobody = { person_id: null, sip_user_id: null };
    await db
      .insertInto('password_reset')
      .values({ ...nobody, [column]: id, digest: digestOf(token), expires_on: new Date(Date.now() + TOKEN_MS) })
      .execute();
    const way = callback
      ? `follow this link within an hour:\n\n${callback.replaceAll('{token}', token)}`
      : `send this token within an hour with the new password (POST /rest${path}):\n\n${token}`;
    const text = `Somebody, we hope you, wants a new password for ${name}.\n\nTo set it, ${way}\n\nIf it wasn't you, there is nothing to do: your password stays.\n`;
    await mail.send({ to, subject: 'Your password at Opentact', text });
  }
}

/** Sets the password and takes every reset of the user away; false where the token no longer holds. */
const take = (
  db: Database,
  { column }: Whose,
  digest: Buffer,
  set: (tx: Kysely<Tables>, id: string) => Promise<void>,
): Promise<boolean> =>
  db.transaction().execute(async (tx) => {
    const reset = await tx
      .deleteFrom('password_reset')
      .where('digest', '=', digest)
      .where('expires_on', '>', sql<Date>`now()`)
      .returning(column)
      .executeTakeFirst();
    const id = (reset as Record<string, string | null> | undefined)?.[column];
    if (!id) return false;
    await set(tx, id);
    await tx.deleteFrom('password_reset').where(column, '=', id).execute();
    return true;
  });
