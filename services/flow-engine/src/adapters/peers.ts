/** The other engines, as gRPC clients: to have a partition handed over, and to send orders on to a call's owner. */
import { credentials, type Metadata, type ServiceError } from '@grpc/grpc-js';
import type { SeenNode } from '@opentact/event-log';
import { CallV1, EngineV1 } from '@opentact/proto';
import { bearer, CHANNEL_OPTIONS } from '@opentact/runtime';
import type { PeerFact } from '../engine/engine.ts';
import { FORWARDED } from './call-control.ts';
import { refusedWord, wordOf } from './tell-peer.ts';

const DEADLINE_MS = 2_000;
/** How old an engine's word that it reaches the log may be, and how often it is asked for. */
const WORD_MS = 1_000;
const ASK_EVERY_MS = 300;

type Clients = {
  boot: string;
  peer: EngineV1.EnginePeerClient;
  control: CallV1.CallControlClient;
  askedAt: number;
  healthyAt: number;
};

type Done<A> = (error: ServiceError | null, answer: A) => void;

export type Peers = {
  askRelease(engine: SeenNode, partition: number): Promise<void>;
  /** Did it say within the last second that it reaches the log? Asks it anew by the way. */
  answers(engine: SeenNode): boolean;
  getCall(engine: SeenNode, request: CallV1.GetCallRequest): Promise<CallV1.GetCallResponse>;
  hangup(engine: SeenNode, request: CallV1.HangupRequest): Promise<void>;
  runDocument(engine: SeenNode, request: CallV1.RunDocumentRequest): Promise<void>;
  placeCall(engine: SeenNode, request: CallV1.PlaceCallRequest): Promise<CallV1.PlaceCallResponse>;
  bridgeCalls(engine: SeenNode, request: CallV1.BridgeCallsRequest): Promise<void>;
  lookUp(engine: SeenNode, request: EngineV1.LookUpRequest): Promise<EngineV1.LookUpResponse>;
  /** @throws CallError where that call is over, or was never. */
  tellPeer(engine: SeenNode, callId: string, accountId: string, said: PeerFact): Promise<void>;
  close(): void;
};

export function createPeers(self: string, token: string | undefined): Peers {
  const clients = new Map<string, Clients>();

  function of(engine: SeenNode): Clients {
    const known = clients.get(engine.name);
    if (known?.boot === engine.boot) return known;
    known?.peer.close();
    known?.control.close();
    const peer = new EngineV1.EnginePeerClient(engine.address, credentials.createInsecure(), CHANNEL_OPTIONS);
    const control = new CallV1.CallControlClient(engine.address, credentials.createInsecure(), CHANNEL_OPTIONS);
    const never = Number.NEGATIVE_INFINITY;
    const made = { boot: engine.boot, peer, control, askedAt: never, healthyAt: never };
    clients.set(engine.name, made);
    return made;
  }

  const metadata = () => {
    const made = bearer(token);
    made.set(FORWARDED, self);
    return made;
  };
  const askFor = <A>(run: (m: Metadata, o: { deadline: number }, done: Done<A>) => unknown) =>
    new Promise<A>((resolve, reject) => {
      const done: Done<A> = (error, answer) => (error ? reject(error) : resolve(answer));
      run(metadata(), { deadline: Date.now() + DEADLINE_MS }, done);
    });
  const ask = async (run: (m: Metadata, o: { deadline: number }, done: Done<unknown>) => unknown) =>
    void (await askFor(run));

  return {
    askRelease: (engine, partition) =>
      ask((m, o, done) => of(engine).peer.release({ partition, to: self }, m, o, done)),
    answers(engine) {
      const known = of(engine);
      const now = performance.now();
      if (now - known.askedAt > ASK_EVERY_MS) {
        known.askedAt = now;
        known.peer.alive({}, metadata(), { deadline: Date.now() + WORD_MS }, (error, said) => {
          if (!error && said.healthy) known.healthyAt = performance.now();
        });
      }
      return now - known.healthyAt < WORD_MS;
    },
    getCall: (engine, request) => askFor((m, o, done) => of(engine).control.getCall(request, m, o, done)),
    hangup: (engine, request) => ask((m, o, done) => of(engine).control.hangup(request, m, o, done)),
    runDocument: (engine, request) => ask((m, o, done) => of(engine).control.runDocument(request, m, o, done)),
    placeCall: (engine, request) =>
      askFor<CallV1.PlaceCallResponse>((m, o, done) => of(engine).control.placeCall(request, m, o, done)),
    bridgeCalls: (engine, request) => ask((m, o, done) => of(engine).control.bridgeCalls(request, m, o, done)),
    lookUp: (engine, request) => askFor((m, o, done) => of(engine).peer.lookUp(request, m, o, done)),
    tellPeer: (engine, callId, accountId, said) =>
      ask((m, o, done) => of(engine).peer.tellPeer(wordOf(callId, accountId, said), m, o, done)).catch((error) => {
        throw refusedWord(error);
      }),
    close() {
      for (const { peer, control } of clients.values()) {
        peer.close();
        control.close();
      }
    },
  };
}
