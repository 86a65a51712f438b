/** What the demo is made of: random secrets from the first start on, addresses from the configuration of each. */
import { randomBytes, randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '@opentact/runtime';

/** `$OPENTACT_HOME/demo.json` (0600). api seeds its tables from it, and the demo's own processes read it. */
export type Demo = {
  accountId: string;
  appId: string;
  email: string;
  password: string;
  apiKey: string;
  signingKey: string;
  number: string;
  customerUrl: string;
  callee: string;
  /** A group that rings the demo callee. */
  groupId: string;
};

const secret = (bytes: number): string => randomBytes(bytes).toString('base64url');

/** @returns the demo, and whether its secrets were made just now. */
export async function writeDemo(config: Pick<Config, 'home' | 'demoPort'>): Promise<{ demo: Demo; isNew: boolean }> {
  const file = join(config.home, 'demo.json');
  const before: Partial<Demo> | undefined = await readFile(file, 'utf8').then(JSON.parse, () => undefined);
  const demo: Demo = {
    accountId: randomUUID(),
    appId: randomUUID(),
    groupId: randomUUID(),
    email: 'demo@opentact.test',
    password: secret(12),
    apiKey: secret(36), // 48 characters, as every API key
    signingKey: secret(32),
    number: '18005550100',
    ...before,
    // On loopback whatever the bind: these two stand for parties elsewhere.
    customerUrl: `http://127.0.0.1:${config.demoPort}/callback`,
    callee: `1000@127.0.0.1:${config.demoPort}`,
  };
  const draft = `${file}.new`;
  await writeFile(draft, `${JSON.stringify(demo, undefined, 2)}\n`, { mode: 0o600 });
  await rename(draft, file);
  return { demo, isNew: before === undefined };
}
