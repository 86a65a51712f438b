/** Which processes make an installation on one machine, with what each is told, and in which order they leave. Pure. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, type Environment, socketPath } from '@opentact/runtime';
import type { WantedPort } from './ports.ts';

/** One process. `leaves`: those with the lowest number leave first. */
export type Planned = {
  name: string;
  script: string;
  args: string[];
  environment: Environment;
  leaves: number;
  /** Its turn when one version replaces another: whoever reads comes before whoever writes. */
  upgrades: number;
  /** Part of /ready: a call is answered only with it. */
  needed: boolean;
  /** Its standard output is for the person at the terminal. */
  shown: boolean;
};

/** Two of each kind that calls live on, so that recovery doesn't wait for a start. */
const EACH = 2;

type Given = { clone: string; databaseUrl: string | undefined; apiDatabaseUrl: string | undefined; quiet: boolean };

type Kind = Pick<Planned, 'leaves' | 'upgrades' | 'needed'> & { name: string; path: string; shape?: Config['shape'] };

/** Facts must find an engine until the last node is gone, and everyone asks api until the end. */
const KINDS: Kind[] = [
  { name: 'api', path: 'api/src/main.ts', upgrades: 1, leaves: 4, needed: false },
  { name: 'cell', path: 'cell/src/main.ts', upgrades: 3, leaves: 2, needed: true, shape: 'cells' },
  { name: 'flow-engine', path: 'flow-engine/src/main.ts', upgrades: 3, leaves: 3, needed: true, shape: 'services' },
  { name: 'media', path: 'media/src/main.ts', upgrades: 4, leaves: 2, needed: true, shape: 'services' },
  { name: 'notifier', path: 'notifier/src/main.ts', upgrades: 2, leaves: 2, needed: true, shape: 'services' },
  { name: 'sip-edge', path: 'sip-edge/src/main.ts', upgrades: 5, leaves: 1, needed: true, shape: 'services' },
  { name: 'demo-customer', path: 'standalone/src/demo/customer.ts', upgrades: 6, leaves: 5, needed: false },
  { name: 'demo-callee', path: 'phone/src/callee.ts', upgrades: 6, leaves: 5, needed: false },
];

/** The turns in which the processes of any shape leave. */
export const TURNS: readonly number[] = [...new Set(KINDS.map(({ leaves }) => leaves))].sort((a, b) => a - b);

/** When a process of that name leaves for good; the last to leave where no kind has that name. */
export function leavesOf(name: string): number {
  const kind = KINDS.find((one) => one.name === name.replace(/-\d+$/, '') || one.name === name);
  return kind?.leaves ?? Math.max(...KINDS.map(({ leaves }) => leaves));
}

/** The processes of an installation of that shape. */
function processesOf({ shape, cells }: Config): Kind[] {
  const counted = ({ name, shape: only }: Kind) => {
    const count = only === 'cells' ? cells : EACH;
    return only ? Array.from({ length: count }, (_, i) => `${name}-${i + 1}`) : [name];
  };
  const kinds = KINDS.filter((kind) => !kind.shape || kind.shape === shape);
  return kinds.flatMap((kind) => counted(kind).map((name) => ({ ...kind, name })));
}

/** The processes, in the order they are started. One whose script isn't there yet is left out. */
export function planOf(config: Config, environment: Environment, given: Given): Planned[] {
  const services = join(given.clone, 'services');
  const present = processesOf(config).filter(({ path }) => existsSync(join(services, path)));
  const loopback = `127.0.0.1:${config.demoPort}`;
  const shared: Environment = {
    ...environment,
    // Compiled once, not at each start of each process: a restart takes half the time.
    NODE_COMPILE_CACHE: environment.NODE_COMPILE_CACHE || join(config.home, 'cache'),
    // glibc gives each thread a heap of its own; with two of them a cell of five threads holds some 10 MiB less.
    MALLOC_ARENA_MAX: environment.MALLOC_ARENA_MAX || '2',
    OPENTACT_HOME: config.home,
    DATABASE_URL: given.databaseUrl,
    OPENTACT_API_DATABASE_URL: given.apiDatabaseUrl,
    // The demo answers whatever else is let in.
    OPENTACT_FETCH_ALLOW: both(environment.OPENTACT_FETCH_ALLOW, loopback),
    OPENTACT_DIAL_ALLOW: both(environment.OPENTACT_DIAL_ALLOW, loopback),
  };
  const readyOf = present.filter(({ needed }) => needed).map(({ name }) => `${name}=${healthOf(config, name)}`);
  return present.map(({ name, path, leaves, upgrades, needed }) => ({
    name,
    script: join(services, path),
    args: ['--name', name, ...(given.quiet ? ['--quiet'] : [])],
    environment: {
      ...shared,
      OPENTACT_HEALTH: healthOf(config, name),
      ...(name === 'api' ? { OPENTACT_READY_OF: readyOf.join(',') } : {}),
    },
    leaves,
    upgrades,
    needed,
    shown: name.startsWith('demo-'),
  }));
}

const both = (given: string | undefined, ours: string): string => (given ? `${given},${ours}` : ours);

const healthOf = (config: Config, name: string): string => socketPath(config.home, `${name}.health`);

/** The ports that those processes will open. */
export function portsOf(config: Config): WantedPort[] {
  const { bind: host, sipPort, httpPort, grpcPort, demoPort } = config;
  return [
    { variable: 'OPENTACT_SIP_PORT', host, port: sipPort, transport: 'udp' },
    { variable: 'OPENTACT_SIP_PORT', host, port: sipPort, transport: 'tcp' },
    { variable: 'OPENTACT_HTTP_PORT', host, port: httpPort, transport: 'tcp' },
    { variable: 'OPENTACT_GRPC_PORT', host, port: grpcPort, transport: 'tcp' },
    { variable: 'OPENTACT_DEMO_PORT', host: '127.0.0.1', port: demoPort, transport: 'tcp' },
    { variable: 'OPENTACT_DEMO_PORT', host: '127.0.0.1', port: demoPort, transport: 'udp' },
  ];
}
