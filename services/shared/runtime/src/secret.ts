/**
 * What an installation keeps secret, made once, never printed: the platform secret, from which names on the wire are
 * derived; the token of its nodes, derived of that; the token of its operators. Files are 0600 in OPENTACT_HOME.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The secret of the environment, else of `$OPENTACT_HOME/secret`. */
export async function platformSecret(config: { home: string; secret: string | undefined }): Promise<string> {
  return config.secret ?? (await secretFile(config.home, 'secret'));
}

/** What nodes show to each other and to the Directory; whoever has the platform secret has it. It opens no call by itself. */
export async function nodeToken(config: { home: string; secret: string | undefined }): Promise<string> {
  return createHmac('sha256', await platformSecret(config))
    .update('token of nodes')
    .digest('hex');
}

/** What CallControl and recordings ask of whoever runs the installation: OPENTACT_GRPC_TOKEN, else `$OPENTACT_HOME/operator.token`. */
export async function operatorToken(config: { home: string; grpcToken: string | undefined }): Promise<string> {
  return config.grpcToken ?? (await secretFile(config.home, 'operator.token'));
}

/**
 * The text of a file, which is made of random bits where it is missing. Safe when several processes ask at once: the
 * first file to get the name is everyone's.
 */
export async function secretFile(home: string, name: string): Promise<string> {
  const file = join(home, name);
  const found = await readFile(file, 'utf8').catch(() => '');
  if (found.trim() !== '') return found.trim();
  await mkdir(home, { recursive: true, mode: 0o700 });
  // Written whole under another name, then linked: a reader sees nothing or all of it.
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  await link(draft, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await rm(draft);
  return (await readFile(file, 'utf8')).trim();
}
