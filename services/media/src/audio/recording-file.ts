// Where one recording lies: while it is made, in a file of its writer's own below `unfinished/`; once whole, at `<id>.wav`.
// It refuses to let two writers share a file: who continues a dead one's work begins with a copy of it and removes it,
// so that a writer that only seemed dead finds its file gone and has nothing to publish.
import { randomUUID } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { copyFile, type FileHandle, link, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { WAV_HEADER_BYTES, wavHeader } from './wav-header.ts';

/** Below the folder of the recordings. It exists. */
export const UNFINISHED = 'unfinished';
/** What a recording is called: no name that leaves its folder. */
export const RECORDING_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TRIES = 3;

/** The open file of one writer, or what is known of a recording that is whole already (`handle` undefined). */
export type RecordingFile = { id: string; folder: string; path: string; bytes: number; handle: FileHandle | undefined };

/** Where a recording lies once it is whole. */
export const finalPath = (folder: string, id: string) => join(folder, `${id}.wav`);
const partPath = (folder: string, id: string) => join(folder, UNFINISHED, `${id}.${randomUUID().slice(0, 8)}.part`);
const isMissing = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** Undefined where there is none (any more): other nodes move and delete in the same folder. */
export async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

const sizeOf = async (path: string) => (await statOf(path))?.size;

/** What earlier writers of the recording left, the longest first: a copy that was cut short is shorter than its source. */
async function leftBy(folder: string, id: string): Promise<string[]> {
  const names = (await readdir(join(folder, UNFINISHED))).filter((name) => name.startsWith(`${id}.`));
  return (await longestFirst(folder, names)).map(({ path }) => path);
}

async function longestFirst(folder: string, names: string[]): Promise<Array<{ path: string; size: number }>> {
  const sized = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, UNFINISHED, name);
      return { path, size: (await sizeOf(path)) ?? 0 };
    }),
  );
  return sized.sort((a, b) => b.size - a.size);
}

/** Bytes of whole samples behind the header, whatever the header says: its writer may have died before it counted. */
const samplesIn = (size: number) => Math.max(0, size - WAV_HEADER_BYTES) & ~1;

/**
 * Opens a file for the recording `id`, which goes on where earlier writers stopped.
 * @throws the disk's complaint
 */
export async function openRecording(folder: string, id: string): Promise<RecordingFile> {
  const path = partPath(folder, id);
  for (let tries = 1; ; tries++) {
    const earlier = await leftBy(folder, id);
    const whole = earlier.length > 0 ? undefined : await sizeOf(finalPath(folder, id));
    if (whole !== undefined) return { id, folder, path: '', bytes: samplesIn(whole), handle: undefined };
    try {
      if (earlier[0]) await copyFile(earlier[0], path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    } catch (error) {
      await rm(path, { force: true }); // a copy that was cut short
      if (!isMissing(error) || tries === TRIES) throw error;
      continue; // Its writer lived after all and has just finished it.
    }
    const handle = await open(path, constants.O_RDWR | constants.O_CREAT, 0o640);
    const bytes = samplesIn((await handle.stat()).size);
    const file = { id, folder, path, bytes, handle };
    try {
      if (bytes === 0) await handle.write(wavHeader(0), 0, WAV_HEADER_BYTES, 0);
    } catch (error) {
      await discard(file);
      throw error;
    }
    await Promise.all(earlier.map((one) => rm(one, { force: true })));
    return file;
  }
}

/** The header says what the file holds; then nobody writes to it any more. */
async function seal({ handle, bytes }: RecordingFile): Promise<void> {
  try {
    await handle?.write(wavHeader(bytes), 0, WAV_HEADER_BYTES, 0);
  } finally {
    await handle?.close();
  }
}

/** Closes and removes the file of a recording of which nothing was written. Never rejects. */
export async function discard({ handle, path }: RecordingFile): Promise<void> {
  await handle?.close().catch(() => {});
  if (handle) await rm(path, { force: true }).catch(() => {});
}

/** Closes the file and makes it the recording. @returns false where another writer has taken the work over */
export async function publish(file: RecordingFile): Promise<boolean> {
  await seal(file);
  if (!file.handle) return true;
  try {
    await rename(file.path, finalPath(file.folder, file.id));
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/**
 * What a failing disk took of a recording becomes the recording: the file is opened anew, so that it doesn't matter how far
 * `publish` came. Where it rejects, the file stays below `unfinished/` for `settle`. @returns as `publish`
 */
export async function publishCut(file: RecordingFile): Promise<boolean> {
  await file.handle?.close().catch(() => {});
  try {
    return await publish({ ...file, handle: await open(file.path, 'r+') });
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Closes the file so that another writer can go on with it; if none ever does, what there is can be read. */
export async function leave(file: RecordingFile): Promise<void> {
  await seal(file);
  if (!file.handle) return;
  const path = finalPath(file.folder, file.id);
  // What an earlier writer left to this one is shorter.
  if (((await sizeOf(path)) ?? 0) >= WAV_HEADER_BYTES + file.bytes) return;
  const second = partPath(file.folder, file.id);
  try {
    await link(file.path, second);
    await rename(second, path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/**
 * Of what writers left of a recording that nobody goes on with, the longest part becomes the recording, where that isn't as
 * long already; the others go. Several nodes may do so at once. @param names below `unfinished/`
 */
export async function settle(folder: string, id: string, names: string[]): Promise<void> {
  for (const { path } of await longestFirst(folder, names)) {
    // Looked at again each time: another node may just have published the one before.
    const [part, whole] = [await sizeOf(path), await sizeOf(finalPath(folder, id))];
    if (part === undefined) continue;
    if (samplesIn(part) <= samplesIn(whole ?? 0)) await rm(path, { force: true });
    else await rescue(folder, id, path);
  }
}

async function rescue(folder: string, id: string, path: string): Promise<void> {
  try {
    const handle = await open(path, 'r+');
    const bytes = samplesIn((await handle.stat()).size);
    await publish({ id, folder, path, bytes, handle });
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
