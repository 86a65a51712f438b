/**
 * `npm test`: every tier in order, each with its budget, all set-up done here; `npm test -- failure brokers` runs those
 * tiers only. Its last line is `N passed, N failed, N skipped`. A tier that can't run here is named there; with
 * OPENTACT_REQUIRE=all it is a failure.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { check } from './check.ts';
import { startBroker } from './kit/broker.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
process.chdir(ROOT);
// Hundreds of processes load the same modules; each is compiled once.
process.env.NODE_COMPILE_CACHE ??= join(ROOT, 'node_modules', '.cache', 'opentact');

type Tier = {
  name: string;
  files: string[];
  budgetMs: number;
  /** Files at a time; 0: all in one process, one after the other, on one platform. */
  concurrency: number;
  /** Run in the place of test files; it writes its counts as their reporter does. */
  program?: string[];
  needs?: string[];
};

const unit = ['proto/src/**/*.test.ts', 'services/**/src/**/*.test.ts', 'test/kit/**/*.test.ts'];
const laws = ['test/laws/*.test.ts', 'test/replay/*.test.ts'];
/** They begin first: whatever is long and begins last is waited for by itself. Most of them only wait. */
const long = [
  'test/scenarios/patience.test.ts',
  'test/failure/enumeration.test.ts',
  'services/standalone/src/standalone.test.ts',
  'services/api/src/calls/run-batches.test.ts',
  'test/laws/*.test.ts',
  'services/flow-engine/src/cli/cli.test.ts',
  'services/api/src/{*,{rest,accounts,numbers,sip,logs}/**/*}.test.ts',
];
/** They judge sound, or how long something takes: one after the other, with nothing beside them. */
const judging = [
  'services/media/src/worker/{media-sessions,rough-network}.test.ts',
  'services/media/src/service/media-service.test.ts',
  'test/scenarios/verbs-audio.test.ts',
  'services/shared/event-log/src/{contract,postgres,kafka-liveness}.test.ts',
  'services/shared/link/src/link.test.ts',
  'test/laws/linear*.test.ts',
];
/** Each process of one platform may be killed by them, and is whole again before the next call. */
const kills = ['exceptions', 'flow-engine', 'notifier-api', 'ordered', 'refused'].map(
  (n) => `test/failure/${n}.test.ts`,
);
/** Each on a platform of its own, and one of them on Kafka: two on one broker would share its topics. */
const apart = ['shapes', 'fenced', 'bulk', 'rolling'].map((n) => `test/failure/${n}.test.ts`);
const TIERS: Tier[] = [
  { name: 'timing', files: judging, budgetMs: 180_000, concurrency: 1 },
  { name: 'unit and laws', files: [...long, ...unit, ...laws], budgetMs: 450_000, concurrency: 4 },
  {
    name: 'scenarios',
    files: ['test/scenarios/*.test.ts', 'test/conformance/*.test.ts'],
    budgetMs: 400_000,
    concurrency: 0,
    needs: ['sipp'],
  },
  { name: 'kills', files: kills, budgetMs: 150_000, concurrency: 0 },
  {
    name: 'attack',
    files: ['test/attack/run.ts'],
    program: ['test/attack/run.ts', '--short'],
    budgetMs: 150_000,
    concurrency: 1,
  },
  {
    name: 'load',
    files: ['test/load/run.ts'],
    program: ['test/load/run.ts', '--smoke'],
    budgetMs: 220_000,
    concurrency: 1,
  },
  // Two at a time, since they mostly wait for what is frozen, killed or replaced.
  { name: 'failure', files: apart, budgetMs: 200_000, concurrency: 2 },
  { name: 'matrix', files: ['test/failure/*.test.ts'], budgetMs: 200_000, concurrency: 1 },
  {
    name: 'brokers',
    files: ['test/failure/brokers/*.test.ts', 'test/scenarios/kafka/*.test.ts'],
    budgetMs: 260_000,
    concurrency: 1,
    needs: ['java', 'mvn', 'kcat'],
  },
];

/** Debian packages that bring a program; installed where this may be done. */
const PACKAGES: Record<string, string> = {
  sipp: 'sip-tester',
  java: 'default-jre-headless',
  mvn: 'maven',
  kcat: 'kcat',
};

const total = { passed: 0, failed: 0, skipped: 0 };
const lastPage: string[] = [];

function has(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

/** Makes the programs of a tier available. @returns what is still missing. */
function provide(programs: string[]): string[] {
  const missing = programs.filter((p) => !has(p));
  if (missing.length === 0 || process.getuid?.() !== 0 || !has('apt-get')) return missing;
  const packages = missing.map((p) => PACKAGES[p] ?? p);
  process.stdout.write(`installing ${packages.join(', ')}\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  spawnSync('apt-get', ['update', '-qq'], { stdio: 'ignore', env, timeout: 180_000 });
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
    stdio: 'ignore',
    env,
    timeout: 300_000,
  });
  return missing.filter((p) => !has(p));
}

/** The server that the test files of api share; undefined where it can't be had, and each starts one of its own. */
async function startDatabases(): Promise<{ url: string; stop(): Promise<void> } | undefined> {
  // Loaded late: what it needs is generated by the check.
  const { sharedServer } = await import('../services/api/src/database/testing/test-database.ts');
  const home = mkdtempSync(join(tmpdir(), 'opentact-databases-'));
  const server = await sharedServer(home).catch((error: Error) => {
    process.stdout.write(`no PostgreSQL for all of api's tests: ${error.message}\n`);
  });
  if (!server) return undefined;
  const stop = () => server.stop().finally(() => rmSync(home, { recursive: true, force: true }));
  return { url: server.url, stop };
}

