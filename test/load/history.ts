/**
 * `npm run load -- --history N`: a platform of its own with N calls behind it, and what it answers how fast: a past call, a
 * new one, each search of the logs and its deepest page; and how long a restart and a takeover take, before and with it.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedPostgres, type EventLog, embeddedPostgres, kafkaLog, postgresLog } from '@opentact/event-log';
import { openPhone } from '@opentact/phone';
import { type Cluster, startCluster } from '../kit/broker.ts';
import { machine } from '../kit/load-average.ts';
import { type Platform, startPlatform } from '../kit/platform.ts';
import { type Filling, fillLogs, hastily, idOf } from './history-fill.ts';
import { fillJournal, fillKafka, passPublic } from './history-journal.ts';
import { type Figure, HEADING, rowOf, search, searches, singles, timed } from './history-measure.ts';
import { type Moves, moves, signedIn, type Template, template } from './history-platform.ts';

const DATABASES = ['opentact', 'opentact_api'];
const ASKED_IDS = 500;
/** What a new call does at first uses both cores of a small machine. */
const CALM_MS = 300;
const API_LINES = 20;
/** Until each partition is with its engine: before, a call may be refused. */
const WHOLE_MS_MAX = 120_000;
/** What a past call and what everything else may take at p99, ms. */
const READ_MS_MAX = 20;
const ASK_MS_MAX = 50;

export type Wanted = {
  log: 'postgres' | 'kafka';
  /** In the logs, and of them in the journal. */
  calls: number;
  journaled: number;
  /** How often each question is asked. */
  times: number;
  /** How often it is stopped and started, and an engine killed; never where only some searches are asked. */
  moves: number;
  /** Of the searches those that have this in their name; absent: all. */
  search?: string | undefined;
  /** Filled where it is new, and kept; absent: a folder that goes. */
  home?: string | undefined;
  say(text: string): void;
};

/** What is kept beside a filled home. `small`: how it moved when it had one call. */
type Filled = Template & { calls: number; journaled: number; small: Moves };

/** @returns each question's times; what could not be answered is counted there */
export async function history(wanted: Wanted): Promise<Figure[]> {
  const home = wanted.home ?? mkdtempSync(join(tmpdir(), 'opentact-history-'));
  const running: { platform?: Platform; postgres?: EmbeddedPostgres; broker?: Cluster } = {};
  const leave = async () => {
    await running.platform?.stop();
    await running.postgres?.stop();
    await running.broker?.stop();
    if (!wanted.home) rmSync(home, { recursive: true, force: true });
  };
  process.once('SIGINT', () => void leave().finally(() => process.exit(130)));
  const callee = await openPhone({ user: 'rung' });
  callee.onCall = (call) => call.accept();
  try {
    if (wanted.log === 'kafka') running.broker = await startCluster(1, join(home, 'broker'));
    const brokers = running.broker?.brokers ?? '';
    const environment = {
      ...{ OPENTACT_HOME: home, OPENTACT_LOG: wanted.log, OPENTACT_LOG_LEVEL: 'info' },
      ...(brokers && { KAFKA_BROKERS: brokers }),
    };
    const to = `sip:rung@127.0.0.1:${callee.port}`;
    const kept = join(home, 'history.json');
    if (!existsSync(kept)) {
      running.platform = await startPlatform(environment);
      const made = await template(running.platform, to);
      const small = await moves(running.platform, partitionsOf(wanted), wanted.moves);
      await running.platform.stop();
      running.postgres = await embeddedPostgres({ home, databases: DATABASES });
      await fill(running.postgres, { ...wanted, brokers, ...made });
      // What it wrote lies in memory still; the server's own end waits ten seconds for the disk.
      execFileSync('sync', ['-f', home]);
      await running.postgres.stop();
      const { calls, journaled } = wanted;
      writeFileSync(kept, JSON.stringify({ ...made, calls, journaled, small } satisfies Filled));
    }
    const filled = JSON.parse(readFileSync(kept, 'utf8')) as Filled;
    running.platform = await startPlatform(environment);
    await running.platform.whole(WHOLE_MS_MAX);
    return await shown(running.platform, filled, { ...wanted, to });
  } catch (error) {
    // The folder goes with them.
    const log = join(home, 'logs/api.log');
    if (existsSync(log)) wanted.say(readFileSync(log, 'utf8').split('\n').slice(-API_LINES).join('\n'));
    throw error;
  } finally {
    await callee.close();
    await leave();
  }
}

