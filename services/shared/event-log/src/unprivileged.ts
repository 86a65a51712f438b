/**
 * How to run a program that refuses root, for root and for everyone else. Root goes into a user namespace of its own,
 * where its files are still its own (so folders of mode 0700 above them don't matter), else becomes uid 65534.
 */
import { type SpawnOptions, type StdioOptions, spawnSync } from 'node:child_process';
import { chown } from 'node:fs/promises';

const NOBODY = 65534;
const NAMESPACE = ['--user', '--map-user=1000', '--map-group=1000'];

/** The arguments of `spawn` for a command, detached into a session of its own so that no Ctrl-C reaches it. */
export type Launch = {
  (command: string, args: string[], stdio: StdioOptions): [string, string[], SpawnOptions];
  /** Who the files must belong to; undefined: whoever runs this. */
  uid?: number;
};

/**
 * @param home must be reachable for whoever runs the program. @param program tried with `--version`.
 * @throws Error that names DATABASE_URL where neither way is open.
 */
export async function launchAs(home: string, program: string): Promise<Launch> {
  const base = (stdio: StdioOptions, uid?: number): SpawnOptions => ({
    detached: true,
    stdio,
    cwd: '/',
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  if (process.getuid?.() !== 0) return (command, args, stdio) => [command, args, base(stdio)];
  if (spawnSync('unshare', [...NAMESPACE, program, '--version']).status === 0)
    return (command, args, stdio) => ['unshare', [...NAMESPACE, command, ...args], base(stdio)];
  const asNobody = { uid: NOBODY, gid: NOBODY, cwd: '/' };
  const reachable =
    spawnSync(program, ['--version'], asNobody).status === 0 && spawnSync('test', ['-x', home], asNobody).status === 0;
  if (reachable)
    return Object.assign(
      (command: string, args: string[], stdio: StdioOptions): [string, string[], SpawnOptions] => [
        command,
        args,
        base(stdio, NOBODY),
      ],
      { uid: NOBODY },
    );
  throw new Error(
    'PostgreSQL does not run as root, and here neither a user namespace (unshare) nor uid 65534 can reach ' +
      `${home}. Run as an ordinary user, or set DATABASE_URL to a PostgreSQL of your own`,
  );
}

/** Gives a folder that we just made to whoever will run there. */
export async function ownerOf(launch: Launch, folder: string): Promise<void> {
  if (launch.uid !== undefined) await chown(folder, launch.uid, launch.uid);
}
