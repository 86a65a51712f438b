/**
 * Balances: every change is a transaction, each thing is billed once, and nothing that is ordered overdraws: what open legs
 * have come to, or keep back, is spent already.
 */
import { randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../database/database.ts';
import { Refusal } from '../kernel/refusal.ts';
import { COST, IS_OPEN } from './reserve.ts';

/** What a transaction is about (reference A.1, ETransactionReferenceType); these are written so far. */
export type Reason = 'payment' | 'tnlease_nrc' | 'tnlease_mrc' | 'voice_incoming' | 'voice_outgoing' | 'tts';

export type Movement = {
  accountId: string;
  /** Taken where negative. At most four decimals. */
  amount: number;
  reason: Reason;
  /** With the reason: what is billed. The same thing twice moves nothing. */
  ref: string;
  description: string;
  /** `overdraws`: what was used already is taken even where it leaves less than nothing. `caps`: as much of it as there is. */
  overdraws?: boolean;
  caps?: boolean;
};

/** Balances and amounts have four decimals; they are reckoned in whole ten-thousandths. */
const UNITS = 10_000;
const FLOAT_ERROR = 1e-6;
const unitsOf = (amount: number) => Math.round(amount * UNITS);

/** Takes or gives one amount: `moveAll`. @returns whether anything was moved */
export const move = async (tx: Kysely<Tables>, of: Movement): Promise<boolean> => (await moveAll(tx, [of])) > 0;

/**
 * Takes or gives amounts, one after the other, in the transaction that does what is paid for: some statements, however many
 * they are. It locks the rows of their accounts.
 * @returns how many were moved; none of what was billed before
 * @throws Refusal unaffordable where a balance is too low, or there is no such account
 */
export async function moveAll(tx: Kysely<Tables>, movements: readonly Movement[]): Promise<number> {
  const asked = movements.filter(({ amount }) => amount !== 0);
  if (asked.length === 0) return 0;
  const balances = await lockAccounts(tx, asked);
  // Read after the lock, so that nobody bills the same meanwhile.
  const done = await billedOf(tx, asked);
  const open = await openCosts(tx, asked.filter(isBounded));
  const moved: Moved[] = [];
  for (const of of asked) {
    if (done.has(nameOf(of))) continue;
    done.add(nameOf(of));
    const before = balances.get(of.accountId);
    const left = isBounded(of) ? (before ?? 0) - (open.get(of.accountId) ?? 0) : Number.POSITIVE_INFINITY;
    const wanted = unitsOf(of.amount);
    const isTooMuch = left + wanted < 0;
    if (before === undefined || (isTooMuch && !of.caps))
      throw new Refusal('unaffordable', `the balance is too low: ${(-of.amount).toFixed(2)} is needed`);
    const units = isTooMuch ? -Math.max(0, left) : wanted;
    balances.set(of.accountId, before + units);
    const description = units === wanted ? of.description : `${of.description}; of ${-of.amount} what there was`;
    moved.push({ of, units, after: before + units, description });
  }
  if (moved.length > 0) await keepMoved(tx, moved);
  return moved.length;
}

/** `units`, `after`: what was moved and the balance behind it, in ten-thousandths. */
type Moved = { of: Movement; units: number; after: number; description: string };

/** May it not take more than there is? */
const isBounded = ({ amount, overdraws }: Movement): boolean => amount < 0 && !overdraws;

const nameOf = ({ accountId, reason, ref }: Movement): string => `${accountId.toLowerCase()} ${reason} ${ref}`;

/** @returns balances in ten-thousandths, by the accounts that there are */
async function lockAccounts(tx: Kysely<Tables>, movements: Movement[]): Promise<Map<string, number>> {
  const rows = await tx
    .selectFrom('account')
    .select(['id', 'balance'])
    .where('id', 'in', [...new Set(movements.map(({ accountId }) => accountId))])
    .orderBy('id')
    // Rows that name the account may be written meanwhile: theirs is a key share, which this lock admits.
    .forNoKeyUpdate()
    .execute();
  return new Map(rows.map(({ id, balance }) => [id, unitsOf(Number(balance))]));
}

async function billedOf(tx: Kysely<Tables>, movements: Movement[]): Promise<Set<string>> {
  const of = (value: (movement: Movement) => string) => movements.map(value);
  const { rows } = await sql<{ accountId: string; reason: Reason; ref: string }>`
    select account_id as "accountId", ref_type as reason, ref_id as ref from transaction
    where (account_id, ref_type, ref_id) in (
      select * from unnest(
        ${of(({ accountId }) => accountId)}::uuid[], ${of(({ reason }) => reason)}::text[], ${of(({ ref }) => ref)}::text[]
      ))`.execute(tx);
  return new Set(rows.map((row) => nameOf({ ...row, amount: 0, description: '' })));
}

/** What open legs have come to or keep back, in ten-thousandths, upwards. Asked once the accounts are locked. */
async function openCosts(tx: Kysely<Tables>, movements: Movement[]): Promise<Map<string, number>> {
  if (movements.length === 0) return new Map();
  const rows = await tx
    .selectFrom('outbound_leg')
    .select(['account_id', sql<string>`coalesce(sum(${COST}) filter (where ${IS_OPEN}), 0)`.as('open')])
    .where('account_id', 'in', [...new Set(movements.map(({ accountId }) => accountId))])
    .where('ended_on', 'is', null)
    .groupBy('account_id')
    .execute();
  return new Map(rows.map(({ account_id, open }) => [account_id, Math.ceil(Number(open) * UNITS - FLOAT_ERROR)]));
}

async function keepMoved(tx: Kysely<Tables>, moved: Moved[]): Promise<void> {
  const sums = new Map<string, number>();
  for (const { of, units } of moved) sums.set(of.accountId, (sums.get(of.accountId) ?? 0) + units);
  const amounts = [...sums.values()].map(amountOf);
  await sql`
    update account set balance = balance + moved.amount, modified_on = ${new Date()}
    from unnest(${[...sums.keys()]}::uuid[], ${amounts}::numeric[]) as moved (id, amount)
    where account.id = moved.id`.execute(tx);
  await tx
    .insertInto('transaction')
    .values(
      moved.map(({ of, units, after, description }, nth) => ({
        id: randomUUID(),
        account_id: of.accountId,
        amount: amountOf(units),
        balance_after: amountOf(after),
        ref_type: of.reason,
        ref_id: of.ref,
        description,
        // One after the other, as they were moved.
        created_on: sql<Date>`clock_timestamp() + ${nth}::int * interval '1 microsecond'`,
      })),
    )
    .execute();
}

const amountOf = (units: number): string => (units / UNITS).toFixed(4);
