/** A CallControl client that has only the `.proto` files, as a customer's would. Asks the port that the engines share. */
import { fileURLToPath } from 'node:url';
import {
  credentials,
  type GrpcObject,
  loadPackageDefinition,
  Metadata,
  type ServiceClientConstructor,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const PROTO = fileURLToPath(new URL('../../proto', import.meta.url));

/** An event as a client without our code sees it: `body` names the one field that is set. */
export type WireEvent = {
  call_id: string;
  seq: number;
  at: number;
  body: string;
  from?: { source: string };
  to?: { node: string };
} & Record<string, unknown>;

type Unary = (
  request: unknown,
  metadata: Metadata,
  options: { deadline: number },
  done: (error: Error | null, answer: never) => void,
) => void;
type Method = 'GetCall' | 'Hangup' | 'RunDocument' | 'StageDocument' | 'PlaceCall' | 'BridgeCalls';
type Client = Record<Method, Unary> & {
  StreamCallEvents(
    request: unknown,
    metadata: Metadata,
  ): AsyncIterable<{ event: WireEvent }> & { cancel(): void; on(e: 'error', f: () => void): void };
  close(): void;
};

export type Control = ReturnType<typeof openControl>;

/** @param address host:port of the gRPC port. */
export function openControl(address: string, token?: string) {
  const definition = loadSync('opentact/call/v1/call_control.proto', {
    includeDirs: [PROTO],
    keepCase: true,
    longs: Number,
    oneofs: true,
    bytes: Buffer,
  });
  const loaded = loadPackageDefinition(definition) as unknown as { opentact: { call: { v1: GrpcObject } } };
  const Service = loaded.opentact.call.v1.CallControl as ServiceClientConstructor;
  // A killed engine's connection must not be held against the one that took its place.
  const client = new Service(address, credentials.createInsecure(), {
    'grpc.initial_reconnect_backoff_ms': 50,
    'grpc.max_reconnect_backoff_ms': 200,
    'grpc.use_local_subchannel_pool': 1,
  }) as unknown as Client;
  const metadata = new Metadata();
  if (token) metadata.set('authorization', `Bearer ${token}`);
  const ask = <A>(method: Method, request: unknown): Promise<A> =>
    new Promise((resolve, reject) => {
      client[method](request, metadata, { deadline: Date.now() + 20_000 }, (error, answer) =>
        error ? reject(error) : resolve(answer),
      );
    });
  return {
    getCall: (callId: string) =>
      ask<{ state: string; owner: string; reason: string; seq: number; verb: string }>('GetCall', { call_id: callId }),
    hangup: (callId: string, key: string) => ask('Hangup', { call_id: callId, idempotency_key: key }),
    runDocument: (callId: string, xml: string, key: string) =>
      ask('RunDocument', { call_id: callId, xml, idempotency_key: key }),
    /** Fields as in the .proto; what is left out is empty. */
    place: async (order: Record<string, unknown>) => (await ask<{ call_id: string }>('PlaceCall', order)).call_id,
    bridge: (callId: string, peer: string, key: string) =>
      ask('BridgeCalls', { call_id: callId, peer_call_id: peer, idempotency_key: key }),
    stage: (xml: string, autoAnswer = true) =>
      ask<{ user: string; expires: number }>('StageDocument', { xml, auto_answer: autoAnswer }),
    /** The events of a call; with `follow` until CallEnded. */
    async *events(
      callId: string,
      options: { from?: number; follow?: boolean; signal?: AbortSignal } = {},
    ): AsyncGenerator<WireEvent> {
      const stream = client.StreamCallEvents(
        { call_id: callId, from_seq: options.from ?? 1, follow: options.follow ?? false },
        metadata,
      );
      stream.on('error', () => undefined);
      options.signal?.addEventListener('abort', () => stream.cancel());
      try {
        for await (const { event } of stream) yield event;
      } catch (error) {
        if (!options.signal?.aborted) throw error;
      }
    },
    close: () => client.close(),
  };
}
