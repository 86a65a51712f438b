/** The platform secret, from which names on the wire are derived. It is made once and never printed. */
import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The secret of the environment, else of `$OPENTACT_HOME/secret` (0600), which is made where it is missing.
 * Safe when several processes ask at once: the first file to get the name is everyone's.
 */
export async function platformSecret(config: { home: string; secret: string | undefined }): Promise<string> {
  if (config.secret) return config.secret;
  const file = join(config.home, 'secret');
  const found = await readFile(file, 'utf8').catch(() => '');
  if (found.trim() !== '') return found.trim();
  await mkdir(config.home, { recursive: true, mode: 0o700 });
  // Written whole under another name, then linked: a reader sees nothing or all of it.
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  await link(draft, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await rm(draft);
  return (await readFile(file, 'utf8')).trim();
}
