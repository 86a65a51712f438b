/** The calls of an account that a search asks for, as a query: its filters, each by an index. */
import { type Expression, type SqlBool, sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import { joined } from '../../rest/search.ts';
import { wasThere } from './log-pages.ts';
import { isLike, windowOf } from './masks.ts';

/** What calls are searched by; `mode`: how it goes together, but for times. */
export type Filters = {
  direction?: 'in' | 'out';
  from?: string;
  to?: string;
  tn?: string | number;
  state?: 'online' | 'offline';
  sip_control_app?: string;
  created_on_from?: string;
  created_on_to?: string;
  modified_on_from?: string;
  modified_on_to?: string;
  mode?: 'AND' | 'OR';
};

/** By the collation of their indexes. */
export const caller = sql<string>`caller collate "C"`;
export const called = sql<string>`called collate "C"`;
export const ownNumber = sql<string>`(case direction when 'in' then called else caller end) collate "C"`;
export const modified = sql<Date>`greatest(created_on, ring_on, answer_on, hangup_on)`;

/** What is asked of a call, but for times. `snapshot`: a call is over that was over then. */
function wanted({ direction, from, to, tn, state, sip_control_app }: Filters, snapshot: string): Expression<SqlBool>[] {
  const over = wasThere('ended_by', snapshot);
  const found: Array<Expression<SqlBool> | undefined> = [
    direction === undefined ? undefined : sql<boolean>`direction = ${direction}`,
    isLike(caller, from),
    isLike(called, to),
    isLike(ownNumber, tn),
    state === undefined
      ? undefined
      : state === 'offline'
        ? sql<boolean>`coalesce(${over}, false)`
        : sql<boolean>`(ended_by is null or (ended_by >= pg_snapshot_xmin(${snapshot}::pg_snapshot) and not ${over}))`,
    sip_control_app === undefined ? undefined : sql<boolean>`app_id = ${sip_control_app}`,
  ];
  return found.filter((of) => of !== undefined);
}

/** What is always asked: whose, and when. */
function inTime(db: Database, accountId: string, body: Filters, snapshot: string) {
  const { created_on_from, created_on_to, modified_on_from, modified_on_to } = body;
  // A call is never changed before it began: said so that the index by that time is entered there.
  const to = [created_on_to, modified_on_to].filter((at) => at !== undefined);
  return db
    .selectFrom('call_log')
    .where('account_id', '=', accountId)
    .where(wasThere('added_by', snapshot))
    .$if(created_on_from !== undefined, (q) => q.where('created_on', '>=', new Date(created_on_from!)))
    .$if(to.length > 0, (q) => q.where('created_on', '<=', new Date(Math.min(...to.map((at) => Date.parse(at))))))
    .$if(modified_on_from !== undefined, (q) => q.where(modified, '>=', new Date(modified_on_from!)))
    .$if(modified_on_to !== undefined, (q) => q.where(modified, '<=', new Date(modified_on_to!)));
}

/** What a filter asks of a call and the index by time has. */
const COVERED = ['id', 'created_on', 'direction', 'caller', 'called', 'ended_by'] as const;

/**
 * The calls that are asked for. `oldest`: calls from before were not looked at. `isMasked`: nobody knows how many calls have to be
 * looked at for a page of them by time. `isFiltered`: is more asked than when they began? `base`, `filter` and the `columns` it asks: their parts.
 */
export async function searched(db: Database, accountId: string, body: Filters, snapshot: string) {
  const filters = wanted(body, snapshot);
  const masks = [body.from, body.to, body.tn];
  const isMasked = masks.some((mask) => mask !== undefined);
  const oldest = await windowOf(inTime(db, accountId, {}, snapshot), masks);
  const timely = inTime(db, accountId, body, snapshot);
  const base = oldest === undefined ? timely : timely.where('created_on', '>', oldest);
  const filter = joined(body.mode, filters);
  const isFiltered = filters.length > 0 || body.modified_on_from !== undefined || body.modified_on_to !== undefined;
  const columns = [...COVERED, ...(body.sip_control_app === undefined ? [] : (['app_id'] as const))];
  return { mine: base.where(filter), base, filter, columns, oldest, isFiltered, isMasked };
}

export type Searched = Awaited<ReturnType<typeof searched>>;
export type Mine = Searched['mine'];
