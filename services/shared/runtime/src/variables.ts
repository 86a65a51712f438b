/**
 * Every variable of the platform, in one place: what a person sets, and what the supervisor tells its children.
 * Each `main.ts` reads them all once by `configOrExit`; a service never invents a variable of its own.
 */
import { createSocket } from 'node:dgram';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { parseAllowList } from './addresses.ts';
import {
  ConfigError,
  type Environment,
  helpText,
  optional,
  readConfig,
  type Values,
  type Variables,
  variable,
} from './config.ts';
import * as read from './parsers.ts';
import { socketPath } from './socket-path.ts';

const CLONE = resolve(import.meta.dirname, '../../../..');

function path(value: string): string {
  if (value.startsWith('~/')) return join(homedir(), value.slice(2));
  return isAbsolute(value) ? value : resolve(CLONE, value);
}

/** What a person sets; `npm start -- --help` lists these. */
export const PUBLIC = {
  home: variable('OPENTACT_HOME', '.opentact', path, 'folder of all state; a relative path starts at the clone'),
  bind: variable('OPENTACT_BIND', '127.0.0.1', read.ipAddress, 'address to listen on'),
  advertise: optional('OPENTACT_ADVERTISE', read.reachableAddress, 'address written into Via, Contact and SDP'),
  sipPort: variable('OPENTACT_SIP_PORT', '5060', read.port, 'SIP, UDP and TCP'),
  httpPort: variable('OPENTACT_HTTP_PORT', '8080', read.port, 'HTTP: /health, /ready, /recordings'),
  grpcPort: variable('OPENTACT_GRPC_PORT', '9090', read.port, 'gRPC: CallControl, shared by the engines'),
  rtpPorts: variable('OPENTACT_RTP_PORTS', '10000-19999', read.portRange, 'RTP and RTCP'),
  demoPort: variable('OPENTACT_DEMO_PORT', '8090', read.port, 'the demo customer’s HTTP server'),
  log: variable('OPENTACT_LOG', 'postgres', read.oneOf('postgres', 'memory', 'kafka'), 'where the journal is kept'),
  shape: variable(
    'OPENTACT_SHAPE',
    'cells',
    read.oneOf('cells', 'services'),
    'cells: engine, notifier, media and edge in one process, OPENTACT_CELLS of them; services: each a process, twice',
  ),
  cells: variable(
    'OPENTACT_CELLS',
    '2',
    read.integer(1, 16),
    'how many cells; calls of one that dies go on in the others',
  ),
  databaseUrl: optional(
    'DATABASE_URL',
    read.url('postgres:', 'postgresql:'),
    'PostgreSQL to use; unset: an embedded server',
    { secret: true },
  ),
  kafkaBrokers: optional('KAFKA_BROKERS', read.list, 'host:port, comma-separated'),
  fetchAllow: variable(
    'OPENTACT_FETCH_ALLOW',
    '',
    parseAllowList,
    'CIDR[:port] list to fetch from beyond public addresses and the demo’s',
  ),
  dialAllow: variable(
    'OPENTACT_DIAL_ALLOW',
    '',
    parseAllowList,
    'CIDR[:port] list Dial may reach beyond public addresses and the demo’s',
  ),
  trunk: optional('OPENTACT_TRUNK', read.trunk, 'sip:user:password@host:port, the trunk of Number', { secret: true }),
  freeCalls: variable(
    'OPENTACT_FREE_CALLS',
    'no',
    read.oneOf('no', 'yes'),
    'yes: calls out by the trunk cost nothing while there are no rates for them',
  ),
  grpcToken: optional(
    'OPENTACT_GRPC_TOKEN',
    read.text,
    'the operator’s bearer token; unset: the file `operator.token` in OPENTACT_HOME',
    {
      secret: true,
    },
  ),
  asrUrl: optional(
    'OPENTACT_ASR_URL',
    read.plainUrl('http:', 'https:'),
    'recogniser that turns recordings into words; unset: none',
    { secret: true },
  ),
  asrToken: optional('OPENTACT_ASR_TOKEN', read.text, 'bearer token of the recogniser', { secret: true }),
  googleIssuer: variable(
    'OPENTACT_GOOGLE_ISSUER',
    'https://accounts.google.com',
    read.plainUrl('https:', 'http:'),
    'OpenID issuer whose ID tokens log users in',
  ),
  googleClientId: optional('OPENTACT_GOOGLE_CLIENT_ID', read.text, 'our client there; unset: no log-in by Google'),
  signUp: optional(
    'OPENTACT_SIGN_UP',
    read.oneOf('on', 'off'),
    'may anybody sign up by REST; unset: on at a loopback bind, else off',
  ),
  smtpUrl: optional(
    'OPENTACT_SMTP_URL',
    read.url('smtp:', 'smtps:'),
    'smtp(s)://user:password@host:port for mail; unset: files in OPENTACT_HOME/mail',
    { secret: true },
  ),
  mailFrom: variable('OPENTACT_MAIL_FROM', 'opentact@localhost', read.mailAddress, 'who mail comes from'),
  resetOrigins: variable(
    'OPENTACT_RESET_ORIGINS',
    '',
    read.origins,
    'origins a password reset may lead to; empty: pages of this machine, on a loopback bind without a proxy',
  ),
  trustedProxies: variable(
    'OPENTACT_TRUSTED_PROXIES',
    '',
    read.networks,
    'addresses and CIDRs of proxies before the HTTP port, whose X-Forwarded-For is believed; empty: none',
  ),
  retainDays: variable('OPENTACT_RETAIN_DAYS', '30', read.integer(1, 3650), 'days the journal and recordings are kept'),
  diskFreeMb: variable(
    'OPENTACT_DISK_FREE_MB',
    '512',
    read.integer(0, 1_000_000_000),
    'MiB that recordings leave free on their disk; 0: none',
  ),
  logLevel: variable(
    'OPENTACT_LOG_LEVEL',
    'info',
    read.oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal'),
    'least severe line the processes write',
  ),
} satisfies Variables;

