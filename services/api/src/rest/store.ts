/**
 * How a table keeps what an owner has, for the five routes of `resource.ts`. Whatever is asked is bound to the owner, who
 * has so many at most; what another row names stays, and what must be there once is there once. What differs from thing to
 * thing is its columns; a thing that is made, changed or removed otherwise puts its own function over one of these.
 */
import { randomUUID } from 'node:crypto';
import type { Insertable, Kysely, Selectable, SelectQueryBuilder, Updateable } from 'kysely';
import { whileNamed, whileTaken } from '../database/constraints.ts';
import type { Database, Tables } from '../database/database.ts';
import { mustHaveRoom } from '../database/quota.ts';
import type { Identity } from './auth/identity.ts';
import type { Store } from './resource.ts';

/** Rows of an account. Those of a domain: `OF_DOMAIN`. */
export const OF_ACCOUNT = { owner: 'account', ownerId: ({ accountId }: Identity) => accountId } as const;

/** `S`: whose they are; `R`: a row as it is read; `T`: as it is shown. */
type Kept<S, K extends keyof Tables, R, T> = {
  table: K;
  /** By which column a row is somebody's (`account_id`, `domain_id`), and who that is. */
  owner: 'account' | 'domain';
  ownerId(whose: S): string;
  /** How many an owner may have; a list shows them all. */
  max: number;
  /** The rows of the owner, in any order, with all that is shown of them. */
  read(whose: S): SelectQueryBuilder<never, never, R> | SelectQueryBuilder<Tables, keyof Tables, R>;
  shown(rows: R[], whose: S): T[] | Promise<T[]>;
  /** Of a list; by age unless told otherwise. */
  order?: keyof R & string;
  /** What the last part of a path is, where it isn't the id. */
  key?: { column: keyof Selectable<Tables[K]> & string; of(text: string): string };
  /** What a removal is refused by (409) while another row names this one. */
  whileNamed?: string;
};

type Columns<K extends keyof Tables> = Omit<Insertable<Tables[K]>, 'id' | 'account_id' | 'domain_id'>;

type Written<S, K extends keyof Tables, N, C> = {
  /** What it names must be there. @throws Refusal invalid */
  check?(given: N | C, whose: S): Promise<void>;
  fresh(body: N, id: string): Columns<K> | Promise<Columns<K>>;
  changed(change: C): Updateable<Tables[K]>;
  /** What is refused (409) where there is one already. */
  whileTaken?: string;
};

/** Every table here has these. Which one it is Kysely doesn't know of a table that is a parameter. */
type AnyTables = Record<'any', { id: string; created_on: Date; modified_on: Date; [column: string]: unknown }>;

const rethrow = (error: unknown): never => {
  throw error;
};

const anyOf = (database: Database) => database as unknown as Kysely<AnyTables>;
const keyOf = <S, K extends keyof Tables, R, T>({ key }: Kept<S, K, R, T>, text: string): [string, string] =>
  key ? [key.column, key.of(text)] : ['id', text];
const rowsOf = <S, K extends keyof Tables, R, T>(database: Database, of: Kept<S, K, R, T>, whose: S) => {
  const rows = of.read(whose) as unknown as SelectQueryBuilder<AnyTables, 'any', AnyTables['any']>;
  return anyOf(database).selectFrom(rows.as('kept')).selectAll();
};

async function find<S, K extends keyof Tables, R, T>(
  database: Database,
  of: Kept<S, K, R, T>,
  [column, value]: [string, string],
  whose: S,
): Promise<T | undefined> {
  const rows = await rowsOf(database, of, whose).where(column, '=', value).limit(1).execute();
  return (await of.shown(rows as R[], whose))[0];
}

/** What is read and removed alike. */
export function kept<S, K extends keyof Tables, R, T>(
  database: Database,
  of: Kept<S, K, R, T>,
): Pick<Store<S, T, never, never>, 'list' | 'one' | 'remove'> {
  return {
    one: (text, whose) => find(database, of, keyOf(of, text), whose),
    async list(whose) {
      const { order = 'created_on', max } = of;
      const rows = await rowsOf(database, of, whose).orderBy(order).orderBy('id').limit(max).execute();
      return of.shown(rows as R[], whose);
    },
    async remove(text, whose) {
      const [column, value] = keyOf(of, text);
      const found = await find(database, of, [column, value], whose);
      if (found === undefined) return undefined;
      const { numDeletedRows } = await anyOf(database)
        .deleteFrom(of.table as 'any')
        .where(column, '=', value)
        .where(`${of.owner}_id`, '=', of.ownerId(whose))
        .executeTakeFirst()
        .catch(of.whileNamed ? whileNamed(of.whileNamed) : rethrow);
      return numDeletedRows > 0n ? found : undefined;
    },
  };
}

/** All five. */
export function storeIn<S, K extends keyof Tables, R, T, N, C>(
  database: Database,
  of: Kept<S, K, R, T> & Written<S, K, N, C>,
): Store<S, T, N, C> {
  const { table, owner, max } = of;
  const db = anyOf(database);
  const unlessTaken = of.whileTaken ? whileTaken(of.whileTaken) : rethrow;
  return {
    ...kept(database, of),
    async make(body, whose) {
      await of.check?.(body, whose);
      const id = randomUUID();
      const fresh = { ...(await of.fresh(body, id)), id, [`${owner}_id`]: of.ownerId(whose) };
      await db.transaction().execute(async (tx) => {
        await mustHaveRoom(tx, table, of.ownerId(whose), max, owner);
        const insert = tx.insertInto(table as 'any').values(fresh);
        await insert.execute().catch(unlessTaken);
      });
      return (await find(database, of, ['id', id], whose))!;
    },
    async change(text, change, whose) {
      await of.check?.(change, whose);
      const [column, value] = keyOf(of, text);
      await db
        .updateTable(table as 'any')
        .set({ ...of.changed(change), modified_on: new Date() })
        .where(column, '=', value)
        .where(`${owner}_id`, '=', of.ownerId(whose))
        .execute()
        .catch(unlessTaken);
      return find(database, of, [column, value], whose);
    },
  };
}
