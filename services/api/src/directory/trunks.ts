/**
 * Which trunk serves an account: its own; else one that an operator's command gave it; else, for the account that runs the
 * installation alone, the installation's. Nobody else dials at the operator's expense.
 */
import type { DirectoryV1 } from '@opentact/proto';
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../database/database.ts';
import type { Seal } from '../database/sealing/seal.ts';

type Trunk = { id: string; host: string; port: number; passes_original_caller: boolean };

/** Undefined: the account's numbers have no way out. */
export const trunkOf = (db: Kysely<Tables>, accountId: string): Promise<Trunk | undefined> =>
  db
    .selectFrom('trunk')
    .leftJoin('trunk_account as allowed', (on) =>
      on.onRef('allowed.trunk_id', '=', 'trunk.id').on('allowed.account_id', '=', accountId),
    )
    .select(['trunk.id', 'trunk.host', 'trunk.port', 'trunk.passes_original_caller'])
    .where((w) =>
      w.or([
        w('trunk.account_id', '=', accountId),
        w('allowed.account_id', 'is not', null),
        w.and([
          w('trunk.account_id', 'is', null),
          w.exists(
            w
              .selectFrom('account')
              .select('account.id')
              .where('account.id', '=', accountId)
              .where('account.level', '=', 'ServiceAccount'),
          ),
        ]),
      ]),
    )
    .orderBy(sql`trunk.account_id is null`)
    .orderBy(sql`allowed.account_id is null`)
    .orderBy('trunk.id')
    .limit(1)
    .executeTakeFirst();

/** For the edge alone: its credentials are in it. Undefined: there is none. */
export async function trunkById(
  db: Kysely<Tables>,
  id: string,
  seal: Seal,
): Promise<DirectoryV1.TrunkResponse | undefined> {
  const row = await db
    .selectFrom('trunk')
    .select(['id', 'host', 'port', 'transport', 'user', 'password', 'realm', 'media_from_anywhere'])
    .select([sql<string[]>`addresses::text[]`.as('addresses'), sql<string[]>`media_ranges::text[]`.as('ranges')])
    .where('id', '=', id)
    .executeTakeFirst();
  if (!row) return undefined;
  const password = await seal.openText(row.password, row.id);
  const { host, port, transport, user, realm, addresses, ranges, media_from_anywhere: fromAnywhere } = row;
  return {
    ...{ trunk: row.id, host, port, transport, user, password },
    realm: realm ?? undefined,
    endpoints: addresses.length > 0 ? { addresses } : undefined,
    media: ranges.length > 0 || fromAnywhere ? { ranges, fromAnywhere } : undefined,
  };
}