/** What the supervisor (or a chart) tells a process; a person rarely sets these. */
export const INTERNAL = {
  nodeName: optional('OPENTACT_NODE_NAME', read.text, 'name of this process, unique in the installation'),
  secret: optional('OPENTACT_SECRET', read.text, 'platform secret; unset: the file `secret` in OPENTACT_HOME', {
    secret: true,
  }),
  sealKeys: optional(
    'OPENTACT_SEAL_KEYS',
    read.text,
    'base64 keys of 32 bytes that seal the secrets of api’s database, newest first, two at most; unset: the file `seal.keys` in OPENTACT_HOME',
    { secret: true },
  ),
  linkPort: variable('OPENTACT_LINK_PORT', '0', read.integer(0, 65_535), 'an engine’s own gRPC port; 0: any free one'),
  health: optional('OPENTACT_HEALTH', read.text, 'port or socket path of this process’s /health and /ready'),
  readyOf: variable('OPENTACT_READY_OF', '', read.list, 'name=socket-path list whose readiness api’s /ready gathers'),
  directory: optional('OPENTACT_DIRECTORY', read.text, 'gRPC address of the Directory'),
  apiDatabaseUrl: optional('OPENTACT_API_DATABASE_URL', read.url('postgres:', 'postgresql:'), 'database of api', {
    secret: true,
  }),
} satisfies Variables;

const ALL = { ...PUBLIC, ...INTERNAL };

type Raw = Values<typeof ALL>;

/** The whole configuration of a process. Addresses without brackets; ports 0 … 65535; lists may be empty. */
export type Config = Omit<Raw, 'nodeName' | 'health' | 'directory' | 'apiDatabaseUrl'> & {
  /** Name of this process, as it stands in the registry, in logs and in `run/<name>.pid`. */
  nodeName: string;
  /** Port or absolute socket path of this process's own `/health` and `/ready`. */
  health: number | string;
  /** gRPC address of the Directory, as grpc-js takes it. */
  directory: string;
  /** `undefined` where there is no DATABASE_URL either. */
  apiDatabaseUrl: string | undefined;
};

