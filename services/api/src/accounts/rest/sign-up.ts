/**
 * Sign-up: the route that makes an account and its first user, for whom nobody vouches. It refuses where the installation has
 * it switched off, and gives credit only where no trunk of the installation could spend it.
 */

import { randomBytes, randomUUID } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Transaction } from 'kysely';
import { type Static, Type } from 'typebox';
import type { Database, Tables } from '../../database/database.ts';
import type { Seal } from '../../database/sealing/seal.ts';
import { move } from '../../money/move.ts';
import type { Attempts } from '../../rest/auth/attempts.ts';
import { hashPassword } from '../../rest/auth/credentials.ts';
import { sourceOf } from '../../rest/auth/source.ts';
import { answers, ok } from '../../rest/envelope.ts';
import { RestError } from '../../rest/errors.ts';
import { WithoutEffect } from '../../rest/known.ts';
import { operation, PUBLIC } from '../../rest/operation.ts';
import { Email, emailIsTaken, isTaken, Password, Person, readUser, text, User, userOf } from './user.ts';
import { removeUnverified, type Verification } from './verification.ts';

const SignUp = Type.Object({
  email: Email,
  password: Password,
  ...Person,
  account: Type.Optional(Type.Object({ name: text(), email: Type.Optional(Email) })),
  /** Whoever signs up is the Admin of the new account. */
  role: WithoutEffect,
});

export type SignUpNeeds = {
  seal: Seal;
  db: Database;
  attempts: Attempts;
  verification: Verification;
  /** May anybody sign up? */
  isOpen: boolean;
  /** What a new account may spend at once. */
  credit: number;
};

export const signUp =
  (needs: SignUpNeeds): FastifyPluginAsyncTypebox =>
  async (http) => {
    const { db, seal, attempts, verification, isOpen } = needs;
    const schema = {
      ...operation(
        'CreateUser',
        'Authentication',
        'Sign up',
        'Makes an account and its first user. Beyond loopback: where the installation allows it, and the user is let in once the e-mail is verified. An e-mail that has a user gets the same answer and is told by mail.',
      ),
      ...PUBLIC,
      body: SignUp,
      response: answers(User, { status: 201, failures: [403, 409, 503] }),
    };
    http.post('/user', { schema }, async ({ body, ip }, reply) => {
      if (!isOpen) throw new RestError(403, 'sign-up is switched off here (OPENTACT_SIGN_UP)');
      attempts.begin(`sign-up ${sourceOf(ip)}`); // so many accounts a minute from one address, and no more
      const accountId = randomUUID();
      const address = body.email.toLowerCase();
      if (!verification.required && (await isTaken(db, address))) throw emailIsTaken();
      const password_hash = await hashPassword(body.password, sourceOf(ip));
      const signing_key = await seal.seal(randomBytes(32), accountId);
      const secrets = { password_hash, signing_key };
      const made = db
        .transaction()
        .execute((tx) => make(tx, needs, { accountId, body, secrets, source: sourceOf(ip) }));
      const { user, mail } = await made.catch((error) => {
        if (!(error instanceof KnownEmail)) throw error;
        return { user: error.user, mail: () => verification.tellOwner(address) };
      });
      mail?.();
      reply.code(201);
      return ok(user);
    });
  };

type New = {
  accountId: string;
  body: Static<typeof SignUp>;
  secrets: { password_hash: string; signing_key: Buffer };
  source: string;
};

/** An account with its first user, and what sends the mail. @throws KnownEmail where that is not to be told */
async function make(
  tx: Transaction<Tables>,
  { verification, credit }: SignUpNeeds,
  { accountId, body, secrets, source }: New,
) {
  const { email, password: _, account, ...person } = body;
  const address = email.toLowerCase();
  // Whoever was never let in keeps no address from the one whose it is.
  if (verification.required) await forget(tx, address);
  const isKnown = verification.required && (await isTaken(tx, address));
  const limits = { calls_max: 100, dials_per_minute_max: 60 };
  const named = { name: account?.name ?? email, email: account?.email ?? email };
  await tx
    .insertInto('account')
    .values({ id: accountId, ...named, signing_key: secrets.signing_key, ...limits })
    .execute();
  const id = randomUUID();
  const added = await tx
    .insertInto('person')
    .values({
      ...person,
      id,
      email: isKnown ? `${id}@invalid` : address,
      account_id: accountId,
      role: 'Admin',
      password_hash: secrets.password_hash,
      verified_on: verification.required ? null : new Date(),
    })
    .onConflict((c) => c.column('email').doNothing())
    .executeTakeFirst();
  if (added.numInsertedOrUpdatedRows === 0n) throw emailIsTaken();
  if (credit > 0 && !(await isTrunkThere(tx))) await give(tx, accountId, credit);
  const mail = verification.required ? await verification.begin(tx, id, address, { source }) : undefined;
  const user = userOf(await readUser(tx).where('person.id', '=', id).executeTakeFirstOrThrow());
  if (isKnown) throw new KnownEmail({ ...user, email: address });
  return { user, mail };
}

/** Takes back what was made: whoever asked hears what they would have heard, and not that the address has a user. */
class KnownEmail extends Error {
  readonly user: Static<typeof User>;
  constructor(user: Static<typeof User>) {
    super('there is a user with this email');
    this.user = user;
  }
}

async function forget(tx: Transaction<Tables>, email: string): Promise<void> {
  const before = await tx
    .selectFrom('person')
    .select('id')
    .where('email', '=', email)
    .where('verified_on', 'is', null)
    .execute();
  await removeUnverified(
    tx,
    before.map(({ id }) => id),
  );
}

/** A trunk of the installation: minutes that its operator pays. */
async function isTrunkThere(tx: Transaction<Tables>): Promise<boolean> {
  const trunk = tx.selectFrom('trunk').select('id').where('account_id', 'is', null);
  return (await trunk.limit(1).executeTakeFirst()) !== undefined;
}

const give = (tx: Transaction<Tables>, accountId: string, amount: number) =>
  move(tx, { accountId, amount, reason: 'payment', ref: 'sign-up', description: 'credit to try it' });
