// Deletes recordings older than they are to be kept, and publishes what a dead writer left unfinished.
// It refuses to touch anything but `<uuid>.wav` in its own folder and `<uuid>.<writer>.part` in that of unfinished ones.
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { rescue, UNFINISHED } from '../audio/recording-file.ts';

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
    const { mtimeMs } = await stat(path);
    if (now - mtimeMs <= days * DAY_MS) continue;
    await rm(path, { force: true });
    deleted++;
  }
  return deleted;
}

/** Publishes parts that nobody wrote for an hour before `now` (ms), or deletes them where the recording is there already. */
export async function settleAbandoned(folder: string, now: number): Promise<void> {
  const whole = new Set(await readdir(folder));
  for (const name of await readdir(join(folder, UNFINISHED))) {
    const id = PART.exec(name)?.[1];
    const path = join(folder, UNFINISHED, name);
    // Another node on this host may be doing the same.
    const found = id && (await stat(path).catch(() => undefined));
    if (!found || now - found.mtimeMs <= ABANDONED_MS) continue;
    if (whole.has(`${id}.wav`)) await rm(path, { force: true });
    else await rescue(folder, name);
    whole.add(`${id}.wav`);
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
