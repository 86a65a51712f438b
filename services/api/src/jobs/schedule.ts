/** Runs every job once an hour, until it is told to stop. A job that fails is told and tried again an hour later. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@opentact/runtime';
import type { Database } from '../database/database.ts';
import { JOBS, runJob } from './jobs.ts';

const EVERY_MS = 3_600_000;
/** A start has other things to do. */
const FIRST_MS = 60_000;

/** Resolves when `signal` aborts. Never rejects. */
export async function keepSchedule(db: Database, signal: AbortSignal, logger: Logger): Promise<void> {
  for (let waitMs = FIRST_MS; !signal.aborted; waitMs = EVERY_MS) {
    await sleep(waitMs, undefined, { signal }).catch(() => {});
    for (const job of Object.keys(JOBS)) {
      if (signal.aborted) return;
      try {
        const changed = await runJob(db, job);
        if (changed) logger.info({ job, changed }, 'a job is done');
      } catch (err) {
        logger.warn({ job, err }, 'a job failed and is tried again in an hour');
      }
    }
  }
}
