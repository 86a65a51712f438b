/** Masks of numbers, as the logs are searched by them (reference 2.1). */
import { type Expression, type SelectQueryBuilder, type SqlBool, sql } from 'kysely';
import { Type } from 'typebox';
import { likeOf } from '../../kernel/mask.ts';

export const Mask = Type.String({
  minLength: 1,
  maxLength: 64,
  description: '* any run, % one position; of a number +1… as well as 1….',
});
/** A number may be told as one, too. */
export const OwnNumber = Type.Union([Mask, Type.Integer()], {
  description: 'The number of the account: called or calling.',
});

const ANY = '*';

/** `+1305*` finds a number however it came on the wire: with its plus or without. Undefined: any will do. */
export function isLike(column: Expression<string>, mask: string | number | undefined): Expression<SqlBool> | undefined {
  if (mask === undefined || mask === ANY) return undefined;
  const wanted = String(mask);
  return wanted.startsWith('+')
    ? sql<boolean>`(${column} like ${likeOf(wanted)} or ${column} like ${likeOf(wanted.slice(1))})`
    : sql<boolean>`${column} like ${likeOf(wanted)}`;
}

/** A mask that begins with a wildcard has no index: so many of the newest rows are held against it. */
const WINDOW = 20_000;
const beginsOpen = (mask: unknown) => typeof mask === 'string' && mask !== ANY && /^\+?[*%]/.test(mask);

/**
 * The oldest row that is held against these masks. Undefined: each of them has an index, or there are no more rows than that.
 * @param rows those of whoever asks, without order and bound
 */
export async function windowOf<DB, T extends keyof DB>(
  rows: SelectQueryBuilder<DB, T, object>,
  masks: unknown[],
): Promise<Date | undefined> {
  if (!masks.some(beginsOpen)) return undefined;
  const oldest = await rows
    .select(sql<Date>`created_on`.as('created_on'))
    .orderBy(sql`created_on`, 'desc')
    .offset(WINDOW)
    .limit(1)
    .executeTakeFirst();
  return (oldest as { created_on: Date } | undefined)?.created_on;
}
