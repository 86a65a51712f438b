// Starts one SIP edge: configuration, log, Directory, link, sockets, health. It decides nothing else.

import { openLog } from '@opentact/event-log';
import {
  advertisedAddress,
  bootId,
  closeGrpc,
  configOrExit,
  createGrpcServer,
  createLogger,
  createShutdown,
  isAllowedAddress,
  listenGrpc,
  nodeToken,
  platformSecret,
  watchLoopDelay,
} from '@opentact/runtime';
import { openCluster } from './adapters/cluster.ts';
import { addClusterService } from './adapters/cluster-server.ts';
import { grpcDirectory } from './adapters/directory.ts';
import { serveHttp } from './adapters/http.ts';
import { engineLink } from './adapters/link.ts';
import { openEdge } from './edge/edge.ts';

/** How long calls may go on once the edge is told to leave. */
const DRAIN_MS = 5_000;
/** Starting is late by nature: for so long the event loop's delay refuses nobody (the facts' store still does). */
const WARM_MS = 5_000;

const config = configOrExit('sip-edge', process.env, process.argv.slice(2));
const instanceId = bootId();
const log = createLogger({ service: 'sip-edge', node: config.nodeName, boot: instanceId, level: config.logLevel });
const shutdown = createShutdown(log);
const advertise = await advertisedAddress(config);
const events = await openLog(config);
const token = await nodeToken(config);
const directory = grpcDirectory(config.directory, token);
const loopDelay = watchLoopDelay();
const warmAt = performance.now() + WARM_MS;
const self = { node: config.nodeName, instanceId };
const grpc = createGrpcServer(token);
/** Full is who leaves: it gets no new work, and the other edges know that it goes. */
let load = () => 0;
let closeLink = async () => {};
let closeCluster = () => {};

const edge = await openEdge({
  bind: config.bind,
  port: config.sipPort,
  advertise,
  reusePort: true,
  secret: await platformSecret(config),
  link(listener) {
    const link = engineLink(
      { name: config.nodeName, boot: instanceId, events, log, token, load: () => load() },
      listener,
    );
    closeLink = link.close;
    return link;
  },
  self,
  cluster(listener) {
    addClusterService(grpc, self, listener);
    const cluster = openCluster({ self, registry: events.registry, token }, listener);
    closeCluster = cluster.close;
    return cluster;
  },
  directory,
  allowed: (address, port) => isAllowedAddress(config.dialAllow, address, port),
  loopDelayMs: () => (performance.now() < warmAt ? 0 : loopDelay.p99Ms()),
  log,
});
load = edge.load;
// The port of SIP belongs to every edge of this address; this one belongs to us alone.
const host = (address: string) => (address.includes(':') ? `[${address}]` : address);
const peerPort = await listenGrpc(grpc, `${host(config.bind)}:0`);
const address = `${host(advertise)}:${peerPort}`;
const registered = { name: config.nodeName, boot: instanceId, kind: 'sip-edge', address, loadPercent: 0 };
await events.registry.join(registered, edge.load);
const http = await serveHttp(
  config.health,
  {
    link: () => (edge.ready() ? undefined : 'no engine is connected'),
    admission: () => edge.refusal(),
  },
  edge.messages,
);
log.info({ advertise, port: edge.port }, 'sip-edge is up');

// Whoever takes the calls over begins as this one is gone from the registry; what its sockets still hold is lost.
shutdown.step('calls', DRAIN_MS + 500, () => edge.drain(DRAIN_MS));
shutdown.step('facts', 2_000, () => edge.settled());
shutdown.step('registry', 1_000, () => events.registry.leave());
shutdown.step('sockets', 1_000, () => edge.close());
shutdown.step('link', 1_000, () => closeLink());
shutdown.step('rest', 1_000, () => {
  closeCluster();
  directory.close();
  loopDelay.stop();
  return Promise.all([closeGrpc(grpc, 100), http.close(), events.close()]);
});
