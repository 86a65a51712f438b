/**
 * What every search of the reference (2.1) shares beside its filters: pages in the query or the body, all or any of the
 * filters (`mode`), the order, and when rows were made or changed. Whose rows they are is never a filter.
 */
import { type Expression, expressionBuilder, type SqlBool, sql } from 'kysely';
import { type Static, type TProperties, type TSchema, Type } from 'typebox';
import { Moment, type PageQuery, pageOf } from './envelope.ts';

const ORDERS_MAX = 6;
const TAKE = 10;

const Mode = Type.Union([Type.Literal('AND'), Type.Literal('OR')]);
/** Which way an order goes. */
export const Direction = Type.Union([Type.Literal('ASC'), Type.Literal('DESC')]);
/** A page as a body asks for it; without defaults, since the query may say it, too. */
export const BODY_PAGE = {
  take: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
  skip: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
};
/** When rows were made or changed. */
export const MOMENTS = {
  created_on_from: Type.Optional(Moment),
  created_on_to: Type.Optional(Moment),
  modified_on_from: Type.Optional(Moment),
  modified_on_to: Type.Optional(Moment),
};

/** @param columns by the names of `order`: the columns that rows can be put in order by. */
export const searchBody = <F extends TProperties>(filters: F, columns: Record<string, string>) =>
  Type.Object({
    ...filters,
    ...BODY_PAGE,
    mode: Type.Optional(Mode),
    order: Type.Optional(
      Type.Object(
        Object.fromEntries(Object.keys(columns).map((name) => [name, Type.Optional(Direction)])) as TProperties,
        { maxProperties: ORDERS_MAX, description: 'In the order of its names.' },
      ),
    ),
    ...MOMENTS,
  });

/** A page with how it was asked for. */
export const searchPage = <T extends TSchema>(row: T) =>
  Type.Intersect([
    pageOf(row),
    Type.Object({ mode: Type.Optional(Mode), order: Type.Optional(Type.Record(Type.String(), Direction)) }),
  ]);

type Asked = {
  take?: number;
  skip?: number;
  mode?: 'AND' | 'OR';
  order?: Record<string, unknown>;
  created_on_from?: string;
  created_on_to?: string;
  modified_on_from?: string;
  modified_on_to?: string;
};

/** Where a page begins and how long it is; the query wins over the body. */
export const pagesOf = (query: Partial<PageQuery>, body: Asked) => ({
  take: body.take !== undefined && (query.take ?? TAKE) === TAKE ? body.take : (query.take ?? TAKE),
  skip: body.skip !== undefined && (query.skip ?? 0) === 0 ? body.skip : (query.skip ?? 0),
});

/** The conditions that were asked for, joined as `mode` says; none: true. */
export function joined(mode: 'AND' | 'OR' | undefined, conditions: Array<Expression<SqlBool> | undefined>) {
  const asked = conditions.filter((condition) => condition !== undefined);
  if (asked.length === 0) return sql<boolean>`true`;
  const build = expressionBuilder<never, never>();
  return mode === 'OR' ? build.or(asked) : build.and(asked);
}

/** @param table whose `created_on` and `modified_on` are meant; without the second where `hasChanged` is false. */
export function dated(body: Asked, table: string, hasChanged = true): Array<Expression<SqlBool> | undefined> {
  const column = (name: string) => sql.ref<Date>(`${table}.${name}`);
  const at = (moment: string) => new Date(moment);
  return [
    body.created_on_from && sql<boolean>`${column('created_on')} >= ${at(body.created_on_from)}`,
    body.created_on_to && sql<boolean>`${column('created_on')} <= ${at(body.created_on_to)}`,
    hasChanged && body.modified_on_from && sql<boolean>`${column('modified_on')} >= ${at(body.modified_on_from)}`,
    hasChanged && body.modified_on_to && sql<boolean>`${column('modified_on')} <= ${at(body.modified_on_to)}`,
  ].map((condition) => condition || undefined);
}

/** What rows are put in order by; the newest first unless told otherwise. */
export function orderOf(body: Asked, columns: Record<string, string>, otherwise: string) {
  const asked = Object.entries(body.order ?? {}).filter(([name]) => Object.hasOwn(columns, name));
  const terms = asked.map(([name, direction]) =>
    direction === 'DESC' ? sql`${sql.ref(columns[name]!)} desc` : sql`${sql.ref(columns[name]!)} asc`,
  );
  return terms.length > 0 ? sql.join(terms) : sql`${sql.ref(otherwise)} desc`;
}

/** What is said of a search in its answer. */
export const echoOf = ({ mode, order }: Asked) => ({
  ...(mode && { mode }),
  ...(order && { order: order as Static<ReturnType<typeof searchPage>>['order'] & object }),
});
