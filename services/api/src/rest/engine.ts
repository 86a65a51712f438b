/** What the REST API asks of the flow engines, by their public gRPC port: any of them may answer. */
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { CallV1 } from '@opentact/proto';
import { bearer, CHANNEL_OPTIONS } from '@opentact/runtime';
import { RestError } from './errors.ts';

const PATIENCE_MS = 5_000;

export type Engine = {
  /** What is wrong with a document, with its place; undefined where a call could run it. */
  check(xml: string): Promise<string | undefined>;
  /** A call as its story tells it now; undefined where there is none of that uuid. */
  call(uuid: string): Promise<CallV1.GetCallResponse | undefined>;
  /** Replaces what a live call runs. The same key acts once. */
  run(uuid: string, xml: string, key: string): Promise<void>;
  hangup(uuid: string, key: string): Promise<void>;
  close(): void;
};

type Unary<Q, A> = (
  request: Q,
  metadata: ReturnType<typeof bearer>,
  options: { deadline: number },
  done: (error: ServiceError | null, answer: A) => void,
) => unknown;

/** @throws RestError from each call: 409 where it has ended, 503 where no engine answers */
export function connectEngine(address: string, token: string | undefined): Engine {
  const client = new CallV1.CallControlClient(address, credentials.createInsecure(), CHANNEL_OPTIONS);
  const ask = <Q, A>(method: Unary<Q, A>, request: Q): Promise<A> =>
    new Promise((done, failed) => {
      const options = { deadline: Date.now() + PATIENCE_MS };
      method.call(client, request, bearer(token), options, (error, answer) =>
        error ? failed(told(error)) : done(answer),
      );
    });
  return {
    async check(xml) {
      const { fault } = await ask(
        client.checkDocument as Unary<CallV1.CheckDocumentRequest, CallV1.CheckDocumentResponse>,
        { xml },
      );
      return fault && `line ${fault.line}, column ${fault.column}: ${fault.reason}`;
    },
    call: (callId) =>
      ask(client.getCall as Unary<CallV1.GetCallRequest, CallV1.GetCallResponse>, { callId }).catch(
        (error: RestError) => {
          if (error.status === 404) return undefined;
          throw error;
        },
      ),
    async run(callId, xml, idempotencyKey) {
      await ask(client.runDocument as Unary<CallV1.RunDocumentRequest, CallV1.RunDocumentResponse>, {
        callId,
        xml,
        idempotencyKey,
      });
    },
    async hangup(callId, idempotencyKey) {
      await ask(client.hangup as Unary<CallV1.HangupRequest, CallV1.HangupResponse>, { callId, idempotencyKey });
    },
    close: () => client.close(),
  };
}

function told(error: ServiceError): RestError {
  switch (error.code) {
    case status.NOT_FOUND:
    case status.INVALID_ARGUMENT: // no uuid of a call
      return /^xml: /.test(error.details)
        ? new RestError(400, 'some parameters are wrong', {
            'body.xml': { message: error.details.replace('xml: ', '') },
          })
        : new RestError(404, 'no such call');
    case status.FAILED_PRECONDITION:
      return new RestError(409, 'the call has ended');
    default:
      return new RestError(503, 'no flow engine answers now; try again');
  }
}
