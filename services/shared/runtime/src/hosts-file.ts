/**
 * The names that this machine knows without asking anybody: those of its hosts file, and `localhost` (RFC 6761 6.3). The
 * file is read when it is first needed and again when it is older than 5 s; nobody waits for reading it again.
 */
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';

export type NameAddress = { readonly address: string; readonly family: 4 | 6 };

const PATH = '/etc/hosts';
const FRESH_MS = 5_000;
const BYTES_MAX = 4 * 1024 * 1024;
const LOCALHOST: readonly NameAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

export type HostsFile = {
  /** Undefined: not a name of this machine's. @param name in lower case */
  addresses(name: string): Promise<readonly NameAddress[] | undefined>;
};

export function createHostsFile(path: string = PATH): HostsFile {
  let known: Promise<ReadonlyMap<string, NameAddress[]>> | undefined;
  let at = 0;
  function read(): void {
    at = performance.now();
    const before = known;
    const next = readFile(path, 'latin1').then(namesOf, () => before ?? new Map());
    if (!before) known = next;
    next.then(() => {
      known = next;
    });
  }
  return {
    async addresses(name) {
      if (!known || performance.now() - at > FRESH_MS) read();
      const listed = (await known!).get(name);
      return listed ?? (name === 'localhost' || name.endsWith('.localhost') ? LOCALHOST : undefined);
    },
  };
}

function namesOf(text: string): ReadonlyMap<string, NameAddress[]> {
  const names = new Map<string, NameAddress[]>();
  for (const line of text.slice(0, BYTES_MAX).split('\n')) {
    const [address = '', ...aliases] = line.split('#', 1)[0]!.trim().split(/\s+/);
    const family = isIP(address);
    if (family === 0) continue;
    for (const alias of aliases) {
      const name = alias.toLowerCase();
      const listed = names.get(name) ?? [];
      listed.push({ address, family: family as 4 | 6 });
      names.set(name, listed);
    }
  }
  for (const listed of names.values()) listed.sort((a, b) => a.family - b.family);
  return names;
}
