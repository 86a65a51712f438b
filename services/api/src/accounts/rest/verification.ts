/**
 * E-mail addresses that were shown to be somebody's: a token by mail, given back with the password. Needed beyond loopback
 * before a user is let in, and before a changed address takes effect. It refuses more open tokens of sign-ups than OPEN_MAX, and
 * more than so many mails to one address, for sign-ups of one source, and for one account.
 */
import { randomBytes } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Kysely, sql, type Transaction } from 'kysely';
import { Type } from 'typebox';
import { isUniqueViolation } from '../../database/constraints.ts';
import type { Database, Tables } from '../../database/database.ts';
import { type Attempts, createAttempts } from '../../rest/auth/attempts.ts';
import { digestOf, isPassword } from '../../rest/auth/credentials.ts';
import { sourceOf } from '../../rest/auth/source.ts';
import { answers, ok } from '../../rest/envelope.ts';
import { notFound, RestError } from '../../rest/errors.ts';
import { operation, PUBLIC } from '../../rest/operation.ts';
import type { Mail } from '../mail.ts';
import { Email, readUser, User, userOf } from './user.ts';

const TOKEN_MS = 86_400_000;
const OPEN_MAX = 10_000;
const CLEARED_AT_ONCE = 100;
const LETTERS = { max: 3, windowMs: 900_000 };
const OF_SOURCE = { max: 50, windowMs: 86_400_000 };
const OF_ACCOUNT = { max: 100, windowMs: 900_000 };

/** Who asks: a stranger who signs up, by where they come from, or an account. */
export type AskedBy = { source: string } | { account: string };

export type Verification = {
  /** Must an address be verified? Not on loopback. */
  required: boolean;
  /**
   * In the transaction that makes the user or asks for another address. The mail is sent by what it returns, after the commit.
   * @throws RestError 429, 503
   */
  begin(tx: Transaction<Tables>, personId: string, email: string, by: AskedBy): Promise<() => void>;
  /** Tells who has an address that somebody signed up with it. */
  tellOwner(email: string): void;
};

export type VerificationNeeds = {
  db: Database;
  mail: Mail | undefined;
  required: boolean;
  told(error: unknown): void;
};

export function createVerification({ mail, required, told }: VerificationNeeds): Verification {
  const letters = createAttempts(LETTERS);
  const bySource = createAttempts(OF_SOURCE);
  const byAccount = createAttempts(OF_ACCOUNT);
  const send = (to: string, text: string) =>
    void mail?.send({ to, subject: 'Your address at Opentact', text }).catch(told);
  return {
    required,
    async begin(tx, person_id, email, by) {
      if (!mail) throw new RestError(503, 'mail is not set up here');
      letters.begin(email);
      if ('source' in by) bySource.begin(by.source);
      else byAccount.begin(by.account);
      await clear(tx);
      if ('source' in by) await mustHaveRoom(tx);
      const token = randomBytes(32).toString('base64url');
      const row = {
        digest: digestOf(token),
        email,
        expires_on: new Date(Date.now() + TOKEN_MS),
        source: 'source' in by ? by.source : null,
      };
      await tx
        .insertInto('email_verification')
        .values({ person_id, ...row })
        .onConflict((c) => c.column('person_id').doUpdateSet(row))
        .execute();
      return () => send(email, wording(token));
    },
    tellOwner: (email) => send(email, TO_OWNER),
  };
}

/** An account's own users and changes have no bound here: it has so many users, and each waits for one address. */
async function mustHaveRoom(tx: Kysely<Tables>): Promise<void> {
  const { open } = await tx
    .selectFrom('email_verification')
    .select((w) => w.fn.countAll<string>().as('open'))
    .where('source', 'is not', null)
    .executeTakeFirstOrThrow();
  if (Number(open) >= OPEN_MAX) throw new RestError(429, 'too many addresses wait to be verified; try again later');
}

const TO_OWNER =
  'Somebody, maybe you, signed up at Opentact with this address, which has a user there already. Nothing was changed.\n\nIf it was you and the password is forgotten, have it reset (GET /rest/user/password_reset). If it wasn’t you, there is nothing to do.\n';

