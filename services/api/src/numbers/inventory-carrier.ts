/** The carrier that every installation has: the numbers in its own table, from a file or a first start. */
import { sql } from 'kysely';
import type { Database } from '../database/database.ts';
import { likeOf } from '../kernel/mask.ts';
import type { NumberCarrier } from './carrier.ts';

const COLUMNS = ['tn', 'kind', 'country', 'state', 'city', 'rate_center', 'features', 'nrc', 'mrc'] as const;

export const inventoryCarrier = (db: Database): NumberCarrier => ({
  async search({ patterns, type, country, state, city, rateCenter, features, take, skip }) {
    let free = db
      .selectFrom('inventory')
      .where((w) =>
        w.not(
          w.exists(
            w
              .selectFrom('lease')
              .select('lease.id')
              .whereRef('lease.tn', '=', 'inventory.tn')
              .where('lease.released_on', 'is', null),
          ),
        ),
      );
    for (const mask of patterns) free = free.where(sql<string>`right(inventory.tn, 10)`, 'like', likeOf(mask));
    const wanted = free
      .$if(type !== undefined, (q) => q.where('kind', '=', type!))
      .$if(country !== undefined, (q) => q.where('country', '=', country!.toUpperCase()))
      .$if(state !== undefined, (q) => q.where('state', '=', state!.toUpperCase()))
      .$if(city !== undefined, (q) => q.where(sql`lower(city)`, '=', city!.toLowerCase()))
      .$if(rateCenter !== undefined, (q) => q.where('rate_center', '=', rateCenter!.toUpperCase()))
      .$if(features !== undefined, (q) => q.where(sql<boolean>`features @> ${features}::text[]`));
    const [{ total }, found] = await Promise.all([
      wanted.select(db.fn.countAll<string>().as('total')).executeTakeFirstOrThrow(),
      wanted.select(COLUMNS).orderBy('tn').limit(take).offset(skip).execute(),
    ]);
    return { total: Number(total), found };
  },
  async countries() {
    const rows = await db.selectFrom('inventory').select('country').distinct().orderBy('country').execute();
    return rows.map(({ country }) => country);
  },
  async offers(tx, tns) {
    const rows = await tx
      .selectFrom('inventory')
      .leftJoin('lease', (join) => join.onRef('lease.tn', '=', 'inventory.tn').on('lease.released_on', 'is', null))
      .where('inventory.tn', 'in', tns)
      .select(['inventory.tn', 'kind', 'country', 'state', 'city', 'rate_center', 'inventory.features', 'nrc', 'mrc'])
      .select('lease.id as lease_id')
      .execute();
    return rows.map(({ lease_id, ...offer }) => ({ ...offer, isTaken: lease_id !== null }));
  },
});
