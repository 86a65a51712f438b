/**
 * Log files that don't grow without end. A child writes to its file itself, so that it outlives a killed supervisor;
 * therefore a full file is copied away and emptied under its writer, never renamed.
 */
import { copyFile, type FileHandle, open, readdir, readFile, rename, rm, stat, truncate } from 'node:fs/promises';
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
  await copyFile(file, `${file}.1`).catch(async (error) => {
    await rm(`${file}.1`, { force: true }); // half of it
    throw error;
  });
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

const SAID_MAX = 300;

/** What a log says last, in one line, for a person who must know why a process ended. */
export async function lastSaid(logs: string, name: string): Promise<string> {
  const text = await readFile(join(logs, `${name}.log`), 'utf8').catch(() => '');
  const line = text.trimEnd().split('\n').at(-1) ?? '';
  return wordsOf(line).slice(0, SAID_MAX);
}

/** A line of ours is JSON; one of Node's is words. */
function wordsOf(line: string): string {
  try {
    const { msg, err } = JSON.parse(line) as { msg?: string; err?: { message?: string } };
    return [msg, err?.message].filter(Boolean).join(': ');
  } catch {
    return line;
  }
}
