/** Where unix sockets lie: below OPENTACT_HOME, or, where that path is too long for one, in a folder of ours in /tmp. */
import { createHash } from 'node:crypto';
import { lstat, mkdir, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

// `sun_path` holds 108 bytes, the last of them zero; what asks for more must leave room for it.
const PATH_BYTES_MAX = 107;

/**
 * The path of a socket, the same for every process of a home. Commas are avoided: lists of paths are parted by them.
 * @param room bytes that will be added to it.
 */
export function socketPath(home: string, name: string, room = 0): string {
  const path = join(home, 'run', name);
  if (Buffer.byteLength(path) + room <= PATH_BYTES_MAX && !path.includes(',')) return path;
  const digest = createHash('sha256').update(home).digest('hex').slice(0, 12);
  return join(tmpdir(), `opentact-${digest}`, name);
}

/**
 * Makes a folder, or sees that it is ours: in a shared /tmp someone else may have made it first, to hear what we say.
 * @throws Error where others own it or may write into it.
 */
export async function claimFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o711 });
  const found = await lstat(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0)
    throw new Error(
      `${folder} belongs to another user or is open to others; remove it, or choose another OPENTACT_HOME`,
    );
}

/** Is someone listening behind this socket file? A file left by a killed process refuses. */
function answers(path: string): Promise<boolean> {
  return new Promise((done) => {
    const probe = createConnection(path, () => done(true));
    probe.on('error', () => done(false)).on('connect', () => probe.destroy());
  });
}

/** Makes way for a socket of ours at `path`. @throws Error where another process listens there. */
export async function claimSocketPath(path: string): Promise<void> {
  await claimFolder(dirname(path));
  if (await answers(path)) throw new Error(`${path} is in use by another process`);
  await rm(path, { force: true });
}
