/** Transactions summed: a month by what it went for, days of one kind (reference 2.16). Days and months are the account's own. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type RawBuilder, sql } from 'kysely';
import { type Static, Type } from 'typebox';
import type { Database } from '../../database/database.ts';
import { answers, Moment, ok, stamp } from '../../rest/envelope.ts';
import { badInput } from '../../rest/errors.ts';
import { type Http, operation } from '../../rest/operation.ts';
import { RefType } from './transactions.ts';

const DAYS_MAX = 366;

/** A moment, or a day of the account’s clock. */
const When = Type.Optional(Type.Union([Moment, Type.String({ format: 'date' })]));
const Span = Type.Object({ from: When, to: When });
const Invoice = Type.Object(
  {
    from: Moment,
    to: Moment,
    report: Type.Array(Type.Object({ ref_type: Type.String(), amount: Type.Number() })),
  },
  { title: 'Invoice' },
);
const Dashboard = Type.Object(
  {
    from: Moment,
    to: Moment,
    ref_type: Type.String(),
    report: Type.Array(Type.Object({ date: Type.String(), count: Type.Integer(), sum: Type.Number() })),
  },
  { title: 'Dashboard' },
);

/** Now by the account's clock, in a query of `account`. */
const NOW = sql`now() at time zone time_zone`;
const bound = (given: string | undefined, otherwise: RawBuilder<unknown>) => {
  if (given === undefined) return sql<Date>`(${otherwise}) at time zone time_zone`;
  return given.length > 10 ? sql<Date>`${given}::timestamptz` : sql<Date>`${given}::timestamp at time zone time_zone`;
};

const inSpan = (db: Database, accountId: string, { from, to }: { from: Date; to: Date }) =>
  db
    .selectFrom('transaction')
    .where('account_id', '=', accountId)
    .where('created_on', '>=', from)
    .where('created_on', '<', to);

/** From the first until before the last. @throws RestError 400 */
async function spanOf(
  db: Database,
  accountId: string,
  asked: Static<typeof Span>,
  otherwise: { from: RawBuilder<unknown>; to: RawBuilder<unknown> },
) {
  const span = await db
    .selectFrom('account')
    .select([bound(asked.from, otherwise.from).as('from'), bound(asked.to, otherwise.to).as('to'), 'time_zone'])
    .where('id', '=', accountId)
    .executeTakeFirstOrThrow();
  const days = (span.to.getTime() - span.from.getTime()) / 86_400_000;
  if (days <= 0) throw badInput({ 'query.to': { message: 'must be after from' } });
  if (days > DAYS_MAX) throw badInput({ 'query.from': { message: `must be within ${DAYS_MAX} days before to` } });
  return span;
}

export const moneyReports =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) => {
    getTransactionInvoiceReport(http, db);
    getTransactionDashboardReport(http, db);
  };

function getTransactionInvoiceReport(http: Http, db: Database): void {
  const invoice = {
    ...operation(
      'GetTransactionInvoiceReport',
      'Money',
      'Sum what was charged and credited',
      'By what it was for; the calendar month before this one unless told otherwise.',
    ),
    querystring: Span,
    response: answers(Invoice),
  };
  http.get('/transaction/report/invoice', { schema: invoice }, async ({ identity, query }) => {
    const month = sql`date_trunc('month', ${NOW})`;
    const span = await spanOf(db, identity.accountId, query, { from: sql`${month} - interval '1 month'`, to: month });
    const rows = await inSpan(db, identity.accountId, span)
      .select(['ref_type', sql<string>`sum(amount)`.as('amount')])
      .groupBy('ref_type')
      .orderBy('ref_type')
      .execute();
    const report = rows.map(({ ref_type, amount }) => ({ ref_type, amount: Number(amount) }));
    return ok({ from: stamp(span.from), to: stamp(span.to), report });
  });
}

function getTransactionDashboardReport(http: Http, db: Database): void {
  const dashboard = {
    ...operation(
      'GetTransactionDashboardReport',
      'Money',
      'Sum one kind of transactions by day',
      'Days without any are left out; the last 30 days unless told otherwise.',
    ),
    params: Type.Object({ ref_type: RefType }),
    querystring: Span,
    response: answers(Dashboard),
  };
  http.get('/transaction/report/dashboard/:ref_type', { schema: dashboard }, async ({ identity, params, query }) => {
    const { ref_type } = params;
    const span = await spanOf(db, identity.accountId, query, { from: sql`${NOW} - interval '30 days'`, to: NOW });
    const day = sql<string>`to_char(created_on at time zone ${sql.lit(span.time_zone)}, 'YYYY-MM-DD')`;
    const rows = await inSpan(db, identity.accountId, span)
      .where('ref_type', '=', ref_type)
      .select([day.as('date'), sql<string>`count(*)`.as('count'), sql<string>`sum(amount)`.as('sum')])
      .groupBy(day)
      .orderBy(day)
      .execute();
    const report = rows.map(({ date, count, sum }) => ({ date, count: Number(count), sum: Number(sum) }));
    return ok({ from: stamp(span.from), to: stamp(span.to), ref_type, report });
  });
}