const wording = (token: string) =>
  `Somebody, we hope you, gave this address at Opentact.\n\nTo show that it is yours, send this token within a day with the address and\nthe password (POST /rest/user/verification):\n\n${token}\n\nIf it wasn't you, there is nothing to do.\n`;

/** Who never verified the address in time was never let in: the user goes, with an account that nobody else is in. */
async function clear(tx: Kysely<Tables>): Promise<void> {
  const late = await tx
    .deleteFrom('email_verification')
    .where('person_id', 'in', (of) =>
      of
        .selectFrom('email_verification')
        .select('person_id')
        .where('expires_on', '<', sql<Date>`now()`)
        .limit(CLEARED_AT_ONCE)
        .forUpdate()
        .skipLocked(),
    )
    .returning('person_id')
    .execute();
  await removeUnverified(
    tx,
    late.map(({ person_id }) => person_id),
  );
}

/** Of these users those who were never verified, with their accounts where they were alone and nothing was billed. */
export async function removeUnverified(tx: Kysely<Tables>, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  const gone = await tx
    .deleteFrom('person')
    .where('id', 'in', ids)
    .where('verified_on', 'is', null)
    .returning('account_id')
    .execute();
  if (gone.length === 0) return;
  const accounts = gone.map(({ account_id }) => account_id);
  const used = (table: 'person' | 'transaction' | 'lease' | 'trunk_account') =>
    sql<boolean>`exists (select from ${sql.table(table)} of where of.account_id = account.id)`;
  await tx
    .deleteFrom('account')
    .where('id', 'in', accounts)
    .where((w) => w.not(w.or([used('person'), used('transaction'), used('lease'), used('trunk_account')])))
    .execute();
}

export const verification =
  ({ db, attempts }: { db: Database; attempts: Attempts }): FastifyPluginAsyncTypebox =>
  async (http) => {
    const schema = {
      ...operation(
        'VerifyUserEmail',
        'Authentication',
        'Verify an e-mail address',
        'By the token of the mail; from then on the user is let in, or the changed address counts.',
      ),
      ...PUBLIC,
      body: Type.Object({
        email: Email,
        password: Type.String({ minLength: 1, maxLength: 256 }),
        token: Type.String({ minLength: 1, maxLength: 128 }),
      }),
      response: answers(User, { failures: [404, 409] }),
    };
    http.post('/user/verification', { schema }, async ({ body, ip }) => {
      const email = body.email.toLowerCase();
      const person = await attempts.ofUser(sourceOf(ip), email, async () => {
        const found = await db
          .selectFrom('email_verification as open')
          .innerJoin('person', 'person.id', 'open.person_id')
          .select(['person.id', 'person.password_hash'])
          .where('open.digest', '=', digestOf(body.token))
          .where('open.email', '=', email)
          .where('open.expires_on', '>', sql<Date>`now()`)
          .executeTakeFirst();
        return found && (await isPassword(body.password, found.password_hash, sourceOf(ip))) ? found : undefined;
      });
      if (!person) throw notFound('verification: it was used, is over a day old, or the password is another');
      await take(db, person.id, digestOf(body.token), email);
      return ok(userOf(await readUser(db).where('person.id', '=', person.id).executeTakeFirstOrThrow()));
    });
  };

/** @throws RestError 404 where another was faster, 409 where somebody else has the address by now */
const take = (db: Database, id: string, digest: Buffer, email: string) =>
  db
    .transaction()
    .execute(async (tx) => {
      const open = await tx
        .deleteFrom('email_verification')
        .where('person_id', '=', id)
        .where('digest', '=', digest)
        .returning('person_id')
        .executeTakeFirst();
      if (!open) throw notFound('verification');
      await tx
        .updateTable('person')
        .set({ email, verified_on: new Date(), modified_on: new Date() })
        .where('id', '=', id)
        .execute();
    })
    .catch((error: { code?: string }) => {
      if (isUniqueViolation(error)) throw new RestError(409, 'there is a user with this email');
      throw error;
    });
