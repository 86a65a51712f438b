/** What the command asks of the platform by its public gRPC port: any engine answers. Nothing is asked again here. */
import { credentials, type ServiceError } from '@grpc/grpc-js';
import { type CallEvent, CallV1, fromMessage } from '@opentact/proto';
import { bearer, CHANNEL_OPTIONS } from '@opentact/runtime';

const PATIENCE_MS = 5_000;

export type Control = ReturnType<typeof openControl>;

/** @param address host:port of the gRPC port. */
export function openControl(address: string, token: string) {
  const client = new CallV1.CallControlClient(address, credentials.createInsecure(), CHANNEL_OPTIONS);
  const metadata = bearer(token);
  const answer = <A>(ask: (options: { deadline: number }, done: (e: ServiceError | null, a: A) => void) => unknown) =>
    new Promise<A>((done, failed) => {
      ask({ deadline: Date.now() + PATIENCE_MS }, (error, a) => (error ? failed(error) : done(a)));
    });
  return {
    /** The call as its story tells it now. @throws ServiceError */
    call: (callId: string) =>
      answer<CallV1.GetCallResponse>((options, done) => client.getCall({ callId }, metadata, options, done)),
    /** Keeps a document for one call to the user that comes back. @throws ServiceError */
    stage: (xml: string) =>
      answer<CallV1.StageDocumentResponse>((options, done) =>
        client.stageDocument({ xml, autoAnswer: true }, metadata, options, done),
      ),
    /** The events of a call from `fromSeq` on, as they happen, until CallEnded. @throws ServiceError */
    async *follow(callId: string, fromSeq: number): AsyncGenerator<CallEvent> {
      const stream = client.streamCallEvents({ callId, fromSeq, follow: true }, metadata);
      for await (const { event } of stream as AsyncIterable<CallV1.StreamCallEventsResponse>)
        if (event) yield fromMessage(event);
    },
    close: () => client.close(),
  };
}
