/**
 * A whole platform of its own for a test: `npm start`'s standalone in a temporary home, on ports of its own, with the
 * test's customer server allowed. It is stopped by its pid, and nothing of it is left.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { type CallEvent, CallV1, fromMessage } from '@opentact/proto';
import { bearer, CHANNEL_OPTIONS, ownerAmong, partitionOf, processOf } from '@opentact/runtime';
import { type Control, openControl } from './control.ts';
import { freePorts } from './ports.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const READY_MS = 60_000;
const STORY_MS = 3_000;
/** Until an engine that lives has shaken hands on a new connection. */
const HANDSHAKE_MS = 400;
const HANDSHAKES_MAX = 12;

export type Platform = {
  home: string;
  /** What its processes are started with, for one more of them. */
  environment: Record<string, string | undefined>;
  /** The operator's, for CallControl and `/recordings`. */
  token: string;
  sip: string;
  sipPort: number;
  httpPort: number;
  grpcPort: number;
  demoPort: number;
  control: Control;
  /** pid of a process of it by its name (`flow-engine-1`, `media` …). */
  pid(name: string): number;
  /** The processes of a kind: `media` is `media-1` and `media-2`. */
  named(kind: string): string[];
  /** The node of a kind that serves a call now, as its story tells. */
  serving(callId: string, kind: 'media' | 'notifier' | 'sip-edge'): Promise<string>;
  /** The engine that owns a call's partition now, by what the engines wrote into their logs when they took it. */
  ownerOf(callId: string): string;
  /** The engines that became ready for a call's partition since a time, ms. */
  tookOverSince(callId: string, since: number): string[];
  /** Every process is ready, and each partition is with the engine it belongs to. */
  whole(ms?: number): Promise<void>;
  /** `kill -9`, or another signal. @returns the pid */
  kill(name: string, signal?: NodeJS.Signals): number;
  /** The story so far. */
  story(callId: string): Promise<CallEvent[]>;
  /** The first event that fits, as soon as it is in the journal. @throws Error after `ms`, with the story's tail */
  until(callId: string, fits: (event: CallEvent) => boolean, ms?: number): Promise<CallEvent>;
  /** The whole story, once CallEnded is in it and every session was given back. */
  ended(callId: string, ms?: number): Promise<CallEvent[]>;
  ready(): Promise<boolean>;
  output(): string;
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** Replaces every process by those of another clone, one after the other, by `npm start -- --replace` and what else is said. */
  replaceBy(clone: string, ...more: string[]): Promise<void>;
  /** Starts the same home again after a stop or a kill. */
  restart(): Promise<void>;
};

/** Test files that run in one process share one platform, started by the first that wants it. */
const isShared = process.env.OPENTACT_SHARED_PLATFORM === 'yes';
let shared: Promise<Platform> | undefined;
// At the top of the process, so that it ends with the last of its files.
if (isShared) after(async () => void (await (await shared)?.stop()));

/** The command that runs a command in surroundings of its own. */
type Within = (command: string, args: string[]) => [string, string[]];
const plainly: Within = (command, args) => [command, args];

/** A platform of its own for whoever asks, or the shared one where nothing special is asked of it. */
export async function startPlatform(environment: Record<string, string> = {}, within?: Within): Promise<Platform> {
  if (!isShared || within || Object.keys(environment).length > 0) return launch(environment, within);
  shared ??= launch(environment);
  return Object.create(await shared, { stop: { value: async () => 0 } }) as Platform;
}

