/** Can this home hold an installation? Found out before anything is started, by a folder and a file that are really made. */
import { existsSync } from 'node:fs';
import { mkdir, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const MIB = 1024 * 1024;
/** What a first start writes, most of it PostgreSQL's; and what a later one may write before anybody calls. */
const FIRST_MIB = 160;
const LATER_MIB = 24;
const PROBE_BYTES = 64 * 1024;

const full = (home: string, free: string) =>
  `the disk of ${home} is full (${free}): make room there, or set OPENTACT_HOME to a folder on another disk`;

function sentenceOf(home: string, { code = 'unknown' }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'EEXIST':
    case 'ENOTDIR':
      return `${home} is a file, or lies below one: set OPENTACT_HOME to a folder`;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `${home} can't be written (${code}): set OPENTACT_HOME to a folder that is yours`;
    case 'ENOSPC':
    case 'EDQUOT':
      return full(home, code);
    default:
      return `${home} can't be used (${code}): set OPENTACT_HOME to another folder`;
  }
}

/** With those above it. Node's own `recursive` never ends where a folder takes none, as `/proc`. */
async function makeFolder(path: string): Promise<void> {
  const make = () => mkdir(path, { mode: 0o711 });
  await make().catch(async (error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (error.code !== 'ENOENT' || existsSync(dirname(path))) throw error;
    await makeFolder(dirname(path));
    await make();
  });
}

/**
 * @param hasOwnServer the journal is kept by a PostgreSQL that lies elsewhere
 * @returns what a person must know to mend it; undefined where the home will do
 */
export async function homeFault(home: string, hasOwnServer: boolean): Promise<string | undefined> {
  const probe = join(home, `.probe-${process.pid}`);
  try {
    // Passable but not readable by others: PostgreSQL may run as one of them.
    await makeFolder(home);
    await writeFile(probe, Buffer.alloc(PROBE_BYTES), { flag: 'wx', mode: 0o600 });
    const { bavail, bsize } = await statfs(home);
    const isFirst = !hasOwnServer && !existsSync(join(home, 'postgres', 'PG_VERSION'));
    const [free, needed] = [Math.floor((bavail * bsize) / MIB), isFirst ? FIRST_MIB : LATER_MIB];
    return free < needed ? full(home, `${free} MiB are free, ${needed} are needed`) : undefined;
  } catch (error) {
    return sentenceOf(home, error as NodeJS.ErrnoException);
  } finally {
    await rm(probe, { force: true }).catch(() => {});
  }
}
