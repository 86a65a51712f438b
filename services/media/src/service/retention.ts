// Deletes recordings older than they are to be kept, and publishes what a dead writer left unfinished.
// It refuses to touch anything but `<uuid>.wav` in its own folder and `<uuid>.<writer>.part` in that of unfinished ones.
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { settle, statOf, UNFINISHED } from '../audio/recording-file.ts';

const DAY_MS = 86_400_000;
const SWEEP_MS = 3_600_000;
/** A writer writes twice a second. One that didn't for so long is dead, and nobody goes on with its recording any more. */
const ABANDONED_MS = 3_600_000;
const RECORDING = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.wav$/;
const PART = /^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})\.[0-9a-f]{8}\.part$/;

/** Deletes what was last written more than `days` days before `now` (ms). @returns how many files went. */
export async function deleteOld(folder: string, days: number, now: number): Promise<number> {
  let deleted = 0;
  for (const name of await readdir(folder)) {
    if (!RECORDING.test(name)) continue;
    const path = join(folder, name);
    // Another node on this host may be doing the same.
    const found = await statOf(path);
    if (!found || now - found.mtimeMs <= days * DAY_MS) continue;
    await rm(path, { force: true });
    deleted++;
  }
  return deleted;
}

/** Publishes recordings that nobody wrote for an hour before `now` (ms): of each the longest part, if no longer one is there. */
export async function settleAbandoned(folder: string, now: number): Promise<void> {
  const parts = new Map<string, string[]>();
  for (const name of await readdir(join(folder, UNFINISHED))) {
    const id = PART.exec(name)?.[1];
    if (id) parts.set(id, [...(parts.get(id) ?? []), name]);
  }
  for (const [id, names] of parts) {
    const found = await Promise.all(names.map((name) => statOf(join(folder, UNFINISHED, name))));
    // Where somebody still writes, the others are what it began with.
    if (found.every((one) => !one || now - one.mtimeMs > ABANDONED_MS)) await settle(folder, id, names);
  }
}

/** Does both now and every hour. @param told how many files went, or what went wrong. @returns ends it */
export function keepDeleting(
  folder: string,
  days: number,
  told: (deleted: number, error?: unknown) => void,
): () => void {
  const sweep = () =>
    settleAbandoned(folder, Date.now())
      .then(() => deleteOld(folder, days, Date.now()))
      .then(
        (deleted) => told(deleted),
        (error) => told(0, error),
      );
  void sweep();
  const timer = setInterval(sweep, SWEEP_MS).unref();
  return () => clearInterval(timer);
}