/** Starts a platform and waits until it would answer a call. */
async function launch(environment: Record<string, string>, within = plainly): Promise<Platform> {
  const home = environment.OPENTACT_HOME ?? mkdtempSync(join(tmpdir(), 'opentact-platform-'));
  const [sipPort, httpPort, grpcPort, demoPort] = (await freePorts(4)) as [number, number, number, number];
  const env = {
    ...process.env,
    OPENTACT_HOME: home,
    OPENTACT_SIP_PORT: String(sipPort),
    OPENTACT_HTTP_PORT: String(httpPort),
    OPENTACT_GRPC_PORT: String(grpcPort),
    OPENTACT_DEMO_PORT: String(demoPort),
    // Phones of an earlier platform may still send to the ports it had.
    OPENTACT_RTP_PORTS: rtpPorts(),
    OPENTACT_FETCH_ALLOW: '127.0.0.1/32',
    OPENTACT_DIAL_ALLOW: '127.0.0.1/32',
    OPENTACT_SHAPE: process.env.OPENTACT_SHAPE ?? 'services',
    ...environment,
  };
  const isCells = env.OPENTACT_SHAPE === 'cells';
  const engines = isCells ? CELL_ENGINES : ENGINES;
  const partitions = (environment.OPENTACT_LOG ?? process.env.OPENTACT_LOG) === 'kafka' ? 48 : 8;
  let output = '';
  let child: ChildProcess;
  const tokenOf = () =>
    environment.OPENTACT_GRPC_TOKEN ??
    process.env.OPENTACT_GRPC_TOKEN ??
    readFileSync(join(home, 'operator.token'), 'utf8').trim();
  // Our own tools read with our own types; that a client with only the .proto files can is tested by itself.

  const ready = async () => {
    const answer = await fetch(`http://127.0.0.1:${httpPort}/ready`).catch(() => undefined);
    return answer?.status === 200;
  };
  function run(clone: string, ...more: string[]): void {
    child = spawn(...within(process.execPath, ['services/standalone/src/main.ts', '--quiet', ...more]), {
      cwd: clone,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout!.on('data', (d) => (output += d));
    child.stderr!.on('data', (d) => (output += d));
  }
  async function start(): Promise<void> {
    run(ROOT);
    for (const until = Date.now() + READY_MS; !(await ready()); await sleep(50)) {
      if (child.exitCode !== null) throw new Error(`the platform ended with ${child.exitCode}:\n${output}`);
      if (Date.now() > until) throw new Error(`the platform is not ready after ${READY_MS} ms:\n${output}`);
    }
  }
  // A test that throws outside its own clean-up must leave no platform behind.
  process.once('exit', () => child.exitCode === null && child.kill('SIGTERM'));
  await start();
  let control = openControl(`127.0.0.1:${grpcPort}`, tokenOf());
  let reader = openReader(grpcPort);

  const platform: Platform = {
    home,
    environment: env,
    get token() {
      return tokenOf();
    },
    sip: `127.0.0.1:${sipPort}`,
    sipPort,
    httpPort,
    grpcPort,
    demoPort,
    get control() {
      return control;
    },
    pid: (name) =>
      Number(
        readFileSync(join(home, 'run', `${name}.pid`), 'utf8')
          .trim()
          .split(/\s/)[0],
      ),
    named: (kind) => namesOf(home, isCells && KINDS_OF_A_CELL.includes(kind) ? 'cell' : kind),
    async serving(callId, kind) {
      const story = await platform.story(callId);
      const named = story.flatMap((e) => nodeNamedBy(e, kind));
      if (named.length === 0) throw new Error(`no ${kind} serves ${callId}`);
      return processOf(named.at(-1)!);
    },
    ownerOf: (callId) => owners(home, engines).get(partitionOf(callId, partitions)) ?? '',
    tookOverSince: (callId, since) => {
      const mine = partitionOf(callId, partitions);
      return readiness(home, engines).flatMap(({ partition, name, time }) =>
        partition === mine && Date.parse(time) >= since ? [name] : [],
      );
    },
    async whole(ms = 30_000) {
      const belongs = Array.from({ length: partitions }, (_, n) => processOf(ownerAmong(n, engines)!));
      const is = () => {
        const now = owners(home, engines);
        return belongs.every((name, n) => now.get(n) === name);
      };
      for (const end = Date.now() + ms; !(is() && (await ready()) && (await allReady(home))); await sleep(50))
        if (Date.now() > end)
          throw new Error(`not whole after ${ms} ms: ${JSON.stringify([...owners(home, engines)])}\n${output}`);
    },
    kill(name, signal = 'SIGKILL') {
      const pid = platform.pid(name);
      process.kill(pid, signal);
      return pid;
    },
    async story(callId) {
      const events: CallEvent[] = [];
      const options = { deadline: Date.now() + STORY_MS };
      const stream = reader.streamCallEvents({ callId, fromSeq: 1, follow: false }, bearer(tokenOf()), options);
      try {
        for await (const { event } of stream) if (event) events.push(fromMessage(event));
      } catch (error) {
        // The engine that the connection leads to may be frozen: the next story is asked of one that lives.
        if ((error as ServiceError).code === status.DEADLINE_EXCEEDED)
          reader = await openLivingReader(grpcPort, reader);
        throw error;
      }
      return events;
    },
    async until(callId, fits, ms = 20_000) {
      let story: CallEvent[] = [];
      // Often at first, since what follows may be timed by it; less so when nothing comes.
      let wait = 15;
      for (const end = Date.now() + ms; ; await sleep(wait)) {
        wait = Math.min(60, wait * 1.02);
        // An engine that was just killed may have been the one we asked.
        story = await platform.story(callId).catch(() => story);
        const found = story.find(fits);
        if (found) return found;
        if (Date.now() > end) throw new Error(`not within ${ms} ms: ${fits}\n${tail(story)}`);
      }
    },
    async ended(callId, ms = 20_000) {
      await platform.until(callId, (e) => e.type === 'CallEnded', ms);
      for (const end = Date.now() + 20_000; ; await sleep(25)) {
        const story = await platform.story(callId).catch(() => []);
        const open = new Set(story.flatMap((e) => (e.type === 'ReleaseRequested' ? [e.seq] : [])));
        for (const e of story) if (e.type === 'SessionReleased' || e.type === 'RequestFailed') open.delete(e.requestId);
        // A BYE of ours has its answer behind the call's end; a lost edge's may have none.
        const legs = new Set(story.flatMap((e) => (e.type === 'LegAnswered' ? [e.leg] : [])));
        for (const e of story) if (e.type === 'LegEnded') legs.delete(e.leg);
        const isWhole = legs.size === 0 || Date.now() > end - STORY_MS * 5;
        if (story.length > 0 && open.size === 0 && isWhole) return story;
        if (Date.now() > end) throw new Error(`sessions were not given back:\n${tail(story)}`);
      }
    },
    ready,
    output: () => output,
    async stop(signal = 'SIGTERM') {
      control.close();
      reader.close();
      if (child.exitCode === null && child.signalCode === null) {
        child.kill(signal);
        await once(child, 'exit');
      }
      if (!environment.OPENTACT_HOME && signal === 'SIGTERM') rmSync(home, { recursive: true, force: true });
      return child.exitCode;
    },
    async replaceBy(clone, ...more) {
      const from = output.length;
      run(clone, '--replace', ...more);
      for (const until = Date.now() + 3 * READY_MS; !output.slice(from).includes('Opentact is up'); await sleep(50)) {
        if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}:\n${output.slice(from)}`);
        if (Date.now() > until) throw new Error(`not replaced:\n${output.slice(from)}`);
      }
    },
    async restart() {
      control = openControl(`127.0.0.1:${grpcPort}`, tokenOf());
      reader = openReader(grpcPort);
      await start();
    },
  };
  return platform;
}

function openReader(port: number): CallV1.CallControlClient {
  return new CallV1.CallControlClient(`127.0.0.1:${port}`, credentials.createInsecure(), CHANNEL_OPTIONS);
}

/** Connects until an engine answers the handshake: the system gives connections to frozen ones as well. */
async function openLivingReader(port: number, last: CallV1.CallControlClient): Promise<CallV1.CallControlClient> {
  let reader = last;
  for (let tries = 0; tries < HANDSHAKES_MAX; tries++) {
    reader.close();
    reader = openReader(port);
    const answered = await new Promise((done) => reader.waitForReady(Date.now() + HANDSHAKE_MS, (e) => done(!e)));
    if (answered) break;
  }
  return reader;
}

/** Which node of a kind an event says the call is with from here on. */
function nodeNamedBy(event: CallEvent, kind: string): string[] {
  if (event.type === 'NodeAssigned' && event.kind === kind) return [event.node];
  return event.type === 'CallArrived' && kind === 'sip-edge' && event.from ? [event.from.source] : [];
}

function namesOf(home: string, kind: string): string[] {
  const names = readdirSync(join(home, 'run')).flatMap((file) => (file.endsWith('.pid') ? [file.slice(0, -4)] : []));
  return names.filter((name) => name.replace(/-\d+$/, '') === kind).sort();
}

/** One of twenty blocks of 1,000 ports, another each time. */
function rtpPorts(): string {
  const first = 10_000 + ((process.pid + started++) % 20) * 1_000;
  return `${first}-${first + 999}`;
}
let started = 0;

const ENGINES = ['flow-engine-1', 'flow-engine-2'];
const CELL_ENGINES = ['cell-1.flow-engine', 'cell-2.flow-engine'];
const KINDS_OF_A_CELL = ['flow-engine', 'media', 'notifier', 'sip-edge'];

/** Every process that can be asked says that it is ready. */
async function allReady(home: string): Promise<boolean> {
  const sockets = readdirSync(join(home, 'run')).filter((file) => file.endsWith('.health'));
  const found = await Promise.all(sockets.map((file) => isReady(join(home, 'run', file))));
  return found.every(Boolean);
}

function isReady(socketPath: string): Promise<boolean> {
  return new Promise((done) => {
    const asking = request({ socketPath, path: '/ready', timeout: 2_000 }, (response) => {
      response.resume();
      done(response.statusCode === 200);
    });
    asking.on('error', () => done(false)).on('timeout', () => asking.destroy());
    asking.end();
  });
}

/** When each engine became ready for each partition, and under which epoch. */
function readiness(
  home: string,
  engines: string[],
): Array<{ partition: number; epoch: number; time: string; name: string }> {
  return engines.map(processOf).flatMap((name) => {
    const path = join(home, 'logs', `${name}.log`);
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
    return lines
      .filter((l) => l.includes('"partition ready"'))
      .map((l) => ({ ...(JSON.parse(l) as { partition: number; epoch: number; time: string }), name }));
  });
}

/** Who is ready for each partition under its newest epoch: one that was fenced while it caught up says ready later. */
function owners(home: string, engines: string[]): Map<number, string> {
  const inOrder = readiness(home, engines).sort((a, b) => a.epoch - b.epoch);
  return new Map(inOrder.map(({ partition, name }) => [partition, name]));
}

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));
const tail = (story: CallEvent[]) =>
  story
    .slice(-12)
    .map((e) => `${e.seq} ${e.type}`)
    .join('\n');
