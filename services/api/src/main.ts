/** api as a process: the Directory over gRPC, /ready and recordings over HTTP. */
import { join } from 'node:path';
import { openLog, postgresLog } from '@opentact/event-log';
import {
  addGrpcHealth,
  addressesOf,
  bootId,
  closeGrpc,
  configOrExit,
  createGrpcServer,
  createLogger,
  createShutdown,
  isLoopback,
  listenGrpc,
  nodeToken,
  operatorToken,
  retry,
  serveHealth,
  shownAddresses,
} from '@opentact/runtime';
import { sql } from 'kysely';
import { fileMail, smtpMail } from './accounts/mail.ts';
import { mayResetLeadTo } from './accounts/reset-origins.ts';
import { rest } from './app.ts';
import { connectEngine } from './calls/engine.ts';
import { runBatches } from './calls/run-batches.ts';
import { migrateAt, openDatabase } from './database/database.ts';
import { sealKeys } from './database/sealing/keys.ts';
import { sealRows } from './database/sealing/rows.ts';
import { createSeal } from './database/sealing/seal.ts';
import { sharedSecret } from './database/sealing/shared-secret.ts';
import { readDemo, seedDemo, seedTrunk } from './demo/seed.ts';
import { seedFreeCalls } from './demo/seed-money.ts';
import { createDirectory } from './directory/directory.ts';
import { keepEndpoints } from './directory/endpoints.ts';
import { addDirectory } from './directory/service.ts';
import { keepSchedule } from './jobs/schedule.ts';
import { changeLog } from './logs/change-log.ts';
import { followJournal } from './logs/follow.ts';
import { liveCalls } from './logs/live-calls.ts';
import { retain } from './logs/retain.ts';
import { keepStories } from './logs/stories.ts';
import { keepExtending } from './money/extend.ts';
import { googleProvider } from './rest/auth/google.ts';
import { withoutRow } from './rest/errors.ts';
import { checksOf, createHttp } from './rest/http.ts';

const config = configOrExit('api', process.env, process.argv.slice(2));
const boot = bootId();
const log = createLogger({ service: 'api', node: config.nodeName, boot, level: config.logLevel });
const shutdown = createShutdown(log);
if (!config.apiDatabaseUrl) throw new Error('api needs DATABASE_URL or OPENTACT_API_DATABASE_URL');

const database = openDatabase(config.apiDatabaseUrl);
const { apiDatabaseUrl } = config;
await retry(() => migrateAt(apiDatabaseUrl), { tries: 10, firstMs: 200, maxMs: 1000 });
const seal = createSeal(sealKeys(config));
await sealRows(database, seal)
  .then((sealed) => sealed > 0 && log.info({ sealed }, 'secrets of the database were sealed'))
  .catch((err) => log.error({ err }, 'secrets of the database are not all sealed by the newest key'));
const demo = await readDemo(join(config.home, 'demo.json'));
if (demo) await seedDemo(database, demo, seal);
await seedTrunk(database, config.trunk, seal);
await seedFreeCalls(database, config.freeCalls === 'yes');

const grpc = createGrpcServer(await nodeToken(config));
const operator = await operatorToken(config);
addDirectory(grpc, createDirectory(database, seal, isLoopback(config.bind) ? demo?.appId : undefined), log);
const serving = addGrpcHealth(grpc);
await listenGrpc(grpc, config.directory);

/** Until it knows what the log of before had, whoever asks for a past call would hear that there is none. */
let isServing = false;
const check = async () => {
  await sql`select 1`.execute(database);
  return isServing ? undefined : 'starting: the log of before is being read';
};
const health = await serveHealth(config.health, { database: check });
const engine = connectEngine(addressesOf(config).grpc, operator);
const mail = config.smtpUrl
  ? smtpMail(config.smtpUrl, config.mailFrom)
  : fileMail(join(config.home, 'mail'), config.mailFrom);
const { googleIssuer, googleClientId } = config;
const recordings = join(config.home, 'recordings');
const http = createHttp({
  checks: { api: check, ...checksOf(config.readyOf) },
  recordings,
  trustedProxies: config.trustedProxies,
  token: operator,
  front: {
    ...(await shownAddresses(config)),
    number: demo?.number,
    liveCalls: (most) => liveCalls(database, most),
  },
  rest: rest({
    db: database,
    sealing: seal,
    recordings,
    jwtKey: await sharedSecret(database, 'jwt', seal),
    engine,
    providers: googleClientId ? { google: googleProvider(googleIssuer, googleClientId) } : {},
    googleClientId,
    mail,
    mayLeadTo: (origin) => mayResetLeadTo(origin, config),
    // The demo's installation lets whoever signs up on this machine try it.
    signUpCredit: demo && isLoopback(config.bind) ? 10 : 0,
    isSignUpOpen: (config.signUp ?? (isLoopback(config.bind) ? 'on' : 'off')) === 'on',
    verifiesEmail: !isLoopback(config.bind),
    told: (err) => log.error({ err: withoutRow(err) }, 'a request failed'),
  }),
});
await http.listen({ host: config.bind, port: config.httpPort });
const events = await openLog(config);
// Before anybody relies on this process: until then it knows nothing of what the log of before had last.
const before = config.log === 'kafka' ? config.databaseUrl : undefined;
await changeLog(
  database,
  events,
  async () => (before ? postgresLog({ url: before, retainDays: config.retainDays }) : undefined),
  log,
);
await events.registry.join({ name: config.nodeName, boot, kind: 'api', address: config.directory, loadPercent: 0 });
serving(true);
isServing = true;
const over = new AbortController();
const following = Promise.all([
  followJournal(database, events, over.signal, log),
  keepStories(database, events, over.signal, log),
]);
const batches = runBatches(database, engine, over.signal, log);
const scheduled = Promise.all([
  keepExtending(database, engine.hangup, over.signal, log),
  keepSchedule(database, over.signal, log),
  keepEndpoints(database, config.dialAllow, over.signal, log),
]);
log.info({ directory: config.directory, http: config.httpPort }, 'ready');

const endRetaining = retain({
  db: database,
  folder: recordings,
  retainDays: config.retainDays,
  told: (err) => log.warn({ err }, 'old recordings and stories stay for now'),
});
shutdown.step('call log', 2000, () => {
  endRetaining();
  over.abort();
  return Promise.all([following, scheduled]);
});
shutdown.step('bulk calls', 2000, () => batches);
shutdown.step('leave the registry', 1000, () => events.registry.leave(config.nodeName));
shutdown.step('http', 2000, () => http.close());
shutdown.step('mail', 500, async () => mail.close());
shutdown.step('engine', 500, async () => engine.close());
shutdown.step('grpc', 2000, () => {
  serving(false);
  return closeGrpc(grpc, 1500);
});
shutdown.step('health', 500, () => health.close());
shutdown.step('databases', 1000, () => Promise.all([database.destroy(), events.close()]));
