/**
 * `npm run soak`: thousands of calls through two flow-engines on Kafka while one of them is killed every five seconds.
 * Afterwards every story is read from the journal: each has its end and its owner, no gap, no callback twice under two
 * keys, and no port or session is left.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openLog } from '@opentact/event-log';
import { type CallEvent, readRecord } from '@opentact/proto';
import { startCluster } from '../kit/broker.ts';
import { environmentOf } from '../kit/environment.ts';
import { machine } from '../kit/load-average.ts';
import type { Platform } from '../kit/platform.ts';
import { CASES } from '../load/cases.ts';
import { install } from '../load/installation.ts';
import type { Order, Outcome } from '../load/order.ts';

const HELP = `npm run soak -- [--calls N] [--rate N] [--every SECONDS] [--log kafka|postgres]

  --calls   calls to be accepted (10000)    --rate   calls a second (15)
  --every   seconds between kills of a flow-engine (5; 0: none)
`;
const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '10000' },
    rate: { type: 'string', default: '15' },
    every: { type: 'string', default: '5' },
    log: { type: 'string', default: 'kafka' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const CALLER = fileURLToPath(new URL('../load/caller-process.ts', import.meta.url));
const REST_MS = 60_000;
const say = (text: string) => void process.stdout.write(`${text}\n`);
const [calls, rate, everyMs] = [Number(values.calls), Number(values.rate), Number(values.every) * 1000];

/** What one story came to. */
type Story = { seq: number; broken: boolean; owner: string; sessions: Set<string>; keys: Set<string> };

function learn(story: Story, event: CallEvent): void {
  if (event.seq !== story.seq + 1) story.broken = true;
  story.seq = event.seq;
  if (event.type === 'CallEnded') story.owner = event.owner;
  if (event.type === 'SessionReady' && event.from)
    story.sessions.add(`${event.leg}@${event.from.source}/${event.from.boot}`);
  if (event.type === 'SessionReleased' && event.from)
    story.sessions.delete(`${event.leg}@${event.from.source}/${event.from.boot}`);
  if (event.type === 'DocumentRequested') story.keys.add(event.idempotencyKey);
}

async function readStories(kafkaBrokers: string[] | undefined, databaseUrl: string): Promise<Map<string, Story>> {
  const log = await openLog({
    log: kafkaBrokers ? 'kafka' : 'postgres',
    kafkaBrokers,
    databaseUrl,
    retainDays: 1,
  } as never);
  const stories = new Map<string, Story>();
  for (let partition = 0; partition < log.partitions; partition++)
    for await (const record of log.replay('calls.journal', partition, 0)) {
      if (record.key === '') continue;
      const none: Story = { seq: 0, broken: false, owner: '', sessions: new Set(), keys: new Set() };
      const story = stories.get(record.key) ?? none;
      stories.set(record.key, story);
      learn(story, readRecord(record));
    }
  await log.close();
  return stories;
}

/** UDP sockets of a process: a media node's are its sessions' ports. */
function udpSockets(pid: number): number {
  const inodes = new Set(
    readFileSync('/proc/net/udp', 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/)[9]),
  );
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => {
    try {
      const inode = /socket:\[(\d+)\]/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      return inode !== undefined && inodes.has(inode);
    } catch {
      return false; // It was closed meanwhile.
    }
  }).length;
}

/** Kills one engine after the other, each when both live. @returns how often */
async function killEngines(platform: Platform, over: () => boolean): Promise<number> {
  let kills = 0;
  while (everyMs > 0 && !over()) {
    await sleep(everyMs);
    if (over()) break;
    platform.kill(`flow-engine-${(kills % 2) + 1}`);
    kills++;
  }
  return kills;
}

async function call(order: Order): Promise<Outcome> {
  const child = fork(CALLER);
  child.send(order);
  const [outcome] = (await once(child, 'message')) as [Outcome];
  child.disconnect();
  return outcome;
}

const cluster = values.log === 'kafka' ? await startCluster(1) : undefined;
if (cluster) say(cluster.how);
const environment: Record<string, string> = cluster
  ? { OPENTACT_LOG: 'kafka', KAFKA_BROKERS: cluster.brokers }
  : { OPENTACT_LOG: 'postgres' };
// Who owns what is read from the engines' logs.
const installation = await install({ ...environment, OPENTACT_LOG_LEVEL: 'info' });
const { platform } = installation;
process.once(
  'SIGINT',
  () =>
    void installation
      .close()
      .then(() => cluster?.stop())
      .then(() => process.exit(130)),
);
let faults = 1;
try {
  await platform.whole(60_000);
  const job = CASES.find((c) => c.name === 'job')!;
  let over = false;
  const killing = killEngines(platform, () => over);
  const order: Order = {
    behaviour: 'job',
    sipPort: platform.sipPort,
    user: job.number,
    rate,
    calls,
    again: true,
    holdMs: 0,
    secondsMax: (3 * calls) / rate + 60,
  };
  const beat = setInterval(() => say(`  ${installation.keys.size} documents asked for`), 30_000);
  const outcome = await call(order);
  over = true;
  const kills = await killing;
  clearInterval(beat);
  const { why, started, completed, refused, failed, seconds } = outcome;
  say(`${started} calls in ${seconds.toFixed(0)} s at ${rate}/s, ${kills} engines killed; ${machine()}`);
  say(`the caller: ${completed} completed, ${refused} refused by 503, ${failed} otherwise ${JSON.stringify(why)}`);
  await platform.whole(REST_MS);
  faults = await judge();
} finally {
  await installation.close();
  await cluster?.stop();
}
process.exitCode = faults === 0 ? 0 : 1;

/** Waits until everything has come to rest, then counts what must be none. */
async function judge(): Promise<number> {
  const databaseUrl = environmentOf(platform, 'flow-engine-1', 'DATABASE_URL');
  let found: Array<[string, number]> = [];
  for (const until = Date.now() + REST_MS; ; await sleep(3_000)) {
    const stories = await readStories(cluster?.brokers.split(','), databaseUrl);
    const all = [...stories.values()];
    const wanted = new Set(all.flatMap((s) => [...s.keys]));
    const ports = platform.named('media').reduce((sum, name) => sum + udpSockets(platform.pid(name)), 0);
    found = [
      ['stories without an end', all.filter((s) => s.owner === '').length],
      ['stories with a gap or a repetition', all.filter((s) => s.broken).length],
      ['sessions that were not given back', all.filter((s) => s.sessions.size > 0).length],
      ['ports that media nodes still hold', ports],
      ['callbacks that no story has', [...installation.keys.keys()].filter((key) => !wanted.has(key)).length],
      ['callbacks that never came', [...wanted].filter((key) => !installation.keys.has(key)).length],
    ];
    const bad = found.filter(([, count]) => count > 0);
    if (bad.length > 0 && Date.now() < until) continue;
    const events = all.reduce((sum, s) => sum + s.seq, 0);
    const owners = Map.groupBy(all, (s) => s.owner);
    const repeated = [...installation.keys.values()].filter((count) => count > 1).length;
    say(
      `${all.length} stories of ${events} events; owners: ${[...owners].map(([o, s]) => `${o} ${s.length}`).join(', ')}`,
    );
    say(`${installation.keys.size} distinct callbacks, as many as the stories have; ${repeated} came more than once`);
    for (const [what, count] of found) say(`  ${count} ${what}`);
    return bad.length;
  }
}
