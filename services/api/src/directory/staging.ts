/** Documents that are staged for one dialling each: kept for a minute, taken by a user `doc-…`, run under the app for staging. */
import { randomBytes } from 'node:crypto';
import type { DirectoryV1 } from '@opentact/proto';
import { sql } from 'kysely';
import type { Database } from '../database/database.ts';
import { appById, type Destination } from './destinations.ts';
import { DirectoryError } from './error.ts';

const STAGED_MS = 60_000;
/** An INVITE may be repeated for 64·T1, to another edge if the first one died; it is still the same dialling. */
const SAME_DIALLING_MS = 32_000;
const STAGED_MAX = 10_000;
const DOCUMENT_BYTES_MAX = 64 * 1024;

/** @throws DirectoryError INVALID_ARGUMENT for no document, RESOURCE_EXHAUSTED where too many are staged */
export async function stage(
  db: Database,
  { xml, autoAnswer }: DirectoryV1.StageRequest,
): Promise<DirectoryV1.StageResponse> {
  if (xml === '' || Buffer.byteLength(xml) > DOCUMENT_BYTES_MAX || xml.includes('\0'))
    throw new DirectoryError('INVALID_ARGUMENT', `a document has 1 to ${DOCUMENT_BYTES_MAX} bytes`);
  await db.deleteFrom('staged_document').where('expires_at', '<', sql<Date>`now() - interval '10 minutes'`).execute();
  const { count } = await db
    .selectFrom('staged_document')
    .select((w) => w.fn.countAll<string>().as('count'))
    .executeTakeFirstOrThrow();
  if (Number(count) >= STAGED_MAX) throw new DirectoryError('RESOURCE_EXHAUSTED', 'too many documents are staged');
  const user = `doc-${randomBytes(16).toString('hex')}`;
  const expires = Date.now() + STAGED_MS;
  await db
    .insertInto('staged_document')
    .values({ user, xml, auto_answer: autoAnswer, expires_at: new Date(expires), used_by: null, used_at: null })
    .execute();
  return { user, expires };
}

/**
 * Takes a document for one dialling. It runs under the app for staging, whose limits, key and account hold.
 * @param by the call that takes it; the same may take it again while its INVITE is repeated
 */
export async function takeStaged(
  db: Database,
  stagingApp: string | undefined,
  user: string,
  by: string,
): Promise<Destination | undefined> {
  const taken = await db
    .updateTable('staged_document')
    .set({ used_by: by, used_at: sql<Date>`coalesce(used_at, now())` })
    .where('user', '=', user)
    .where((w) =>
      w.or([
        w.and([w('used_by', 'is', null), w('expires_at', '>', sql<Date>`now()`)]),
        w.and([w('used_by', '=', by), w('used_at', '>', sql<Date>`now() - ${SAME_DIALLING_MS} * interval '1 ms'`)]),
      ]),
    )
    .returning(['xml', 'auto_answer'])
    .executeTakeFirst();
  const app = taken && stagingApp && (await appById(db, stagingApp));
  if (!app) return undefined;
  const staged = { staticDocument: taken.xml, autoAnswer: taken.auto_answer, callFlowUrl: '', name: 'staged document' };
  return { ...app, app: { ...app.app, ...staged }, isActive: true };
}
