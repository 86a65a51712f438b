/** What was charged and credited, for whoever pays (reference 2.16). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Database } from '../database/database.ts';
import { answers, Moment, ok, optionalBody, PageQuery, pageOf, stamp, Uuid } from './envelope.ts';
import { operation } from './operation.ts';

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
