// Starts one SIP edge: configuration, log, Directory, link, sockets, health. It decides nothing else.

import { openLog } from '@opentact/event-log';
import {
  advertisedAddress,
  bootId,
  configOrExit,
  createLogger,
  createShutdown,
  isAllowedAddress,
  platformSecret,
  watchLoopDelay,
} from '@opentact/runtime';
import { grpcDirectory } from './adapters/directory.ts';
import { serveHttp } from './adapters/http.ts';
import { engineLink } from './adapters/link.ts';
import { openEdge } from './edge/edge.ts';

/** How long calls may go on once the edge is told to leave. */
const DRAIN_MS = 5_000;
/** Starting is late by nature: for so long the event loop's delay refuses nobody (the facts' store still does). */
const WARM_MS = 5_000;

const config = configOrExit('sip-edge', process.env, process.argv.slice(2));
const boot = bootId();
const log = createLogger({ service: 'sip-edge', node: config.nodeName, boot, level: config.logLevel });
const shutdown = createShutdown(log);
const advertise = await advertisedAddress(config);
const events = await openLog(config);
const directory = grpcDirectory(config.directory, config.grpcToken);
const loopDelay = watchLoopDelay();
const warmAt = performance.now() + WARM_MS;
let closeLink = async () => {};

const edge = await openEdge({
  bind: config.bind,
  port: config.sipPort,
  advertise,
  reusePort: true,
  secret: await platformSecret(config),
  link(listener) {
    const link = engineLink({ name: config.nodeName, boot, events, log, token: config.grpcToken }, listener);
    closeLink = link.close;
    return link;
  },
  directory,
  allowed: (address, port) => isAllowedAddress(config.dialAllow, address, port),
  loopDelayMs: () => (performance.now() < warmAt ? 0 : loopDelay.p99Ms()),
  log,
});
const address = `${advertise}:${edge.port}`;
await events.registry.join({ name: config.nodeName, boot, kind: 'sip-edge', address, loadPercent: 0 });
const http = await serveHttp(
  config.health,
  {
    link: () => (edge.ready() ? undefined : 'no engine is connected'),
    admission: () => edge.refusal(),
  },
  edge.messages,
);
log.info({ advertise, port: edge.port }, 'sip-edge is up');

shutdown.step('calls', DRAIN_MS + 500, () => edge.drain(DRAIN_MS));
shutdown.step('facts', 2_000, () => edge.settled());
shutdown.step('sockets', 1_000, () => edge.close());
shutdown.step('registry', 1_000, () => events.registry.leave());
shutdown.step('link', 1_000, () => closeLink());
shutdown.step('rest', 1_000, () => {
  directory.close();
  loopDelay.stop();
  return Promise.all([http.close(), events.close()]);
});
