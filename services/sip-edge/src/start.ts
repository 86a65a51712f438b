// One SIP edge in this process: Directory, link, sockets, cluster. It decides nothing else.

import type { NodeStart } from '@opentact/link';
import {
  advertisedAddress,
  bootId,
  closeGrpc,
  createGrpcServer,
  createLogger,
  hostPort,
  isAllowedAddress,
  listenGrpc,
  nodeToken,
  platformSecret,
  type Service,
  watchLoopDelay,
} from '@opentact/runtime';
import { openCluster } from './adapters/cluster.ts';
import { addClusterService } from './adapters/cluster-server.ts';
import { grpcDirectory } from './adapters/directory.ts';
import { answerMessages } from './adapters/http.ts';
import { engineLink } from './adapters/link.ts';
import { openEdge } from './edge/edge.ts';

/** How long calls may go on once the edge is told to leave. */
const DRAIN_MS = 5_000;
/** Starting is late by nature: for so long the event loop's delay refuses nobody (the facts' store still does). */
const WARM_MS = 5_000;

/** Resolves once it has joined the registry and its sockets are open. */
export async function startEdge({ config, name, events, local }: NodeStart): Promise<Service> {
  const instanceId = bootId();
  const log = createLogger({ service: 'sip-edge', node: name, boot: instanceId, level: config.logLevel });
  const advertise = await advertisedAddress(config);
  const token = await nodeToken(config);
  const directory = grpcDirectory(config.directory, token);
  const loopDelay = watchLoopDelay();
  const warmAt = performance.now() + WARM_MS;
  const self = { node: name, instanceId };
  const grpc = createGrpcServer(token);
  /** Full is who leaves: it gets no new work, and the other edges know that it goes. */
  let load = () => 0;
  let closeLink = async () => {};
  let closeCluster = () => {};

  const edge = await openEdge({
    ...{ bind: config.bind, port: config.sipPort, advertise, reusePort: true, self, directory, log },
    secret: await platformSecret(config),
    link(listener) {
      const link = engineLink({ name, boot: instanceId, events, log, token, local, load: () => load() }, listener);
      closeLink = link.close;
      return link;
    },
    cluster(listener) {
      addClusterService(grpc, self, listener);
      const cluster = openCluster({ self, registry: events.registry, token }, listener);
      closeCluster = cluster.close;
      return cluster;
    },
    allowed: (address, port) => isAllowedAddress(config.dialAllow, address, port),
    loopDelayMs: () => (performance.now() < warmAt ? 0 : loopDelay.p99Ms()),
  });
  load = edge.load;
  // The port of SIP belongs to every edge of this address; this one belongs to us alone.
  const address = hostPort(advertise, await listenGrpc(grpc, hostPort(config.bind, 0)));
  await events.registry.join({ name, boot: instanceId, kind: 'sip-edge', address, loadPercent: 0 }, edge.load);
  log.info({ advertise, port: edge.port }, 'sip-edge is up');
  const close = () => {
    closeCluster();
    directory.close();
    loopDelay.stop();
    return closeGrpc(grpc, 100);
  };
  return {
    checks: { link: () => (edge.ready() ? undefined : 'no engine is connected'), admission: () => edge.refusal() },
    answer: answerMessages(edge.messages),
    // Whoever takes the calls over begins as this one is gone from the registry; what its sockets still hold is lost.
    leaving: [
      { name: 'SIP calls', deadlineMs: DRAIN_MS + 500, run: () => edge.drain(DRAIN_MS) },
      { name: 'facts of SIP', deadlineMs: 2_000, run: () => edge.settled() },
      { name: 'edge leaves the registry', deadlineMs: 1_000, run: () => events.registry.leave(name) },
      { name: 'sockets of SIP', deadlineMs: 1_000, run: () => edge.close() },
      { name: 'link of the edge', deadlineMs: 1_000, run: () => closeLink() },
      { name: 'rest of the edge', deadlineMs: 1_000, run: close },
    ],
  };
}
