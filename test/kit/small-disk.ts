/** A small disk for one command: a tmpfs over a folder, in a mount namespace that goes with the command. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The command that sees `folder` as a disk of that size (`300k`), with mount options like `ro` besides. */
export function onSmallDisk(folder: string, size: string, options = 'rw') {
  const namespace = process.getuid?.() === 0 ? ['--mount'] : ['--user', '--map-root-user', '--mount'];
  const mount = `mount -t tmpfs -o size=${size},mode=755,${options} none "$0" && exec "$@"`;
  return (command: string, args: string[]): [string, string[]] => [
    'unshare',
    [...namespace, 'sh', '-c', mount, folder, command, ...args],
  ];
}

/** Why there can be none here; false: there can. */
export const noSmallDisk: string | false = (() => {
  const folder = mkdtempSync(join(tmpdir(), 'opentact-disk-'));
  const { status } = spawnSync(...onSmallDisk(folder, '64k')('true', []));
  rmSync(folder, { recursive: true });
  return status !== 0 && 'this machine lets nobody mount a tmpfs (unshare)';
})();
