/**
 * A platform of its own for the load, with an app and a number per case, prompts in the account's folder, and a
 * customer's server that answers the documents. Everything of it goes at the end.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { embeddedPostgres } from '@opentact/event-log';
import { openDatabase } from '../../services/api/src/database/database.ts';
import { type Platform, startPlatform } from '../kit/platform.ts';
import { CASES } from './cases.ts';
import { openJournal, openKafkaJournal } from './journal.ts';

const CALLS_MAX = 1_000_000;
const RATE_HZ = 8_000;

export type Installation = Awaited<ReturnType<typeof install>>;

/** A tone as WAV, 8 kHz PCM. */
function tone(ms: number, hertz: number): Buffer {
  const samples = (ms * RATE_HZ) / 1000;
  const wav = Buffer.alloc(44 + samples * 2);
  wav.write('RIFF', 0);
  wav.writeUInt32LE(36 + samples * 2, 4);
  wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(RATE_HZ, 24);
  wav.writeUInt32LE(RATE_HZ * 2, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36);
  wav.writeUInt32LE(samples * 2, 40);
  for (let i = 0; i < samples; i++)
    wav.writeInt16LE(Math.round(8_000 * Math.sin((2 * Math.PI * hertz * i) / RATE_HZ)), 44 + i * 2);
  return wav;
}

/** Answers each case's documents by path; an idle process of its own would be no cheaper. */
async function serveDocuments(): Promise<{ url: string; keys: Map<string, number>; close(): Promise<void> }> {
  const documents = new Map<string, string>();
  const keys = new Map<string, number>();
  const server = createServer((request, response) => {
    const key = String(request.headers['idempotency-key'] ?? '');
    keys.set(key, (keys.get(key) ?? 0) + 1);
    const found = documents.get(request.url?.split('?')[0] ?? '');
    response.writeHead(found ? 200 : 404, { 'content-type': 'application/xml' }).end(found);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  for (const { name, documents: own } of CASES)
    for (const [path, xml] of Object.entries(own))
      documents.set(`/${name}/${path}`, xml.replaceAll('{url}', `${url}/${name}`));
  return {
    url,
    keys,
    close: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
}

/** An account that may make any number of calls, and an app with a number for each case. @returns its id */
async function provision(databaseUrl: string, customerUrl: string): Promise<string> {
  const db = openDatabase(databaseUrl);
  const account = randomUUID();
  await db
    .insertInto('account')
    .values({ id: account, name: 'Load', calls_max: CALLS_MAX, dials_per_minute_max: 60 })
    .execute();
  for (const { name, number, fetched, documents } of CASES) {
    const app = randomUUID();
    await db
      .insertInto('app')
      .values({
        id: app,
        account_id: account,
        name,
        auto_answer: !fetched,
        call_flow_url: fetched ? `${customerUrl}/${name}/first` : '',
        call_flow_method: 'GET',
        call_flow_timeout_ms: 0,
        static_document: fetched ? '' : documents.first!,
        max_call_length_ms: 3_600_000,
        signing_key: Buffer.from(randomUUID()),
      })
      .execute();
    await db.insertInto('number').values({ number, account_id: account, app_id: app }).execute();
  }
  await db.destroy();
  return account;
}

/** Starts everything. @param environment more variables of the platform. @param within where its processes run */
export async function install(
  environment: Record<string, string> = {},
  within?: (command: string, args: string[]) => [string, string[]],
) {
  const started = {
    OPENTACT_RTP_PORTS: '20000-29999',
    OPENTACT_LOG_LEVEL: 'error',
    ...environment,
  };
  const platform: Platform = await startPlatform(started, within);
  const customer = await serveDocuments();
  // It runs already, so this only finds it.
  const postgres = await embeddedPostgres({ home: platform.home, databases: [] });
  const account = await provision(postgres.url('opentact_api'), customer.url);
  const prompts = join(platform.home, 'prompts', account);
  mkdirSync(prompts, { recursive: true });
  writeFileSync(join(prompts, 'first.wav'), tone(1_000, 440));
  writeFileSync(join(prompts, 'second.wav'), tone(500, 880));
  writeFileSync(join(prompts, 'long.wav'), tone(60_000, 440));
  const journal = environment.KAFKA_BROKERS
    ? await openKafkaJournal(environment.KAFKA_BROKERS.split(','))
    : openJournal(postgres.url('opentact'));
  return {
    platform,
    journal,
    /** How often each idempotency key came to the customer's server. */
    keys: customer.keys,
    databaseUrl: postgres.url('opentact'),
    postgresPid: postgres.pid,
    async close() {
      await journal.close();
      await customer.close();
      await platform.stop();
    },
  };
}
