/**
 * Everything on one machine: PostgreSQL and each service as a process of its own, under supervision. It imports no
 * service. A second one for the same home is refused; what a killed one left behind is recognised.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTopics, endEmbeddedPostgres, openLog } from '@opentact/event-log';
import {
  bootId,
  type Config,
  ConfigError,
  createLogger,
  createShutdown,
  differencesFrom,
  helpText,
  homeOf,
  keepStartedWith,
  logFile,
  operatorToken,
  PUBLIC,
  pidFileOf,
  platformSecret,
  readPlatformConfig,
  startedWith,
  unknownVariables,
} from '@opentact/runtime';
import { ensureDatabase, hasJournal } from './databases.ts';
import { type Demo, writeDemo } from './demo/demo.ts';
import { type Flags, HELP, readFlags } from './flags.ts';
import { homeFault } from './home.ts';
import { keepRotating } from './log-files.ts';
import { planOf, portsOf } from './plan.ts';
import { portFaults } from './ports.ts';
import { keepPostgres } from './postgres.ts';
import { claimHome, endLeftovers, takeFrom } from './processes.ts';
import { tellStories } from './story.ts';
import { askReady, createSupervisor, type Supervisor } from './supervisor.ts';
import { firstWords, lastWords, movedWords } from './words.ts';

const CLONE = resolve(import.meta.dirname, '../../..');
const DATABASES = ['opentact', 'opentact_api'];
const READY_MS_MAX = 60_000;
/** Of PostgreSQL, which is what takes long. */
const START_MS_MAX = 70_000;
/** EX_CANTCREAT. */
const CANT_CREATE = 73;
const LEFTOVER_GRACE_MS = 5000;
/** Those of a turn leave one after the other. */
const LEAVE_MS_MAX = 180_000;
const SOCKETS_CLOSED_MS = 2000;
const TAKE_MS_MAX = 5000;

const say = (text: string) => void process.stdout.write(text);
process.stdout.on('error', () => {}); // Nobody reads any more; the calls go on.

/** Ends with a sentence for a person. */
function refuse(code: number, text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(code);
}

function flagsOrExit(): Flags {
  try {
    return readFlags(process.argv.slice(2));
  } catch (fault) {
    return refuse(64, `${(fault as Error).message}; try npm start -- --help`);
  }
}

const { quiet: isQuiet, replace: isReplacing, change: isChanging, help, environment } = flagsOrExit();

function readConfig(): Config {
  if (help) {
    say(`${HELP}\n${helpText(PUBLIC)}\n`);
    process.exit(0);
  }
  Object.assign(process.env, environment);
  try {
    settleWithHome();
    const config = readPlatformConfig('standalone', process.env);
    if (config.log === 'memory')
      throw new ConfigError(['OPENTACT_LOG must be postgres here: a log in memory is one process’s own']);
    return config;
  } catch (fault) {
    return refuse(78, (fault as Error).message);
  }
}

/** The operator's token that this home was given at its first start. */
function ownToken(): string | undefined {
  const path = join(homeOf(process.env), 'operator.token');
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined;
}

/** Sees that an upgrade stays where the home is, and says what is other than it was. @throws ConfigError */
function settleWithHome(): void {
  const before = startedWith(homeOf(process.env));
  if (!before) return;
  if (isReplacing) {
    const taken = Object.entries(before.variables).filter(([name]) => process.env[name] === undefined);
    Object.assign(process.env, Object.fromEntries(taken));
    const told = taken.map(([name, value]) => `${name}=${value}`).join(' ');
    if (told) say(`as this home was started: ${told}\n`);
  }
  // What `npm run env` gave this shell is the home's own.
  if (!before.secrets.includes('OPENTACT_GRPC_TOKEN') && process.env.OPENTACT_GRPC_TOKEN === ownToken())
    delete process.env.OPENTACT_GRPC_TOKEN;
  const differences = differencesFrom(before, process.env);
  if (differences.length === 0) return;
  if (isReplacing && !isChanging)
    refuse(78, `${differences.join('\n')}\nLive calls would lose what they live by. Set it as it was, or add --change`);
  say(`${differences.join('\n')}\n`);
}

