/** Balances: every change is a transaction, each thing is billed once, and a balance never falls below zero by an order. */
import { randomUUID } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Kysely, sql } from 'kysely';
import { Type } from 'typebox';
import type { Database, Tables } from '../database/database.ts';
import { answers, Moment, ok, optionalBody, PageQuery, pageOf, stamp, Uuid } from './envelope.ts';
import { RestError } from './errors.ts';
import { operation } from './operation.ts';

/** What a transaction is about (reference A.1, ETransactionReferenceType); these are written so far. */
export type Reason = 'payment' | 'tnlease_nrc' | 'tnlease_mrc';

/**
 * Takes (negative) or gives an amount, in the transaction that does what is paid for. The same thing twice moves nothing.
 * @throws RestError 402 where the balance is too low
 */
export async function move(
  tx: Kysely<Tables>,
  of: { accountId: string; amount: number; reason: Reason; ref: string; description: string },
): Promise<void> {
  const { accountId, amount, reason, ref, description } = of;
  if (amount === 0) return;
  const done = await tx
    .selectFrom('transaction')
    .select('id')
    .where('account_id', '=', accountId)
    .where('ref_type', '=', reason)
    .where('ref_id', '=', ref)
    .executeTakeFirst();
  if (done) return;
  const account = await tx
    .updateTable('account')
    .set({ balance: sql`balance + ${amount}`, modified_on: new Date() })
    .where('id', '=', accountId)
    .where(sql<boolean>`balance + ${amount} >= 0`)
    .returning('balance')
    .executeTakeFirst();
  if (!account) throw new RestError(402, `the balance is too low: ${(-amount).toFixed(2)} is needed`);
  await tx
    .insertInto('transaction')
    .values({
      id: randomUUID(),
      account_id: accountId,
      amount: String(amount),
      balance_after: account.balance,
      ref_type: reason,
      ref_id: ref,
      description,
    })
    .execute();
}

const Transaction = Type.Object({
  uuid: Uuid,
  amount: Type.Number(),
  account_balance_after: Type.Number(),
  ref_type: Type.String(),
  ref_uuid: Type.String(),
  description: Type.String(),
  created_on: Moment,
});

export const money =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) => {
    const Body = Type.Object({ ref_type: Type.Optional(Type.String({ maxLength: 64 })) });
    const schema = {
      ...operation('SearchTransactions', 'Money', 'Search transactions'),
      querystring: PageQuery,
      body: optionalBody(Body),
      response: answers(pageOf(Transaction)),
    };
    http.post('/transaction/search', { schema }, async ({ identity, query, body }) => {
      const { take = 10, skip = 0 } = query;
      const rows = db
        .selectFrom('transaction')
        .where('account_id', '=', identity.accountId)
        .$if(body?.ref_type !== undefined, (q) => q.where('ref_type', '=', body!.ref_type!));
      const [{ total }, found] = await Promise.all([
        rows.select(db.fn.countAll<string>().as('total')).executeTakeFirstOrThrow(),
        rows.selectAll().orderBy('created_on', 'desc').orderBy('id').limit(take).offset(skip).execute(),
      ]);
      const data = found.map((row) => ({
        uuid: row.id,
        amount: Number(row.amount),
        account_balance_after: Number(row.balance_after),
        ref_type: row.ref_type,
        ref_uuid: row.ref_id,
        description: row.description,
        created_on: stamp(row.created_on),
      }));
      return ok({ take, skip, total: Number(total), data });
    });
  };
