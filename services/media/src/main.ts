// Starts the media service: configuration, log, workers, speech, link, health. It decides nothing else.
import { join } from 'node:path';
import { openLog } from '@opentact/event-log';
import {
  advertisedAddress,
  bootId,
  configOrExit,
  createLogger,
  createShutdown,
  internalAddress,
  nodeToken,
  rendezvous,
  serveHealth,
  serveSignOfLife,
} from '@opentact/runtime';
import { fetchThroughGate } from './prompt/fetch.ts';
import { awaitCalls, handOver, LEAVING, until } from './service/leaving.ts';
import { mediaOnLink } from './service/on-link.ts';
import { keepDeleting } from './service/retention.ts';
import { httpRecogniser } from './speech/recogniser.ts';

const args = process.argv.slice(2);
const config = configOrExit('media', process.env, args);
const boot = bootId();
const log = createLogger({ service: 'media', node: config.nodeName, boot, level: config.logLevel });
const shutdown = createShutdown(log);
const advertise = await advertisedAddress(config);
const events = await openLog(config);

/** The notifier that a URL belongs to, so that each keeps its own connections warm. */
function gateFor(url: string): string | undefined {
  const living = events.registry.nodes().filter(({ kind, gone, address }) => kind === 'notifier' && !gone && address);
  const chosen = rendezvous(
    url,
    living.map(({ name }) => name),
  );
  const notifier = living.find(({ name }) => name === chosen);
  return notifier && `http://${notifier.address}`;
}

const token = await nodeToken(config);
const { service, link, close } = mediaOnLink({
  name: config.nodeName,
  boot,
  events,
  log,
  token,
  media: {
    home: config.home,
    bind: config.bind,
    advertise,
    rtpPorts: config.rtpPorts,
    allowed: config.dialAllow,
    diskFloorBytes: config.diskFreeMb * 1024 * 1024,
    workers: Number(args[args.indexOf('--workers') + 1]) || 1,
    fetchPrompt: fetchThroughGate(gateFor, token),
    recogniser: config.asrUrl ? httpRecogniser({ url: config.asrUrl, token: config.asrToken }) : undefined,
    failed(error) {
      // Sessions died with their worker. Ending the boot is how all who asked for them learn it at once.
      log.fatal({ err: error }, 'a media worker died');
      process.exit(1);
    },
  },
});

const life = await serveSignOfLife(config.bind, await internalAddress(config));
const node = { name: config.nodeName, boot, kind: 'media', address: life.address, loadPercent: 0 };
await events.registry.join(node, () => service.loadPercent);
const health = await serveHealth(config.health, {
  ports: () => (service.pool.loads.some(({ freePorts }) => freePorts > 0) ? undefined : 'no free RTP port'),
  legs: () => (service.loadPercent < 100 ? undefined : 'every worker is full'),
  disk: () => (service.isDiskFull ? `less than ${config.diskFreeMb} MiB are free: nothing is recorded` : undefined),
  link: () => (link.ready() ? undefined : 'no engine is connected'),
});
keepDeleting(join(config.home, 'recordings'), config.retainDays, (deleted, err) => {
  if (err) log.error({ err }, 'old recordings not deleted');
  else if (deleted > 0) log.info({ deleted }, 'old recordings deleted');
});
log.info({ advertise, rtpPorts: config.rtpPorts }, 'media is up');

const leaving = { name: config.nodeName, service, link, registry: events.registry };
shutdown.step('calls', LEAVING.endingMs + 500, () => awaitCalls(leaving));
let isHandedOver = false;
shutdown.step('hand over', 3000, async () => {
  isHandedOver = await handOver(leaving);
});
shutdown.step('registry', 1000, () => events.registry.leave());
shutdown.step('sessions', 3000, close);
// Of what was handed over nobody here has anything more to say.
shutdown.step('facts', 2000, () => until(() => isHandedOver || link.pending() === 0, 2000));
shutdown.step('link', 1000, () => link.close());
shutdown.step('log', 1000, () => events.close());
shutdown.step('rest', 500, () => Promise.all([health.close(), life.close()]));
