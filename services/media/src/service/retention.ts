// Deletes recordings older than they are to be kept. It refuses to touch anything but `<uuid>.wav` in its own folder.
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

const DAY_MS = 86_400_000;
const SWEEP_MS = 3_600_000;
const RECORDING = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.wav$/;

/** Deletes what was last written more than `days` days before `now` (ms). @returns how many files went. */
export async function deleteOld(folder: string, days: number, now: number): Promise<number> {
  let deleted = 0;
  for (const name of await readdir(folder)) {
    if (!RECORDING.test(name)) continue;
    const path = join(folder, name);
    const { mtimeMs } = await stat(path);
    if (now - mtimeMs <= days * DAY_MS) continue;
    await rm(path, { force: true });
    deleted++;
  }
  return deleted;
}

/** Does so now and every hour. @param told how many files went, or what went wrong. @returns ends it */
export function keepDeleting(
  folder: string,
  days: number,
  told: (deleted: number, error?: unknown) => void,
): () => void {
  const sweep = () =>
    deleteOld(folder, days, Date.now()).then(
      (deleted) => told(deleted),
      (error) => told(0, error),
    );
  void sweep();
  const timer = setInterval(sweep, SWEEP_MS).unref();
  return () => clearInterval(timer);
}
