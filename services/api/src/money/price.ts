/** What a minute costs: the rate of the longest prefix, and amounts rounded to what a balance holds. It knows no account. */
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../database/database.ts';

/** `price`: per minute; of `tts`: per 1,000 characters. */
export type Rate = { price: number; incrementS: number };
type Direction = 'in' | 'out' | 'tts';

const FREE: Rate = { price: 0, incrementS: 60 };

/**
 * The rate of a number. Where a direction has no rates at all it costs nothing, except out: what a carrier bills us for is
 * sold at a rate or not at all. Where it has some, a number without one is not sold.
 * @returns undefined where the number is not sold
 */
export async function rateOf(tx: Kysely<Tables>, direction: Direction, number: string): Promise<Rate | undefined> {
  const row = await tx
    .selectFrom('rate')
    .select(['price', 'increment_s'])
    .where('direction', '=', direction)
    .where(sql<boolean>`starts_with(${number}::text, prefix)`)
    .orderBy(sql`length(prefix)`, 'desc')
    .executeTakeFirst();
  if (row) return { price: Number(row.price), incrementS: row.increment_s };
  if (direction === 'out') return undefined;
  const any = await tx.selectFrom('rate').select('prefix').where('direction', '=', direction).executeTakeFirst();
  return any ? undefined : FREE;
}

export type Rates = (direction: Direction, number: string) => Promise<Rate | undefined>;

/** Rates as a batch asks for them: of each number once. */
export function ratesOf(tx: Kysely<Tables>): Rates {
  const known = new Map<string, Promise<Rate | undefined>>();
  return (direction, number) => {
    const key = `${direction} ${number}`;
    const found = known.get(key) ?? rateOf(tx, direction, number);
    known.set(key, found);
    return found;
  };
}

const DECIMALS = 10_000;
/** To four decimals, upwards; what is only a float's error is none. */
const rounded = (amount: number) => Math.max(0, Math.ceil(amount * DECIMALS - 1e-6)) / DECIMALS;

/** The price of so many milliseconds: each increment that was begun. */
export function priceOf({ price, incrementS }: Rate, ms: number): number {
  return rounded((Math.ceil(ms / 1000 / incrementS) * incrementS * price) / 60);
}

export const priceOfSpeech = ({ price }: Rate, characters: number): number => rounded((characters * price) / 1000);
