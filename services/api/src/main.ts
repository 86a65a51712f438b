/** api as a process: the Directory over gRPC, /ready and recordings over HTTP. */
import { join } from 'node:path';
import { openLog } from '@opentact/event-log';
import {
  addGrpcHealth,
  bootId,
  closeGrpc,
  configOrExit,
  createGrpcServer,
  createLogger,
  createShutdown,
  internalAddress,
  isLoopback,
  listenGrpc,
  retry,
  serveHealth,
} from '@opentact/runtime';
import { sql } from 'kysely';
import { CALL_LOG, CHARGES, followJournal } from './call-log/follow.ts';
import { retainRecordings } from './call-log/retain.ts';
import { migrate, openDatabase } from './database/database.ts';
import { readDemo, seedDemo, seedTrunk } from './database/seed.ts';
import { seedFreeCalls } from './database/seed-money.ts';
import { createDirectory } from './directory/directory.ts';
import { addDirectory } from './directory/service.ts';
import { checksOf, createHttp } from './http/http.ts';
import { googleProvider } from './identity/google.ts';
import { fileMail, smtpMail } from './mail/mail.ts';
import { runBatches } from './ordering/run-batches.ts';
import { connectEngine } from './rest/engine.ts';
import { withoutRow } from './rest/errors.ts';
import { rest } from './rest/rest.ts';
import { sharedSecret } from './rest/shared-secret.ts';
import { keepSchedule } from './schedule/schedule.ts';

const config = configOrExit('api', process.env, process.argv.slice(2));
const boot = bootId();
const log = createLogger({ service: 'api', node: config.nodeName, boot, level: config.logLevel });
const shutdown = createShutdown(log);
if (!config.apiDatabaseUrl) throw new Error('api needs DATABASE_URL or OPENTACT_API_DATABASE_URL');

const database = openDatabase(config.apiDatabaseUrl);
await retry(() => migrate(database), { tries: 10, firstMs: 200, maxMs: 1000 });
const demo = await readDemo(join(config.home, 'demo.json'));
if (demo) await seedDemo(database, demo);
await seedTrunk(database, config.trunk);
await seedFreeCalls(database, config.freeCalls === 'yes');

const grpc = createGrpcServer(config.grpcToken);
addDirectory(grpc, createDirectory(database, isLoopback(config.bind) ? demo?.appId : undefined), log);
const serving = addGrpcHealth(grpc);
await listenGrpc(grpc, config.directory);

const databaseCheck = async () => {
  await sql`select 1`.execute(database);
  return undefined;
};
const health = await serveHealth(config.health, { database: databaseCheck });
const engine = connectEngine(`${await internalAddress(config)}:${config.grpcPort}`, config.grpcToken);
const mail = config.smtpUrl
  ? smtpMail(config.smtpUrl, config.mailFrom)
  : fileMail(join(config.home, 'mail'), config.mailFrom);
const { googleIssuer, googleClientId, resetOrigins } = config;
const recordings = join(config.home, 'recordings');
const http = createHttp({
  checks: { api: databaseCheck, ...checksOf(config.readyOf) },
  recordings,
  trustedProxies: config.trustedProxies,
  token: isLoopback(config.bind) ? undefined : config.grpcToken,
  rest: rest({
    db: database,
    recordings,
    jwtKey: await sharedSecret(database, 'jwt'),
    engine,
    providers: googleClientId ? { google: googleProvider(googleIssuer, googleClientId) } : {},
    googleClientId,
    mail,
    // Beyond loopback a link that somebody else chose must not carry a token out.
    mayLeadTo: (origin) => resetOrigins.includes(origin) || (resetOrigins.length === 0 && isLoopback(config.bind)),
    // The demo's installation lets whoever signs up try it.
    signUpCredit: demo ? 10 : 0,
    told: (err) => log.error({ err: withoutRow(err) }, 'a request failed'),
  }),
});
await http.listen({ host: config.bind, port: config.httpPort });
const events = await openLog(config);
await events.registry.join({ name: config.nodeName, boot, kind: 'api', address: config.directory, loadPercent: 0 });
serving(true);
const over = new AbortController();
const following = Promise.all(
  [CALL_LOG, CHARGES].map((reader) => followJournal(database, events, over.signal, log, reader)),
);
const batches = runBatches(database, engine, over.signal, log);
const scheduled = keepSchedule(database, over.signal, log);
log.info({ directory: config.directory, http: config.httpPort }, 'ready');

const endRetaining = retainRecordings({
  db: database,
  folder: recordings,
  retainDays: config.retainDays,
  told: (err) => log.warn({ err }, 'old recordings stay for now'),
});
shutdown.step('call log', 2000, () => {
  endRetaining();
  over.abort();
  return Promise.all([following, scheduled]);
});
shutdown.step('bulk calls', 2000, () => batches);
shutdown.step('leave the registry', 1000, () => events.registry.leave());
shutdown.step('http', 2000, () => http.close());
shutdown.step('mail', 500, async () => mail.close());
shutdown.step('engine', 500, async () => engine.close());
shutdown.step('grpc', 2000, () => {
  serving(false);
  return closeGrpc(grpc, 1500);
});
shutdown.step('health', 500, () => health.close());
shutdown.step('databases', 1000, () => Promise.all([database.destroy(), events.close()]));