/** Ends the tier that runs, its platforms with it. */
let endAll = () => {};

/** Each file runs in the first tier that names it. */
const taken = new Set<string>();

function filesOf(tier: Tier): string[] {
  const files = tier.files
    .flatMap((pattern) => globSync(pattern, { exclude: (name) => String(name) === 'node_modules' }))
    .filter((file, n, all) => !taken.has(file) && all.indexOf(file) === n);
  for (const file of files) taken.add(file);
  return files;
}

function runTier(tier: Tier, files: string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'opentact-test-'));
  const counts = join(folder, 'counts.json');
  const args =
    tier.program ??
    (tier.concurrency > 0
      ? ['test/kit/tier.ts', String(tier.concurrency), String(tier.budgetMs), ...files]
      : [
          ...['--test', '--test-isolation=none', `--test-timeout=${tier.budgetMs}`],
          ...['--test-reporter', './test/kit/reporter.ts', ...files],
        ]);
  return new Promise((done) => {
    // In a group of its own, so that it can be ended with everything that its tests have started.
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
      env: {
        ...process.env,
        OPENTACT_COUNTS: counts,
        ...(tier.concurrency === 0 && { OPENTACT_SHARED_PLATFORM: 'yes' }),
      },
    });
    const late = setTimeout(() => {
      lastPage.push(`${tier.name}: over its budget of ${tier.budgetMs / 1000} s`);
      endAll();
    }, tier.budgetMs * 1.5);
    endAll = () => process.kill(-child.pid!, 'SIGTERM');
    child.on('close', (code) => {
      clearTimeout(late);
      endAll = () => {};
      const found = existsSync(counts)
        ? (JSON.parse(readFileSync(counts, 'utf8')) as typeof total & { reasons: string[] })
        : undefined;
      if (found) {
        for (const key of ['passed', 'failed', 'skipped'] as const) total[key] += found[key];
        lastPage.push(...found.reasons.map((reason) => `skipped: ${reason}`));
      }
      if (code !== 0 && !found?.failed) {
        total.failed++;
        lastPage.push(`${tier.name}: the runner ended with ${code}`);
      }
      rmSync(folder, { recursive: true, force: true });
      done();
    });
  });
}

const started = Date.now();
const names = ['check', ...TIERS.map(({ name }) => name.split(' ')[0]!)];
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`unknown: ${unknown.join(' ')}; npm test -- ${names.join(' ')} chooses among these\n`);
  process.exit(64);
}
const isWanted = (name: string) => wanted.length === 0 || wanted.includes(name.split(' ')[0]!);
if (isWanted('check')) {
  process.stdout.write('# check\n');
  const checked = await check();
  total.passed += checked.passed;
  total.failed += checked.failed;
}
// Single tests of other tiers want them, too, and skip themselves without.
provide(TIERS.flatMap(({ name, needs = [] }) => (isWanted(name) ? needs : [])));
// One Kafka for the whole run; a tier that lacks it says so itself, and fails where everything is owed.
const broker = await startBroker().catch((error: Error) => ({
  how: `none: ${error.message}`,
  brokers: '',
  stop: async () => {},
}));
process.stdout.write(`\nKafka for the tests: ${broker.how}\n`);
process.env.KAFKA_BROKERS = broker.brokers;
// One PostgreSQL for the test files of api, each of which has a database of its own; without it each starts a server.
const databases = isWanted('unit') ? await startDatabases() : undefined;
if (databases) process.env.OPENTACT_TEST_POSTGRES = databases.url;
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    endAll();
    void Promise.all([broker.stop(), databases?.stop()]).finally(() => process.exit(130));
  });
for (const tier of TIERS) {
  const files = filesOf(tier);
  if (!isWanted(tier.name) || files.length === 0) continue;
  const began = Date.now();
  const missing = provide(tier.needs ?? []);
  if (missing.length > 0) {
    if (process.env.OPENTACT_REQUIRE === 'all') total.failed++;
    else total.skipped++;
    lastPage.push(
      `tier ${tier.name} did not run: it needs ${missing.join(', ')} (Debian: ${missing.map((p) => PACKAGES[p] ?? p).join(', ')})`,
    );
    continue;
  }
  process.stdout.write(`\n# ${tier.name}\n`);
  await runTier(tier, files);
  process.stdout.write(`# ${tier.name}: ${((Date.now() - began) / 1000).toFixed(0)} s\n`);
}
process.stdout.write(
  `\n${lastPage.map((line) => `${line}\n`).join('')}${((Date.now() - started) / 1000).toFixed(0)} s in all\n`,
);
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
await broker.stop();
await databases?.stop();
process.exitCode = total.failed > 0 ? 1 : 0;
