/** One flow-engine in this process: chooses the adapters, joins, and says in which order it leaves. */
import { status } from '@grpc/grpc-js';
import type { EventLog } from '@opentact/event-log';
import type { NodeStart } from '@opentact/link';
import { CallV1, EngineV1 } from '@opentact/proto';
import {
  addGrpcHealth,
  bootId,
  closeGrpc,
  createGrpcServer,
  createLogger,
  hostPort,
  internalAddress,
  isLoopback,
  listenGrpc,
  listenShared,
  nodeToken,
  operatorToken,
  partitionOf,
  type Service,
  watchLoopDelay,
} from '@opentact/runtime';
import { callControl } from './adapters/call-control.ts';
import { openDirectory } from './adapters/directory.ts';
import { lookUp } from './adapters/look-up.ts';
import { createPeers } from './adapters/peers.ts';
import { addReflection } from './adapters/reflection.ts';
import { tellPeer } from './adapters/tell-peer.ts';
import { createDocumentReader } from './engine/document-reader.ts';
import { createEngine, type Engine } from './engine/engine.ts';

/** The partitions that should be this engine's and are not ready. */
function notReady(engine: Engine, log: EventLog, name: string): string | undefined {
  const waiting = engine.ownership.owned().filter((p) => !p.isReady()).length;
  const missing = Array.from({ length: log.partitions }, (_, n) => n).filter(
    (n) => engine.ownership.ownerOf(n)?.name === name && !engine.ownership.partition(n),
  ).length;
  return waiting + missing === 0 ? undefined : `${waiting + missing} of my partitions are not ready`;
}

/** What the other engines ask of this one. */
function peerService(engine: Engine, log: EventLog): EngineV1.EnginePeerServer {
  return {
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
}

/** What of CallControl goes to the engine that owns the call. */
function forwardTo(engine: Engine, peers: ReturnType<typeof createPeers>, log: EventLog, name: string) {
  const ownerOf = (callId: string) => {
    const number = partitionOf(callId.toLowerCase().slice(0, -4).concat('0000'), log.partitions);
    const owner = engine.ownership.ownerOf(number);
    if (owner && owner.name !== name) return owner;
    throw Object.assign(new Error('no engine owns this call at the moment; try again'), { code: status.UNAVAILABLE });
  };
  return {
    getCall: async (request: CallV1.GetCallRequest) => peers.getCall(ownerOf(request.callId), request),
    hangup: async (request: CallV1.HangupRequest) => peers.hangup(ownerOf(request.callId), request),
    runDocument: async (request: CallV1.RunDocumentRequest) => peers.runDocument(ownerOf(request.callId), request),
    placeCall: async (callId: string, request: CallV1.PlaceCallRequest) => peers.placeCall(ownerOf(callId), request),
    bridgeCalls: async (request: CallV1.BridgeCallsRequest) => peers.bridgeCalls(ownerOf(request.callId), request),
    lookUp: async (request: EngineV1.LookUpRequest) => peers.lookUp(ownerOf(request.callId), request),
  };
}

/** What nodes and engines say to each other is served on this engine's own port only, never on the customers' one. */
async function serve({ config, events: log }: NodeStart, engine: Engine, control: CallV1.CallControlServer) {
  const server = createGrpcServer(await nodeToken(config));
  const publicServer = createGrpcServer(await operatorToken(config));
  const setServing = addGrpcHealth(publicServer);
  engine.link.addTo(server);
  for (const one of [server, publicServer]) one.addService(CallV1.CallControlService, control);
  server.addService(EngineV1.EnginePeerService, peerService(engine, log));
  addReflection(publicServer);
  const port = await listenGrpc(server, `${config.bind}:${config.linkPort}`);
  const shared = await listenShared(publicServer, config.bind, config.grpcPort);
  const close = async () => {
    await shared.close();
    await Promise.all([closeGrpc(publicServer, 500), closeGrpc(server, 500)]);
  };
  return { port, setServing, close };
}

/** Resolves once it has joined the registry and takes partitions. */
export async function startEngine(of: NodeStart): Promise<Service> {
  const { config, events: log, local } = of;
  const self = { name: of.name, boot: bootId() };
  const logger = createLogger({ service: 'flow-engine', node: self.name, boot: self.boot, level: config.logLevel });
  const loop = watchLoopDelay();
  const node = await nodeToken(config);
  const peers = createPeers(self.name, node);
  const documents = createDocumentReader();
  const { askRelease, answers, tellPeer: tell } = peers;
  const engine = createEngine({ ...{ log, self, logger, documents }, askRelease, answers, tellPeer: tell });
  const directory = openDirectory(config.directory, node);
  const control = callControl({
    ...{ log, ownership: engine.ownership, self: self.name, documents },
    forward: forwardTo(engine, peers, log, self.name),
    ...{ pastCall: directory.pastCall, stored: directory.stored, stage: directory.stage },
    mayStage: isLoopback(config.bind),
  });
  const served = await serve(of, engine, control);
  local?.offer(self, engine.link.connect);
  const address = hostPort(await internalAddress(config), served.port);
  await log.registry.join({ ...self, kind: 'flow-engine', address, loadPercent: 0 }, () =>
    Math.min(100, Math.round(loop.p99Ms() * 5)),
  );
  engine.start();
  served.setServing(true);
  logger.info({ port: served.port, sharedPort: config.grpcPort, partitions: log.partitions }, 'engine started');
  return {
    checks: {
      log: () => log.ping().then(() => undefined),
      partitions: () => notReady(engine, log, self.name),
    },
    leaving: [
      { name: 'stop serving', deadlineMs: 100, run: () => served.setServing(false) },
      { name: 'hand over', deadlineMs: 5_000, run: () => engine.leave() },
      { name: 'documents', deadlineMs: 1_000, run: () => documents.close() },
      { name: 'engine leaves the registry', deadlineMs: 1_000, run: () => log.registry.leave(self.name) },
      { name: 'grpc', deadlineMs: 1_000, run: served.close },
      {
        name: 'engine’s clients',
        deadlineMs: 500,
        run() {
          peers.close();
          directory.close();
          loop.stop();
        },
      },
    ],
  };
}