const partitionsOf = ({ log }: Pick<Wanted, 'log'>) => (log === 'kafka' ? 48 : 8);

async function fill(server: EmbeddedPostgres, of: Wanted & Template & { brokers: string }): Promise<void> {
  const [journal, api] = DATABASES.map((name) => server.url(name)) as [string, string];
  const { callId, appId, calls, journaled, say } = of;
  const filling: Filling = { ...{ journal, api, callId, appId, calls, journaled }, progress: say };
  const log: EventLog =
    of.log === 'kafka' ? await kafkaLog({ brokers: of.brokers.split(',') }) : await postgresLog({ url: journal });
  try {
    await hastily(api, async () => {
      const ends = of.log === 'kafka' ? await fillKafka(log, filling) : await fillJournal(filling);
      await passPublic(log, ends);
      await fillLogs(filling, ends);
    });
  } finally {
    await log.close();
  }
}

const list = (ms: number[]) => ms.map((n) => Math.round(n)).join(', ');

async function shown(platform: Platform, filled: Filled, of: Wanted & { to: string }): Promise<Figure[]> {
  const { calls, journaled, records, small } = filled;
  of.say(
    `${of.log}: ${calls} calls in the logs, ${journaled} of them in the journal by ${journaled * records} events; ${machine()}`,
  );
  of.say(`\n${HEADING}`);
  const figures = await asked(platform, filled, of);
  if (of.search === undefined) await tellMoves(platform, small, of);
  const over = figures.filter(({ name, p99 }) => p99 > (name.startsWith('GetCall') ? READ_MS_MAX : ASK_MS_MAX));
  of.say(
    `\nover ${READ_MS_MAX} ms (GetCall) or ${ASK_MS_MAX} ms at p99: ${over.map(({ name }) => name).join('; ') || 'none'}; ${machine()}`,
  );
  return figures;
}

async function tellMoves(platform: Platform, small: Moves, of: Wanted): Promise<void> {
  const large = await moves(platform, partitionsOf(of), of.moves);
  of.say(`\n| ms | one call before | with the history |\n|---|---|---|`);
  of.say(`| restart until ready | ${list(small.restartMs)} | ${list(large.restartMs)} |`);
  of.say(`| takeover of a killed engine's partitions | ${list(small.takeoverMs)} | ${list(large.takeoverMs)} |`);
}

async function asked(platform: Platform, filled: Filled, of: Wanted & { to: string }): Promise<Figure[]> {
  const { client, token } = await signedIn(platform);
  const url = `http://127.0.0.1:${platform.httpPort}/rest`;
  const headers = { 'x-auth-token': token, 'content-type': 'application/json' };
  const post = async (path: string, body: unknown) => {
    const answer = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    const { payload } = (await answer.json()) as { payload: unknown };
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return payload;
  };
  const all: Figure[] = [];
  const tell = (figures: Figure[]) => {
    for (const figure of figures) of.say(rowOf(figure));
    all.push(...figures);
  };
  const ids = Array.from({ length: ASKED_IDS }, (_, n) => idOf(Math.floor((n * filled.journaled) / ASKED_IDS)));
  const context = { platform, post, ids, times: of.times };
  tell(await singles(context));
  const body = { to: of.to, xml: filled.xml, tn_lease: filled.lease };
  const run = Date.now();
  let used = 0;
  // One after the other, each once the one before is being rung: how long it takes, not how many a second.
  const placed: string[] = [];
  tell([
    await timed(
      'POST /call',
      of.times,
      async () => {
        const { uuid } = await client.createCall({ body, 'idempotency-key': `history ${run} ${used++}` });
        placed.push(uuid);
      },
      CALM_MS,
    ),
    await timed('POST /call, a key that was used', of.times, () =>
      client.createCall({ body, 'idempotency-key': `history ${run} 0` }),
    ),
  ]);
  for (const id of placed) await platform.ended(id);
  const { from, created_on } = (await client.searchCalls({ take: 1, skip: placed.length + 50 })).data[0]!;
  const to = new Date(Date.now() - 10 * 86_400_000).toISOString();
  const wanted = searches({ app: filled.appId, call: ids[0]!, number: from, from: created_on, to });
  for (const each of wanted.filter(({ name }) => name.includes(of.search ?? ''))) tell(await search(context, each));
  return all;
}
