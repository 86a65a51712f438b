/**
 * Which columns hold secrets, and the pass over them that seals what isn't sealed yet, or not by the newest key. At every
 * start, and by `npm run ops -- seal rotate`; several processes at once may do it, and nothing is ever unreadable meanwhile.
 */
import { type Kysely, sql } from 'kysely';
import type { Database, Tables } from '../database.ts';
import { MARK, openWith, type Seal, TEXT_MARK } from './seal.ts';

/** `id`: the column by which a row is sealed. `old`: what isn't marked was sealed by the key in `secret`, before keys lay outside. */
type Column = { table: keyof Tables; id: string; column: string; kind: 'bytes' | 'text' | 'old' };

const COLUMNS: readonly Column[] = [
  { table: 'secret', id: 'name', column: 'value', kind: 'bytes' },
  { table: 'app', id: 'id', column: 'signing_key', kind: 'bytes' },
  { table: 'account', id: 'id', column: 'signing_key', kind: 'bytes' },
  { table: 'sip_user', id: 'id', column: 'digests', kind: 'old' },
  { table: 'sip_invite', id: 'id', column: 'token', kind: 'old' },
  { table: 'trunk', id: 'id', column: 'password', kind: 'text' },
];
/** The row of `secret` that sealed until then; it goes once nothing is sealed by it. */
const OLD_KEY = 'seal';
const ROWS_AT_ONCE = 200;
const ID_AT = MARK.length + 1;

type Row = { id: string; stored: Buffer | string };

/** @returns how many values were sealed. @throws Error where one can't be opened: it stays as it is, and the others are sealed first */
export async function sealRows(db: Database, seal: Seal): Promise<number> {
  const old = await db.selectFrom('secret').select('value').where('name', '=', OLD_KEY).executeTakeFirst();
  let sealed = 0;
  const faults: string[] = [];
  for (const column of COLUMNS) {
    for (let after = ''; ; ) {
      const rows = await stale(db, column, await seal.newest(), after);
      for (const row of rows) {
        try {
          if (await replace(db, column, row, await again(seal, column, row, old?.value))) sealed++;
        } catch (error) {
          faults.push(`${column.table} ${row.id}: ${(error as Error).message}`);
        }
      }
      if (rows.length < ROWS_AT_ONCE) break;
      after = rows.at(-1)!.id;
    }
  }
  if (faults.length > 0) throw new Error(`${faults.length} values can't be opened; the first: ${faults[0]}`);
  if (old) await db.deleteFrom('secret').where('name', '=', OLD_KEY).execute();
  return sealed;
}

/** What begins a value that the newest key sealed; empty texts hold no secret. */
const stale = async (
  db: Database,
  { table, id, column, kind }: Column,
  newest: Buffer,
  after: string,
): Promise<Row[]> => {
  const [key, value] = [sql.ref(id), sql.ref(column)];
  const isStale =
    kind === 'text'
      ? sql`${value} <> '' and case when starts_with(${value}, ${TEXT_MARK})
          then substring(decode(substr(${value}, ${sql.lit(TEXT_MARK.length + 1)}), 'base64') from ${sql.lit(ID_AT)} for 4) <> ${newest}::bytea
          else true end`
      : sql`substring(${value} from 1 for ${sql.lit(MARK.length + newest.length)}) <> ${Buffer.concat([MARK, newest])}::bytea`;
  const { rows } = await sql<Row>`
    select ${key}::text as id, ${value} as stored from ${sql.table(table)}
    where ${isStale} and ${key}::text > ${after} and ${key}::text <> ${table === 'secret' ? OLD_KEY : ''}
    order by ${key}::text limit ${sql.lit(ROWS_AT_ONCE)}`.execute(db);
  return rows;
};

async function again(seal: Seal, { kind }: Column, { id, stored }: Row, old: Buffer | undefined) {
  if (typeof stored === 'string') return seal.sealText(await seal.openText(stored, id), id);
  const isOld = kind === 'old' && old && !stored.subarray(0, MARK.length).equals(MARK);
  return seal.seal(isOld ? openWith(old, stored, id) : await seal.open(stored, id), id);
}

/** Unless somebody changed it meanwhile. */
async function replace(db: Kysely<Tables>, { table, id, column }: Column, row: Row, next: Buffer | string) {
  const { numAffectedRows = 0n } = await sql`
    update ${sql.table(table)} set ${sql.ref(column)} = ${next}
    where ${sql.ref(id)}::text = ${row.id} and ${sql.ref(column)} = ${row.stored}`.execute(db);
  return numAffectedRows > 0n;
}

/** How many values each key sealed, by its id; `none`: not sealed. */
export async function sealStatus(db: Kysely<Tables>): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const { table, column, kind } of COLUMNS) {
    const value = sql.ref(column);
    const bytes =
      kind === 'text'
        ? sql`case when starts_with(${value}, ${TEXT_MARK}) then decode(substr(${value}, ${sql.lit(TEXT_MARK.length + 1)}), 'base64') else '' end`
        : value;
    const { rows } = await sql<{ key: string; count: string }>`
      select case when substring(bytes from 1 for ${sql.lit(MARK.length)}) = ${MARK}::bytea
        then encode(substring(bytes from ${sql.lit(ID_AT)} for 4), 'hex') else 'none' end as key, count(*) as count
      from (select ${bytes} as bytes from ${sql.table(table)} where ${kind === 'text' ? sql`${value} <> ''` : sql`true`}) as stored
      group by 1`.execute(db);
    for (const { key, count } of rows) counts.set(key, (counts.get(key) ?? 0) + Number(count));
  }
  return counts;
}
