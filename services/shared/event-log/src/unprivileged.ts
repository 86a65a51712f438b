/**
 * How to run a program that refuses root and whoever has no name, for both and for everyone else. They go into a user
 * namespace of its own, where they have the name of another and their files are still theirs (so folders of mode 0700
 * above them don't matter); root may else become that other. It never changes the mode of a folder.
 */
import { type SpawnOptions, type StdioOptions, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chown } from 'node:fs/promises';
import { userInfo } from 'node:os';

/** The arguments of `spawn` for a command, detached into a session of its own so that no Ctrl-C reaches it. */
export type Launch = {
  (command: string, args: string[], stdio: StdioOptions): [string, string[], SpawnOptions];
  /** Who the files must belong to; undefined: whoever runs this. */
  uid?: number;
};

/** A user of this machine that is not root, `nobody` if there is one: initdb looks its own name up and gives up without. */
function someoneElse(): { uid: number; gid: number } | undefined {
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name, , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter(({ uid }) => uid > 0);
  return users.find(({ name }) => name === 'nobody') ?? users[0];
}

function hasName(): boolean {
  try {
    return userInfo().username !== '';
  } catch {
    return false; // A container may run as any number.
  }
}

const options = (stdio: StdioOptions, as?: { uid: number; gid: number }): SpawnOptions => ({
  detached: true,
  stdio,
  cwd: '/',
  ...(as ? { uid: as.uid, gid: as.gid } : {}),
});

/**
 * @param home must be reachable for whoever runs the program. @param program tried with `--version`.
 * @throws Error that names DATABASE_URL where no way is open.
 */
export async function launchAs(home: string, program: string): Promise<Launch> {
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && hasName()) return (command, args, stdio) => [command, args, options(stdio)];
  const other = someoneElse();
  const namespace = other && ['--user', `--map-user=${other.uid}`, `--map-group=${other.gid}`];
  if (namespace && spawnSync('unshare', [...namespace, program, '--version']).status === 0)
    return (command, args, stdio) => ['unshare', [...namespace, command, ...args], options(stdio)];
  const reaches = (command: string, args: string[]) =>
    spawnSync(command, args, { cwd: '/', uid: other?.uid, gid: other?.gid }).status === 0;
  const enter = `require('node:fs').accessSync(process.argv[1], 1)`;
  if (isRoot && other && reaches(program, ['--version']) && reaches(process.execPath, ['-e', enter, home])) {
    const launch: Launch = (command, args, stdio) => [command, args, options(stdio, other)];
    return Object.assign(launch, { uid: other.uid });
  }
  throw new Error(
    `PostgreSQL runs neither as root nor as a user without a name, and another user cannot be had here (unshare) or ` +
      `cannot reach ${home}. Run as an ordinary user, or set DATABASE_URL to a PostgreSQL of your own`,
  );
}

/** Gives a folder that we just made to whoever will run there. */
export async function ownerOf(launch: Launch, folder: string): Promise<void> {
  if (launch.uid !== undefined) await chown(folder, launch.uid, -1);
}
