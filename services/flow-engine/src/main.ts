/** Starts one flow-engine: reads the configuration, chooses the adapters, joins, and leaves in order. */
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { openLog } from '@opentact/event-log';
import { CallV1, DirectoryV1, EngineV1 } from '@opentact/proto';
import type { PublicCall } from '@opentact/proto/call-view';
import {
  addGrpcHealth,
  bearer,
  bootId,
  CHANNEL_OPTIONS,
  closeGrpc,
  configOrExit,
  createGrpcServer,
  createLogger,
  createShutdown,
  internalAddress,
  isLoopback,
  listenGrpc,
  listenShared,
  nodeToken,
  operatorToken,
  partitionOf,
  serveHealth,
  watchLoopDelay,
} from '@opentact/runtime';
import { callControl } from './adapters/call-control.ts';
import { lookUp } from './adapters/look-up.ts';
import { createPeers } from './adapters/peers.ts';
import { addReflection } from './adapters/reflection.ts';
import { tellPeer } from './adapters/tell-peer.ts';
import { createDocumentReader } from './engine/document-reader.ts';
import { createEngine } from './engine/engine.ts';

const config = configOrExit('flow-engine', process.env, process.argv.slice(2));
const self = { name: config.nodeName, boot: bootId() };
const logger = createLogger({ service: 'flow-engine', node: self.name, boot: self.boot, level: config.logLevel });
const shutdown = createShutdown(logger);
const log = await openLog(config);
const loop = watchLoopDelay();
const node = await nodeToken(config);
const peers = createPeers(self.name, node);
const documents = createDocumentReader();
const engine = createEngine({
  ...{ log, self, logger, documents },
  askRelease: peers.askRelease,
  answers: peers.answers,
  tellPeer: peers.tellPeer,
});

const directory = new DirectoryV1.DirectoryClient(config.directory, credentials.createInsecure(), CHANNEL_OPTIONS);
const stage = (request: DirectoryV1.StageRequest) =>
  new Promise<DirectoryV1.StageResponse>((resolve, reject) => {
    const answer = (error: ServiceError | null, response: DirectoryV1.StageResponse) =>
      error ? reject(error) : resolve(response);
    directory.stage(request, bearer(node), { deadline: Date.now() + 2_000 }, answer);
  });

/** NOT_FOUND is an answer; where the Directory is away, whoever asked tries again. */
const pastCall = (callId: string) =>
  new Promise<PublicCall | undefined>((resolve, reject) => {
    directory.pastCall({ callId }, bearer(node), { deadline: Date.now() + 2_000 }, (error, answer) => {
      if (!error) resolve(JSON.parse(answer.view) as PublicCall);
      else if (error.code === status.NOT_FOUND) resolve(undefined);
      else reject(Object.assign(new Error('the call log has no answer now; try again'), { code: status.UNAVAILABLE }));
    });
  });
const stored = (request: DirectoryV1.StoryRequest) =>
  new Promise<DirectoryV1.StoryResponse>((resolve, reject) => {
    directory.story(request, bearer(node), { deadline: Date.now() + 2_000 }, (error, answer) => {
      if (!error) resolve(answer);
      else
        reject(
          Object.assign(new Error('the store of stories has no answer now; try again'), { code: status.UNAVAILABLE }),
        );
    });
  });
const ownerOf = (callId: string) => {
  const owner = engine.ownership.ownerOf(partitionOf(callId.toLowerCase().slice(0, -4).concat('0000'), log.partitions));
  if (owner && owner.name !== self.name) return owner;
  throw Object.assign(new Error('no engine owns this call at the moment; try again'), { code: status.UNAVAILABLE });
};

// What nodes and engines say to each other is served on this engine's own port only, never on the customers' one.
const server = createGrpcServer(node);
const publicServer = createGrpcServer(await operatorToken(config));
const setServing = addGrpcHealth(publicServer);
engine.link.addTo(server);
const control = callControl({
  log,
  ownership: engine.ownership,
  self: self.name,
  documents,
  forward: {
    getCall: async (request) => peers.getCall(ownerOf(request.callId), request),
    hangup: async (request) => peers.hangup(ownerOf(request.callId), request),
    runDocument: async (request) => peers.runDocument(ownerOf(request.callId), request),
    placeCall: async (callId, request) => peers.placeCall(ownerOf(callId), request),
    bridgeCalls: async (request) => peers.bridgeCalls(ownerOf(request.callId), request),
    lookUp: async (request) => peers.lookUp(ownerOf(request.callId), request),
  },
  pastCall,
  stored,
  stage,
  mayStage: isLoopback(config.bind),
});
server.addService(CallV1.CallControlService, control);
publicServer.addService(CallV1.CallControlService, control);
const peerService: EngineV1.EnginePeerServer = {
  tellPeer: tellPeer(engine.hear),
  lookUp: lookUp((callId) => engine.ownership.partition(partitionOf(callId, log.partitions))),
  alive: (_, done) => done(null, { healthy: log.registry.healthy() }),
  release: (call, done) => {
    engine.ownership.release(call.request.partition, call.request.to).then(
      (released) => done(null, { released }),
      (error: Error) => done({ code: status.INTERNAL, details: error.message }),
    );
  },
};
server.addService(EngineV1.EnginePeerService, peerService);
addReflection(publicServer);
const port = await listenGrpc(server, `${config.bind}:${config.linkPort}`);
const shared = await listenShared(publicServer, config.bind, config.grpcPort);

const health = await serveHealth(config.health, {
  log: () => log.ping().then(() => undefined),
  partitions: () => {
    // Every partition has an owner that lives; ours must be ready.
    const waiting = engine.ownership.owned().filter((p) => !p.isReady()).length;
    const missing = Array.from({ length: log.partitions }, (_, n) => n).filter(
      (n) => engine.ownership.ownerOf(n)?.name === self.name && !engine.ownership.partition(n),
    ).length;
    return waiting + missing === 0 ? undefined : `${waiting + missing} of my partitions are not ready`;
  },
});
const host = await internalAddress(config);
const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
await log.registry.join({ ...self, kind: 'flow-engine', address, loadPercent: 0 }, () =>
  Math.min(100, Math.round(loop.p99Ms() * 5)),
);
engine.start();
setServing(true);
logger.info({ port, sharedPort: config.grpcPort, partitions: log.partitions }, 'engine started');

shutdown.step('stop serving', 100, () => setServing(false));
shutdown.step('hand over', 5_000, () => engine.leave());
shutdown.step('documents', 1_000, () => documents.close());
shutdown.step('registry', 1_000, () => log.registry.leave());
shutdown.step('grpc', 1_000, async () => {
  await shared.close();
  await Promise.all([closeGrpc(publicServer, 500), closeGrpc(server, 500)]);
});
shutdown.step('health', 500, () => health.close());
shutdown.step('log', 2_000, async () => {
  peers.close();
  directory.close();
  loop.stop();
  await log.close();
});
