/** Recordings and stories are kept for OPENTACT_RETAIN_DAYS, as the journal is; with a recording's file goes what the logs say of it. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '../database/database.ts';
import { dropOldStories } from './stories.ts';

const DAY_MS = 86_400_000;
const EVERY_MS = 3_600_000;

/** @returns how many files went. A file that another process removes meanwhile is none. */
export async function dropOldRecordings(
  db: Database,
  folder: string,
  retainDays: number,
  now = Date.now(),
): Promise<number> {
  const before = new Date(now - retainDays * DAY_MS);
  await db.deleteFrom('recording_log').where('created_on', '<', before).execute();
  await db.deleteFrom('recording_deletion').where('deleted_on', '<', before).execute();
  let dropped = 0;
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    const found = name.endsWith('.wav') ? await stat(path).catch(() => undefined) : undefined;
    if (!found?.isFile() || found.mtime >= before) continue;
    await rm(path, { force: true });
    dropped++;
  }
  return dropped;
}

/** Now and every hour; what fails is told and tried again. @returns ends it */
export function retain(of: {
  db: Database;
  folder: string;
  retainDays: number;
  told(error: unknown): void;
}): () => void {
  const drop = () => {
    void dropOldRecordings(of.db, of.folder, of.retainDays).catch(of.told);
    void dropOldStories(of.db, new Date(Date.now() - of.retainDays * DAY_MS)).catch(of.told);
  };
  drop();
  const timer = setInterval(drop, EVERY_MS);
  return () => clearInterval(timer);
}
