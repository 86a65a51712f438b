/**
 * What a home was started with, kept in it: so that tools find the platform that runs there, and an upgrade from another
 * shell stays where it is. Of secrets only the names are kept.
 */
import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Environment, readConfig } from './config.ts';
import { hostPort } from './host-port.ts';
import { isWildcard } from './parsers.ts';
import { advertisedAddress, type Config, INTERNAL, PUBLIC, readPlatformConfig } from './variables.ts';

/** `secrets`: the names of those that were set. */
export type StartedWith = { variables: Record<string, string>; secrets: string[] };

/** An upgrade may go from one shape to another; calls go on. */
const MAY_CHANGE: string[] = [PUBLIC.shape.name, PUBLIC.cells.name];
const DECLARED = Object.values(PUBLIC).filter(({ name }) => name !== 'OPENTACT_HOME');
const fileOf = (home: string) => join(home, 'started-with.json');

/** The folder of all state, whatever else stands in the environment. @throws ConfigError */
export const homeOf = (environment: Environment): string => readConfig({ home: PUBLIC.home }, environment).home;

/** What the home was started with last; undefined where that is not known. */
export function startedWith(home: string): StartedWith | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(home), 'utf8')) as StartedWith;
  } catch {
    return undefined;
  }
}

/** Keeps it for whoever comes later. */
export async function keepStartedWith(home: string, environment: Environment): Promise<void> {
  const draft = `${fileOf(home)}.new`;
  await writeFile(draft, `${JSON.stringify(whatIsSet(environment), undefined, 2)}\n`, { mode: 0o600 });
  await rename(draft, fileOf(home));
}

function whatIsSet(environment: Environment): StartedWith {
  const set = DECLARED.filter(({ name }) => environment[name]);
  return {
    variables: Object.fromEntries(set.filter((v) => !isSecret(v)).map(({ name }) => [name, environment[name]!])),
    secrets: set.filter(isSecret).map(({ name }) => name),
  };
}

const isSecret = (variable: { secret?: boolean }) => variable.secret === true;

/** The environment with what the home was started with, where it says nothing itself; a variable that is set to nothing is unset. */
export const withStartedWith = (environment: Environment, before: StartedWith | undefined): Environment => ({
  ...before?.variables,
  ...environment,
});

/** What would be other than it was, a sentence each. */
export function differencesFrom(before: StartedWith, environment: Environment): string[] {
  return DECLARED.filter(({ name }) => !MAY_CHANGE.includes(name)).flatMap((variable) => {
    const { name, fallback } = variable;
    if (isSecret(variable)) {
      const [was, is] = [before.secrets.includes(name), Boolean(environment[name])];
      if (was === is) return [];
      return [
        is
          ? `${name} is set here, and this home was started without`
          : `${name} is not set here, and this home was started with one`,
      ];
    }
    const [was, is] = [before.variables[name] || fallback, environment[name] || fallback];
    return was === is ? [] : [`${name} is ${is || 'unset'} here, and this home was started with ${was || 'none'}`];
  });
}

/** The configuration of the platform that was started in the environment's home; what the environment says itself holds. @throws ConfigError */
export const readHomeConfig = (service: string, environment: Environment): Config =>
  readPlatformConfig(service, withStartedWith(environment, startedWith(homeOf(environment))));

/** Where a program on this machine reaches it, host:port each. */
export function addressesOf(config: Pick<Config, 'bind' | 'sipPort' | 'httpPort' | 'grpcPort'>) {
  const { bind, sipPort, httpPort, grpcPort } = config;
  const own = isWildcard(bind) ? (bind.includes(':') ? '::1' : '127.0.0.1') : bind;
  return { sip: hostPort(own, sipPort), http: hostPort(own, httpPort), grpc: hostPort(own, grpcPort) };
}

/** Where others reach it; without a route out, and nothing said of it, where this machine does. @param advertised for tests */
export const shownAddresses = async (
  config: Parameters<typeof addressesOf>[0] & Pick<Config, 'advertise'>,
  advertised = advertisedAddress,
) => addressesOf({ ...config, bind: await advertised(config).catch(() => config.bind) });

/** What `npm run env` adds for a shell; the platform itself reads none of them. */
export const FOR_SHELLS = [
  ...['OPENTACT_URL', 'OPENTACT_SIP', 'OPENTACT_GRPC', 'OPENTACT_NUMBER'],
  ...['OPENTACT_ACCOUNT', 'OPENTACT_EMAIL', 'OPENTACT_PASSWORD', 'OPENTACT_API_KEY'],
] as const;

/** Names that begin as ours do and are none of ours, a sentence each. It may be a slip, or another program's. */
export function unknownVariables(environment: Environment): string[] {
  const known: string[] = [...Object.values({ ...PUBLIC, ...INTERNAL }).map(({ name }) => name), ...FOR_SHELLS];
  return Object.keys(environment)
    .filter((name) => name.startsWith('OPENTACT_') && !known.includes(name))
    .map((name) => {
      const [nearest] = known.map((one) => ({ one, far: distance(name, one) })).sort((a, b) => a.far - b.far);
      const hint =
        nearest && nearest.far <= NEAR ? `; did you mean ${nearest.one}?` : '; npm start -- --help lists them';
      return `${name} is no variable of the platform and is not read${hint}`;
    });
}

const NEAR = 4;

/** How many letters must be changed, added or taken away (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length]!;
}
