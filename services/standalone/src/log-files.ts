/**
 * Log files that don't grow without end. A child writes to its file itself, so that it outlives a killed supervisor;
 * therefore a full file is copied away and emptied under its writer, never renamed.
 */
import { copyFile, type FileHandle, open, readdir, readFile, rename, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';

const BYTES_MAX = 10 * 1024 * 1024;
const KEPT = 3;
const LOOK_EVERY_MS = 15_000;

export function openLogFile(logs: string, name: string): Promise<FileHandle> {
  return open(join(logs, `${name}.log`), 'a', 0o600);
}

/** `x.log` → `x.log.1` → … → `x.log.3`. What is written between copying and emptying is lost: a few lines. */
export async function rotate(file: string, bytesMax = BYTES_MAX): Promise<boolean> {
  const { size } = await stat(file);
  if (size <= bytesMax) return false;
  for (let n = KEPT - 1; n >= 1; n--) await rename(`${file}.${n}`, `${file}.${n + 1}`).catch(() => {});
  await copyFile(file, `${file}.1`);
  await truncate(file);
  return true;
}

/** Looks at every log of the folder from time to time. @returns stops it. */
export function keepRotating(logs: string): () => void {
  const timer = setInterval(async () => {
    const files = (await readdir(logs).catch(() => [])).filter((file) => file.endsWith('.log'));
    for (const file of files) await rotate(join(logs, file)).catch(() => {});
  }, LOOK_EVERY_MS).unref();
  return () => clearInterval(timer);
}

/** The last lines of a log, for a person who must know why a process ended. */
export async function lastLines(logs: string, name: string, count: number): Promise<string[]> {
  const text = await readFile(join(logs, `${name}.log`), 'utf8').catch(() => '');
  return text.slice(-16_384).trimEnd().split('\n').slice(-count);
}