/** Waits until a call would be answered; says what is missing where that takes long. */
async function waitReady(config: Config, signal: AbortSignal): Promise<boolean> {
  let toldAt = Date.now();
  for (const until = Date.now() + READY_MS_MAX; Date.now() < until && !signal.aborted; await sleep(100)) {
    const found = await askReady(config);
    if (found?.ready) return true;
    if (Date.now() - toldAt < 5000) continue;
    toldAt = Date.now();
    const missing = Object.entries(found?.checks ?? { api: 'no answer' }).filter(([, said]) => said !== 'ok');
    say(`still waiting: ${missing.map(([name, said]) => `${name}: ${said}`).join('; ')}\n`);
  }
  return false;
}

/** Ends what an earlier start left running, and sees that our ports are free. */
async function clearTheWay(config: Config): Promise<void> {
  const left = await endLeftovers(config.home, LEFTOVER_GRACE_MS);
  if (left.length > 0) say(`ended what an earlier start left running: ${left.join(', ')}\n`);
  let faults = await portFaults(portsOf(config));
  // A process counts as ended a moment before the system has closed its sockets.
  for (const until = Date.now() + SOCKETS_CLOSED_MS; left.length > 0 && faults.length > 0 && Date.now() < until; ) {
    await sleep(50);
    faults = await portFaults(portsOf(config));
  }
  if (faults.length > 0) throw new Error(faults.join('\n'));
}

/** Makes the topics where the journal is on Kafka, and says what becomes of one that was here before. */
async function keepOnKafka({ log, kafkaBrokers: brokers, retainDays }: Config, before: string): Promise<void> {
  if (log !== 'kafka') return;
  await createTopics({ brokers: brokers!, retainDays });
  if (await hasJournal(before)) say(movedWords(retainDays));
}

/** What is of this home because of this start; of a start that fails none of it stays. */
const begun: { isClaimed: boolean; supervisor?: Supervisor } = { isClaimed: false };

async function undo(config: Config): Promise<void> {
  if (!begun.isClaimed) return;
  for (const turn of begun.supervisor?.turns() ?? []) await begun.supervisor?.leave(turn);
  if (!config.databaseUrl) await endEmbeddedPostgres(config.home);
}

/** Makes this process the one that runs the home. @returns whether it took over from another, whose processes serve on */
async function takeHome(config: Config): Promise<boolean> {
  const claim = () => claimHome(config.home, join('services', 'standalone', 'src', 'main.ts'));
  const other = await claim();
  if (other && !isReplacing) refuse(1, `already running, pid ${other}`);
  if (other && !(await takeFrom(other, TAKE_MS_MAX))) refuse(1, `pid ${other} does not hand over`);
  if (other && (await claim())) refuse(1, 'another took over first');
  const isTakenOver = other !== undefined;
  begun.isClaimed = !isTakenOver; // what was taken over serves on, whatever becomes of us
  return isTakenOver;
}

