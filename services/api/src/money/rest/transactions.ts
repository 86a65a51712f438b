/**
 * What was charged and credited, for whoever pays: searched, and one by one (reference 2.16). Payments themselves are a port that nothing stands behind; an Admin of the installation credits.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { sql } from 'kysely';
import { type Static, Type } from 'typebox';
import type { Database } from '../../database/database.ts';
import { likeOf } from '../../kernel/mask.ts';
import { answers, Moment, ok, optionalBody, PageQuery, stamp, Uuid, UuidPath } from '../../rest/envelope.ts';
import { notFound } from '../../rest/errors.ts';
import { operation } from '../../rest/operation.ts';
import { dated, echoOf, joined, orderOf, pagesOf, searchBody, searchPage } from '../../rest/search.ts';

const kinds = (name: string) => ['incoming', 'outgoing', 'nrc', 'mrc'].map((what) => `${name}_${what}`);
/** ETransactionReferenceType (reference A.1); `src/money/move.ts` has those that are written. */
const REF_TYPES = [
  ...['payment', 'tnlease_mrc', 'tnlease_nrc', 'tts'],
  ...['sms', 'mms', 'voice', 'fax', 'emergency'].flatMap(kinds),
];
export const RefType = Type.Unsafe<string>({ type: 'string', enum: REF_TYPES });

export const Transaction = Type.Object(
  {
    uuid: Uuid,
    amount: Type.Number({ description: 'Charged: below 0.' }),
    account_balance_before: Type.Number(),
    account_balance_after: Type.Number(),
    ref_type: Type.String(),
    ref_uuid: Type.String({ description: 'What it is about: a lease, a leg, a call, a payment.' }),
    description: Type.String(),
    created_on: Moment,
  },
  { title: 'Transaction' },
);
type Row = {
  id: string;
  amount: string;
  balance_after: string;
  ref_type: string;
  ref_id: string;
  description: string;
  created_on: Date;
};
export const transactionOf = (row: Row): Static<typeof Transaction> => ({
  uuid: row.id,
  amount: Number(row.amount),
  account_balance_before: Number((Number(row.balance_after) - Number(row.amount)).toFixed(4)),
  account_balance_after: Number(row.balance_after),
  ref_type: row.ref_type,
  ref_uuid: row.ref_id,
  description: row.description,
  created_on: stamp(row.created_on),
});

const ORDER = {
  created_on: 'created_on',
  amount: 'amount',
  ref_type: 'ref_type',
  account_balance_after: 'balance_after',
};
const Amount = Type.Optional(Type.Number({ minimum: -1e11, maximum: 1e11 }));
const Body = searchBody(
  {
    ref_type: Type.Optional(RefType),
    ref_uuid: Type.Optional(Type.String({ maxLength: 64 })),
    amount: Amount,
    account_balance_before: Amount,
    account_balance_after: Amount,
    description: Type.Optional(
      Type.String({ minLength: 1, maxLength: 255, description: '* any run, % one position.' }),
    ),
  },
  ORDER,
);

export const money =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) => {
    const searched = {
      ...operation('SearchTransactions', 'Money', 'Search transactions'),
      querystring: PageQuery,
      body: optionalBody(Body),
      response: answers(searchPage(Transaction)),
    };
    http.post('/transaction/search', { schema: searched }, async ({ identity, query, body: given }) => {
      const body = given ?? {};
      const { ref_type, ref_uuid, amount, description } = body;
      const { account_balance_before: before, account_balance_after: after } = body;
      const { take, skip } = pagesOf(query, body);
      const mine = db
        .selectFrom('transaction')
        .where('account_id', '=', identity.accountId)
        .where(
          joined(body.mode, [
            ref_type === undefined ? undefined : sql<boolean>`ref_type = ${ref_type}`,
            ref_uuid === undefined ? undefined : sql<boolean>`ref_id = ${ref_uuid}`,
            amount === undefined ? undefined : sql<boolean>`amount = ${amount}::numeric`,
            before === undefined ? undefined : sql<boolean>`balance_after - amount = ${before}::numeric`,
            after === undefined ? undefined : sql<boolean>`balance_after = ${after}::numeric`,
            description === undefined ? undefined : sql<boolean>`description ilike ${likeOf(description)}`,
            ...dated(body, 'transaction', false),
          ]),
        );
      const [{ total }, rows] = await Promise.all([
        mine.select(db.fn.countAll<string>().as('total')).executeTakeFirstOrThrow(),
        mine
          .selectAll()
          .orderBy(orderOf(body, ORDER, ORDER.created_on))
          .orderBy('id')
          .limit(take)
          .offset(skip)
          .execute(),
      ]);
      return ok({ take, skip, total: Number(total), data: rows.map(transactionOf), ...echoOf(body) });
    });

    const found = {
      ...operation('GetTransactionByUUID', 'Money', 'Read a transaction'),
      params: UuidPath,
      response: answers(Transaction, { failures: [404] }),
    };
    http.get('/transaction/:uuid', { schema: found }, async ({ identity, params }) => {
      const row = await db
        .selectFrom('transaction')
        .selectAll()
        .where('id', '=', params.uuid)
        .where('account_id', '=', identity.accountId)
        .executeTakeFirst();
      if (!row) throw notFound('transaction');
      return ok(transactionOf(row));
    });
  };
