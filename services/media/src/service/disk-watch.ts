// Watches the space that is left on the disk of the recordings, on which the journal may lie as well. It refuses nothing
// itself: whoever records is told when less than the floor is left, and when there is room again.
import { statfs } from 'node:fs/promises';
import type { Log } from './log.ts';

const EVERY_MS = 2000;
/** Above the floor by so much there is room again: else a recording's own end would let the next one begin. */
const ROOM_AGAIN = 1.1;

export type DiskWatch = {
  folder: string;
  /** Bytes that recordings leave free; 0: they may take all. */
  floorBytes: number;
  log: Pick<Log, 'error' | 'info'>;
  told(isFull: boolean): void;
  /** Bytes that are free to us on the disk of a folder. */
  freeBytes?(folder: string): Promise<number>;
  everyMs?: number;
};

const freeOf = async (folder: string): Promise<number> => {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
};

/** Looks now and every two seconds. @returns ends it */
export function watchDisk(of: DiskWatch): () => void {
  const { folder, floorBytes, log, told, freeBytes = freeOf } = of;
  if (floorBytes === 0) return () => {};
  let isFull = false;
  const look = async () => {
    const free = await freeBytes(folder);
    if (isFull === free < floorBytes * (isFull ? ROOM_AGAIN : 1)) return;
    isFull = !isFull;
    if (isFull)
      log.error({ free, floorBytes }, 'the disk has no room for recordings: they end, and new ones are refused');
    else log.info({ free, floorBytes }, 'the disk has room for recordings again');
    told(isFull);
  };
  const sweep = () => void look().catch((err) => log.error({ err }, 'the free space of the disk is not known'));
  sweep();
  const timer = setInterval(sweep, of.everyMs ?? EVERY_MS).unref();
  return () => clearInterval(timer);
}