async function run(config: Config): Promise<void> {
  const startedAt = Date.now();
  const isTakenOver = await takeHome(config);
  const logs = join(config.home, 'logs');
  await mkdir(logs, { recursive: true, mode: 0o700 });
  for (const folder of ['recordings', 'cache'])
    await mkdir(join(config.home, folder), { recursive: true, mode: 0o700 });
  const log = createLogger(
    { service: 'standalone', node: 'standalone', boot: bootId(), level: config.logLevel },
    logFile(join(logs, 'standalone.log')),
  );
  for (const sentence of unknownVariables(process.env)) {
    process.stderr.write(`warning: ${sentence}\n`);
    log.warn(sentence);
  }
  const host = {
    on: process.on.bind(process),
    exit(code: number) {
      if (code !== 0) begun.supervisor?.kill();
      process.exit(code);
    },
  };
  const shutdown = createShutdown(log, host as never);
  shutdown.signal.addEventListener('abort', () =>
    say('\nleaving: no new calls, live ones have 5 s in each cell; Ctrl-C once more ends at once\n'),
  );

  process.once('SIGUSR2', async () => {
    say('another takes over; the calls go on\n');
    log.info('handing over');
    await begun.supervisor?.settled(); // whoever was being started is found by its pid file
    rmSync(pidFileOf(config.home, 'standalone'), { force: true });
    process.exit(0);
  });
  // Whoever is told to leave meanwhile learns first what has been started.
  const starting = Promise.withResolvers<void>();
  shutdown.step('start', START_MS_MAX, () => starting.promise);
  if (!isTakenOver) await clearTheWay(config);
  await platformSecret(config);
  await operatorToken(config);
  const { demo, isNew } = await writeDemo(config);
  if (config.databaseUrl && !process.env.OPENTACT_API_DATABASE_URL)
    await ensureDatabase(config.databaseUrl, DATABASES[1]!);
  const postgres = config.databaseUrl
    ? undefined
    : await keepPostgres({ home: config.home, databases: DATABASES, log, say }, shutdown.signal);
  await keepOnKafka(config, config.databaseUrl ?? postgres!.url('opentact'));
  const plan = planOf(config, process.env, {
    clone: CLONE,
    databaseUrl: config.databaseUrl ?? postgres?.url('opentact'),
    apiDatabaseUrl: config.apiDatabaseUrl ?? postgres?.url('opentact_api'),
    quiet: isQuiet,
  });
  await keepStartedWith(config.home, process.env);
  const supervised = createSupervisor(plan, { home: config.home, log, say });
  begun.supervisor = supervised;
  const stopRotating = keepRotating(logs);
  for (const turn of supervised.turns()) shutdown.step(`leave ${turn}`, LEAVE_MS_MAX, () => supervised.leave(turn));
  shutdown.step('PostgreSQL', 15_000, () => postgres?.stop());
  shutdown.step('pid file', 500, () => {
    stopRotating();
    return rm(pidFileOf(config.home, 'standalone'), { force: true });
  });
  starting.resolve();
  if (shutdown.signal.aborted) return;
  const stuck = isTakenOver ? await supervised.replace() : await supervised.start();
  if (stuck)
    say(
      `${stuck} did not become ready, so the others were left as they are; see ${join(logs, `${stuck}.log`)}.\n` +
        'They serve on. Mend it and replace again, or go back: the old version’s npm start -- --replace\n',
    );
  if (isNew) say(firstWords(demo));
  await greet(config, demo, supervised, startedAt, shutdown.signal);
  if (isQuiet || shutdown.signal.aborted) return;
  // Calls don't hang on their stories.
  await follow(config, plan[0]!.environment.DATABASE_URL, shutdown.signal).catch((err) =>
    log.error({ err }, 'the stories of calls are told no more'),
  );
}

async function greet(
  config: Config,
  demo: Demo,
  of: Supervisor,
  startedAt: number,
  signal: AbortSignal,
): Promise<void> {
  const ready = await waitReady(config, signal);
  if (signal.aborted) return;
  const hasCallee = of.children().some(({ planned }) => planned.name === 'demo-callee');
  if (ready) say(lastWords(config, demo, { tookMs: Date.now() - startedAt, hasCallee, quiet: isQuiet }));
  else
    say(
      `not ready after ${READY_MS_MAX / 1000} s; see ${join(config.home, 'logs')}. It goes on trying; Ctrl-C stops it.\n`,
    );
}

async function follow(config: Config, databaseUrl: string | undefined, signal: AbortSignal): Promise<void> {
  const events = await openLog({ ...config, databaseUrl });
  try {
    await tellStories(events, Date.now(), (line) => say(`${line}\n`), signal);
  } finally {
    await events.close();
  }
}

const config = readConfig();
const unfit = await homeFault(config.home, config.databaseUrl !== undefined);
if (unfit) refuse(CANT_CREATE, `not started: ${unfit}`);
await run(config).catch(async (fault: Error) => {
  await undo(config).catch((err: Error) => process.stderr.write(`${err.message}\n`));
  await rm(pidFileOf(config.home, 'standalone'), { force: true });
  refuse(1, `not started: ${fault.message}`);
});
