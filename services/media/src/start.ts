// The media service in this process: workers, speech, link. It decides nothing else.
import { join } from 'node:path';
import type { EventLog } from '@opentact/event-log';
import type { NodeStart } from '@opentact/link';
import {
  advertisedAddress,
  bootId,
  createLogger,
  internalAddress,
  nodeToken,
  rendezvous,
  type Service,
  serveSignOfLife,
} from '@opentact/runtime';
import { fetchThroughGate } from './prompt/fetch.ts';
import { awaitCalls, handOver, LEAVING, until } from './service/leaving.ts';
import { mediaOnLink } from './service/on-link.ts';
import { keepDeleting } from './service/retention.ts';
import { httpRecogniser } from './speech/recogniser.ts';

/** `workers`: threads that hold legs. */
export type MediaStart = NodeStart & { workers: number };

/** The notifier that a URL belongs to, so that each keeps its own connections warm. */
const gateAmong = (registry: EventLog['registry']) => (url: string) => {
  const living = registry.nodes().filter(({ kind, gone, address }) => kind === 'notifier' && !gone && address);
  const chosen = rendezvous(
    url,
    living.map(({ name }) => name),
  );
  const notifier = living.find(({ name }) => name === chosen);
  return notifier && `http://${notifier.address}`;
};

/** Resolves once it has joined the registry. */
export async function startMedia({ config, name, events, workers, local }: MediaStart): Promise<Service> {
  const boot = bootId();
  const log = createLogger({ service: 'media', node: name, boot, level: config.logLevel });
  const advertise = await advertisedAddress(config);
  const token = await nodeToken(config);
  const { service, link, close } = mediaOnLink({
    ...{ name, boot, events, log, token, local },
    media: {
      home: config.home,
      bind: config.bind,
      advertise,
      rtpPorts: config.rtpPorts,
      allowed: config.dialAllow,
      diskFloorBytes: config.diskFreeMb * 1024 * 1024,
      workers,
      fetchPrompt: fetchThroughGate(gateAmong(events.registry), token),
      recogniser: config.asrUrl ? httpRecogniser({ url: config.asrUrl, token: config.asrToken }) : undefined,
      failed(error) {
        // Sessions died with their worker. Ending the process is how all who asked for them learn it at once.
        log.fatal({ err: error }, 'a media worker died');
        process.exit(1);
      },
    },
  });
  const life = await serveSignOfLife(config.bind, await internalAddress(config));
  const node = { name, boot, kind: 'media', address: life.address, loadPercent: 0 };
  await events.registry.join(node, () => service.loadPercent);
  keepDeleting(join(config.home, 'recordings'), config.retainDays, (deleted, err) => {
    if (err) log.error({ err }, 'old recordings not deleted');
    else if (deleted > 0) log.info({ deleted }, 'old recordings deleted');
  });
  log.info({ advertise, rtpPorts: config.rtpPorts }, 'media is up');
  const leaving = { name, service, link, registry: events.registry };
  let isHandedOver = false;
  return {
    checks: {
      ports: () => (service.pool.loads.some(({ freePorts }) => freePorts > 0) ? undefined : 'no free RTP port'),
      legs: () => (service.loadPercent < 100 ? undefined : 'every worker is full'),
      disk: () => (service.isDiskFull ? `less than ${config.diskFreeMb} MiB are free: nothing is recorded` : undefined),
      link: () => (link.ready() ? undefined : 'no engine is connected'),
    },
    leaving: [
      { name: 'media of calls', deadlineMs: LEAVING.endingMs + 500, run: () => awaitCalls(leaving) },
      {
        name: 'media moves',
        deadlineMs: 3000,
        async run() {
          isHandedOver = await handOver(leaving);
        },
      },
      { name: 'media leaves the registry', deadlineMs: 1000, run: () => events.registry.leave(name) },
      { name: 'sessions', deadlineMs: 3000, run: close },
      // Of what was handed over nobody here has anything more to say.
      { name: 'facts of media', deadlineMs: 2000, run: () => until(() => isHandedOver || link.pending() === 0, 2000) },
      { name: 'link of media', deadlineMs: 1000, run: () => link.close() },
      { name: 'sign of life', deadlineMs: 500, run: () => life.close() },
    ],
  };
}