function faultsBetween(values: Raw): string[] {
  const faults: string[] = [];
  if (!read.isLoopback(values.bind) && !values.grpcToken)
    faults.push(`OPENTACT_GRPC_TOKEN must be set, since OPENTACT_BIND is ${values.bind} and not loopback`);
  if (values.log === 'kafka' && !values.kafkaBrokers?.length)
    faults.push('KAFKA_BROKERS must be set, since OPENTACT_LOG is kafka');
  const taken = new Map<number, string>();
  for (const [name, port] of [
    ['OPENTACT_HTTP_PORT', values.httpPort],
    ['OPENTACT_GRPC_PORT', values.grpcPort],
    ['OPENTACT_DEMO_PORT', values.demoPort],
    ['OPENTACT_SIP_PORT', values.sipPort],
  ] as const) {
    const other = port === 0 ? undefined : taken.get(port);
    if (other) faults.push(`${name} must differ from ${other}; both are ${port}`);
    taken.set(port, name);
  }
  return faults;
}

function withDatabase(url: string | undefined, database: string): string | undefined {
  if (!url) return undefined;
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

/**
 * The configuration of one process.
 * @param service default node name, `sip-edge`; `--name X` among `args` wins over OPENTACT_NODE_NAME.
 * @throws ConfigError with every fault at once.
 */
export function readPlatformConfig(service: string, environment: Environment, args: string[] = []): Config {
  const raw = readConfig(ALL, environment, faultsBetween);
  const named = args[args.indexOf('--name') + 1];
  const nodeName = (args.includes('--name') ? named : undefined) ?? raw.nodeName ?? service;
  if (!/^[a-z0-9][a-z0-9._-]{0,62}$/i.test(nodeName))
    throw new ConfigError([`OPENTACT_NODE_NAME must be letters, digits, dots and dashes (it is "${nodeName}")`]);
  const health = raw.health ?? socketPath(raw.home, `${nodeName}.health`);
  return {
    ...raw,
    nodeName,
    health: /^\d+$/.test(health) ? Number(health) : health,
    directory: raw.directory ?? `unix:${socketPath(raw.home, 'directory.grpc')}`,
    apiDatabaseUrl: raw.apiDatabaseUrl ?? withDatabase(raw.databaseUrl, 'opentact_api'),
  };
}

/** The configuration for a `main.ts`: `--help` prints the variables and ends 0, a bad environment prints and ends 78. */
export function configOrExit(service: string, environment: Environment, args: string[]): Config {
  if (args.includes('--help')) {
    process.stdout.write(`${service}\n\n${helpText(PUBLIC)}\n\nset by the supervisor:\n\n${helpText(INTERNAL)}\n`);
    process.exit(0);
  }
  try {
    return readPlatformConfig(service, environment, args);
  } catch (fault) {
    if (!(fault instanceof ConfigError)) throw fault;
    process.stderr.write(`${service}: ${fault.message}\n`);
    return process.exit(78); // EX_CONFIG: a supervisor need not try again
  }
}

/** Where the platform's own processes reach this one: never through a public address that only phones are told. */
export const internalAddress = (config: Pick<Config, 'bind'>): Promise<string> =>
  advertisedAddress({ bind: config.bind, advertise: undefined });

/** The address to write on the wire: as configured, or the bound one, or of the default route where that is a wildcard. */
export async function advertisedAddress(config: Pick<Config, 'advertise' | 'bind'>): Promise<string> {
  if (config.advertise) return config.advertise;
  if (!read.isWildcard(config.bind)) return config.bind;
  const v6 = config.bind.includes(':');
  const socket = createSocket(v6 ? 'udp6' : 'udp4');
  try {
    // Connecting a UDP socket sends nothing; it only asks the routing table.
    await new Promise<void>((done, failed) => {
      socket.once('error', failed);
      socket.connect(9, v6 ? '2001:db8::1' : '192.0.2.1', done);
    });
    return socket.address().address;
  } catch (cause) {
    throw new ConfigError([
      `OPENTACT_ADVERTISE must be set: ${config.bind} has no route out (${(cause as Error).message})`,
    ]);
  } finally {
    socket.close();
  }
}
