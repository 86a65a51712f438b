/**
 * A forgotten password: a token by mail, and a new password for the token (reference 2.2). Its answer never tells whether
 * an address is known. A token is kept hashed, serves once and for an hour; what it changes ends every log-in token before.
 */
import { randomBytes } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { sql } from 'kysely';
import { Type } from 'typebox';
import type { Database } from '../database/database.ts';
import type { Mail } from '../mail/mail.ts';
import { type Attempts, createAttempts } from './attempts.ts';
import { digestOf, hashPassword } from './credentials.ts';
import { answers, Nothing, ok } from './envelope.ts';
import { badInput, notFound, RestError } from './errors.ts';
import { operation, PUBLIC } from './operation.ts';
import { Email, Password } from './people.ts';

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
const Change = Type.Object({ token: Type.String({ minLength: 1, maxLength: 128 }), password: Password });

export const passwordReset =
  ({ db, attempts, mail, mayLeadTo, told }: ResetNeeds): FastifyPluginAsyncTypebox =>
  async (http) => {
    const letters = createAttempts({ max: LETTERS_MAX, windowMs: LETTERS_MS });
    const asked = {
      ...operation(
        'RequestUserPasswordResetEmail',
        'Authentication',
        'Have a password reset mailed',
        'The answer is the same whether or not there is such a user.',
      ),
      ...PUBLIC,
      querystring: Ask,
      response: answers(Nothing, { failures: [503] }),
    };
    http.get('/user/password_reset', { schema: asked }, async ({ query, ip }) => {
      if (!mail) throw new RestError(503, 'mail is not set up here');
      const email = query.email.toLowerCase();
      const callback = query.callback === undefined ? undefined : callbackOf(query.callback, mayLeadTo);
      attempts.check(`reset ${ip}`);
      attempts.failed(`reset ${ip}`);
      letters.check(email);
      letters.failed(email);
      // Not waited for: how long it takes would tell whether there is such a user.
      write(db, mail, email, callback).catch(told);
      return ok({});
    });

    const changed = {
      ...operation(
        'ChangeUserPasswordViaResetToken',
        'Authentication',
        'Set a password by the token of a mail',
        'Every log-in token of the user made before ends; API keys stay.',
      ),
      ...PUBLIC,
      body: Change,
      response: answers(Nothing, { failures: [404] }),
    };
    http.post('/user/password_reset', { schema: changed }, async ({ body, ip }) => {
      attempts.check(`address ${ip}`);
      const token = digestOf(body.token);
      const known = await db
        .selectFrom('password_reset')
        .select('digest')
        .where('digest', '=', token)
        .executeTakeFirst();
      // Hashing costs; a token that is none is not worth it.
      const password_hash = known && (await hashPassword(body.password));
      const isChanged = password_hash && (await take(db, token, password_hash));
      if (!isChanged) {
        attempts.failed(`address ${ip}`);
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

async function write(db: Database, mail: Mail, email: string, callback: string | undefined): Promise<void> {
  const person = await db
    .selectFrom('person')
    .select(['id', 'email'])
    .where('email', '=', email)
    .where('deleted_on', 'is', null)
    .executeTakeFirst();
  if (!person) return;
  const token = randomBytes(32).toString('base64url');
  await db.deleteFrom('password_reset').where('expires_on', '<', sql<Date>`now()`).execute();
  await db
    .insertInto('password_reset')
    .values({ digest: digestOf(token), person_id: person.id, expires_on: new Date(Date.now() + TOKEN_MS) })
    .execute();
  const way = callback
    ? `follow this link within an hour:\n\n${callback.replaceAll('{token}', token)}`
    : `send this token within an hour with the new password (POST /rest/user/password_reset):\n\n${token}`;
  await mail.send({
    to: person.email,
    subject: 'Your password at Opentact',
    text: `Somebody, we hope you, wants a new password for ${person.email}.\n\nTo set it, ${way}\n\nIf it wasn't you, there is nothing to do: your password stays.\n`,
  });
}

/** Sets the password and takes every reset of the user away; false where the token no longer holds. */
const take = (db: Database, digest: Buffer, password_hash: string): Promise<boolean> =>
  db.transaction().execute(async (tx) => {
    const reset = await tx
      .deleteFrom('password_reset')
      .where('digest', '=', digest)
      .where('expires_on', '>', sql<Date>`now()`)
      .returning('person_id')
      .executeTakeFirst();
    if (!reset) return false;
    await tx
      .updateTable('person')
      .set({ password_hash, password_count: sql`password_count + 1`, modified_on: new Date() })
      .where('id', '=', reset.person_id)
      .where('deleted_on', 'is', null)
      .execute();
    await tx.deleteFrom('password_reset').where('person_id', '=', reset.person_id).execute();
    return true;
  });
