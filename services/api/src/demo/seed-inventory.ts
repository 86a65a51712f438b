/** Numbers for a first start: fictitious ones (exchange 555-01XX, which nobody has), some in each of twenty areas. */
import { stateOf } from '@opentact/numbering';
import type { Transaction } from 'kysely';
import type { Tables } from '../database/database.ts';

const AREAS: Array<[npa: string, city: string]> = [
  ['202', 'Washington'],
  ['206', 'Seattle'],
  ['212', 'New York'],
  ['213', 'Los Angeles'],
  ['214', 'Dallas'],
  ['215', 'Philadelphia'],
  ['216', 'Cleveland'],
  ['303', 'Denver'],
  ['305', 'Miami'],
  ['312', 'Chicago'],
  ['313', 'Detroit'],
  ['404', 'Atlanta'],
  ['416', 'Toronto'],
  ['503', 'Portland'],
  ['504', 'New Orleans'],
  ['514', 'Montreal'],
  ['602', 'Phoenix'],
  ['604', 'Vancouver'],
  ['612', 'Minneapolis'],
  ['617', 'Boston'],
];
const EACH = 20;
const FIRST_LINE = 120; // below it lie numbers that examples use
const CANADIAN = new Set(['416', '514', '604']);

/** Only where the inventory is empty: what somebody imported stays alone. */
export async function seedInventory(tx: Transaction<Tables>): Promise<void> {
  if (await tx.selectFrom('inventory').select('tn').limit(1).executeTakeFirst()) return;
  const rows = AREAS.flatMap(([npa, city]) =>
    Array.from({ length: EACH }, (_, i) => ({
      tn: `1${npa}5550${FIRST_LINE + i}`,
      country: CANADIAN.has(npa) ? 'CA' : 'US',
      state: stateOf(`1${npa}5550100`),
      city,
      features: ['voice', 'sms'],
      nrc: '0',
      mrc: '1',
      demo: true,
    })),
  );
  await tx.insertInto('inventory').values(rows).execute();
}
