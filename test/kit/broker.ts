/**
 * A real Kafka for tests, wherever it can be had: the one that KAFKA_BROKERS names, a container where an engine answers
 * and KAFKA_IMAGE names an image, else the jars that Maven brings. It starts one for a whole run and ends what it started.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const SCRIPT = resolve(import.meta.dirname, '../../infra/kafka/broker');
const START_MS_MAX = 240_000;
const INSTALL_MS_MAX = 300_000;
const PACKAGES = ['default-jre-headless', 'maven'];

/** `brokers`: as KAFKA_BROKERS takes them. `how`: words to print. `stop` ends only what was started here. */
export type Broker = { brokers: string; how: string; stop(): Promise<void> };
/** Nodes of a cluster of this test's own, to be killed. */
export type Cluster = Broker & {
  /** Starts every node that does not run. */
  start(): void;
  pid(node: number): number;
};

const has = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

function run(args: string[]): string {
  const { status, stdout, stderr } = spawnSync(SCRIPT, args, { timeout: START_MS_MAX, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${SCRIPT} ${args[0]}: ${stderr || `ended with ${status}`}`);
  return stdout;
}

/** What is missing to run the jars, after installing it where that may be done. */
function missing(): string[] {
  const lacks = () => ['java', 'mvn'].filter((program) => !has(program));
  if (lacks().length > 0 && process.getuid?.() === 0 && has('apt-get')) {
    process.stdout.write(`installing ${PACKAGES.join(', ')}\n`);
    const options = { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } } as const;
    spawnSync('apt-get', ['update', '-qq'], { ...options, timeout: INSTALL_MS_MAX });
    const install = ['install', '-y', '-qq', '--no-install-recommends', ...PACKAGES];
    spawnSync('apt-get', install, { ...options, timeout: INSTALL_MS_MAX });
  }
  return lacks();
}

/** Six ports in a row that are free now: three nodes and their controllers. */
async function freePorts(): Promise<number> {
  const isFree = (port: number) =>
    new Promise<boolean>((done) => {
      const server = createServer().once('error', () => done(false));
      server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
    });
  for (let base = 20_000 + Math.floor(Math.random() * 10_000); ; base += 10) {
    const all = await Promise.all(Array.from({ length: 6 }, (_, n) => isFree(base + n)));
    if (all.every(Boolean)) return base;
  }
}

/**
 * A cluster of this test's own from Maven's jars, in a folder that goes with it, or in one that stays.
 * @throws Error that says what is missing.
 */
export async function startCluster(nodes: 1 | 3, kept?: string): Promise<Cluster> {
  const lacks = missing();
  if (lacks.length > 0) throw new Error(`it needs ${lacks.join(' and ')} (Debian: ${PACKAGES.join(', ')})`);
  const directory = kept ?? (await mkdtemp(join(tmpdir(), 'opentact-kafka-')));
  const where = ['--dir', directory];
  const stop = async () => {
    run(['stop', ...where]);
    if (!kept) await rm(directory, { recursive: true, force: true });
  };
  try {
    const said = run(['start', ...where, '--nodes', String(nodes), '--port', String(await freePorts())]);
    const brokers = /KAFKA_BROKERS=(\S+)/.exec(said)![1]!;
    const how = `Apache Kafka from Maven's jars, ${nodes === 1 ? 'one node' : `${nodes} nodes`}, ${brokers}`;
    const pid = (node: number) => Number(readFileSync(join(directory, `node-${node}.pid`), 'utf8'));
    return { brokers, how, pid, start: () => void run(['start', ...where]), stop };
  } catch (error) {
    await stop().catch(() => {});
    throw error;
  }
}

/** Does a Docker engine answer? A program called docker proves nothing. */
function engineAnswers(): Promise<boolean> {
  const engine = new URL(process.env.DOCKER_HOST || 'unix:///var/run/docker.sock');
  const where =
    engine.protocol === 'unix:' ? { socketPath: engine.pathname } : { host: engine.hostname, port: engine.port };
  return new Promise((done) => {
    const asked = get({ ...where, path: '/_ping', timeout: 3000 }, (answer) =>
      done(answer.resume().statusCode === 200),
    );
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => done(false));
  });
}

/** As Apache's own image takes them, and ours. The broker also speaks to itself, where the published port leads nowhere. */
const settingsOf = (port: number) => ({
  KAFKA_NODE_ID: '1',
  KAFKA_PROCESS_ROLES: 'broker,controller',
  KAFKA_CONTROLLER_QUORUM_VOTERS: '1@127.0.0.1:9093',
  KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
  KAFKA_LISTENERS: 'PLAINTEXT://:9092,INSIDE://127.0.0.1:9094,CONTROLLER://127.0.0.1:9093',
  KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${port},INSIDE://127.0.0.1:9094`,
  KAFKA_INTER_BROKER_LISTENER_NAME: 'INSIDE',
  KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT',
  KAFKA_LOG_DIRS: '/var/lib/kafka/data',
  KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
  KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
  KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
  KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
});

async function container(image: string): Promise<Broker> {
  // Its reaper is an image of a registry; what is started here is ended by `stop`.
  process.env.TESTCONTAINERS_RYUK_DISABLED ??= 'true';
  const { GenericContainer, Wait } = await import('testcontainers');
  const port = await freePorts();
  const started = await new GenericContainer(image)
    .withEnvironment(settingsOf(port))
    .withExposedPorts({ container: 9092, host: port })
    .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
    .withStartupTimeout(START_MS_MAX)
    .start();
  const brokers = `127.0.0.1:${port}`;
  const stop = async () => void (await started.stop({ remove: true }));
  return { brokers, how: `container ${image}, ${brokers}`, stop };
}

/**
 * The broker for a whole run of tests. Set KAFKA_BROKERS to its `brokers` for everything that runs below.
 * @throws Error that says why there is none.
 */
export async function startBroker(): Promise<Broker> {
  const given = process.env.KAFKA_BROKERS;
  if (given) return { brokers: given, how: `KAFKA_BROKERS, ${given}`, stop: async () => {} };
  const image = process.env.KAFKA_IMAGE;
  if (image && (await engineAnswers())) return container(image);
  return startCluster(1);
}
