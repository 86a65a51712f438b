/** Users as an identity provider knows them: by their id there, and at first by their e-mail, which links the two. */
import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import { RestError } from '../errors.ts';
import { nobodysHash } from './credentials.ts';
import type { Identity } from './identity.ts';
import { identityOf, people } from './people.ts';
import { type IdentityProvider, ProviderAway } from './provider.ts';
import { holdAccount } from './roles.ts';

/** Where a user of a provider is known by. */
const COLUMN = { google: 'gmail_user_id', facebook: 'facebook_user_id' } as const;
export const NAME = { google: 'Google', facebook: 'Facebook' } as const;
export type Kind = keyof typeof COLUMN;

/**
 * The user of that id there; at first, the user of that e-mail, if nobody else stands for them there.
 * @throws RestError 503 where the provider can't be asked, 401 where the user can't be linked
 */
export async function userOfProvider(
  db: Database,
  kind: Kind,
  provider: IdentityProvider,
  token: string,
): Promise<Identity | undefined> {
  const found = await provider.identify(token).catch((error) => {
    if (!(error instanceof ProviderAway)) throw error;
    throw new RestError(503, `${NAME[kind]} can’t be asked now; try again`);
  });
  if (!found) return undefined;
  const known = await people(db).where(`person.${COLUMN[kind]}`, '=', found.id).executeTakeFirst();
  if (known) return identityOf(known);
  await link(db, kind, found);
  const now = await people(db).where(`person.${COLUMN[kind]}`, '=', found.id).executeTakeFirst();
  return now && identityOf(now);
}

/** Whoever signed up by that e-mail never showed that it is theirs: all that they can come in by ends. */
const link = (db: Database, kind: Kind, { id, email }: { id: string; email: string }): Promise<void> =>
  db.transaction().execute(async (tx) => {
    const person = await tx
      .selectFrom('person')
      .select(['id', 'account_id'])
      .where('email', '=', email)
      .where(COLUMN[kind], 'is', null)
      .where('deleted_on', 'is', null)
      .where((w) => w.not(w.exists(w.selectFrom('person as other').where(`other.${COLUMN[kind]}`, '=', id))))
      .executeTakeFirst();
    if (!person) return;
    await holdAccount(tx, person.account_id);
    const other = await tx
      .selectFrom('person')
      .select('id')
      .where('account_id', '=', person.account_id)
      .where('id', '<>', person.id)
      .where('deleted_on', 'is', null)
      .executeTakeFirst();
    if (other) throw new RestError(401, `${NAME[kind]} is linked to the only user of an account; this one has more`);
    const nobodyElse = { gmail_user_id: null, facebook_user_id: null, [COLUMN[kind]]: id };
    const linkedNow = await tx
      .updateTable('person')
      .set({
        ...nobodyElse,
        password_hash: nobodysHash(),
        password_count: sql`password_count + 1`,
        verified_on: new Date(),
      })
      .where('id', '=', person.id)
      .where('email', '=', email)
      .where(COLUMN[kind], 'is', null)
      .executeTakeFirst();
    if (linkedNow.numUpdatedRows === 0n) return;
    await tx.deleteFrom('api_key').where('person_id', '=', person.id).execute();
    await tx.deleteFrom('password_reset').where('person_id', '=', person.id).execute();
    await tx.deleteFrom('email_verification').where('person_id', '=', person.id).execute();
  });
