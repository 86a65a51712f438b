/** What api asks of the flow engines, by their public gRPC port: any of them may answer. */
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { CallV1 } from '@opentact/proto';
import type { CallObject } from '@opentact/proto/call-view';
import { bearer, CHANNEL_OPTIONS } from '@opentact/runtime';
import { invalid, Refusal } from '../kernel/refusal.ts';
import type { Unpaid } from '../money/extend.ts';

const PATIENCE_MS = 5_000;

/** `object`: as every channel shows it. */
export type KnownCall = { callId: string; accountId: string; object: CallObject };

export type Engine = {
  /** What is wrong with a document, with its place; undefined where a call could run it. */
  check(xml: string): Promise<string | undefined>;
  /** A call as its story tells it now; undefined where there is none of that uuid. */
  call(uuid: string): Promise<KnownCall | undefined>;
  /** Replaces what a live call runs. The same key acts once. */
  run(uuid: string, xml: string, key: string): Promise<void>;
  /** `unpaid`: we end it, since it can't be paid further. */
  hangup(uuid: string, key: string, unpaid?: Unpaid): Promise<void>;
  /** Makes a call. The same account and key are the same call. @returns its uuid */
  place(order: CallV1.PlaceCallRequest): Promise<string>;
  /** Connects two live calls. The same key acts once. */
  bridge(uuid: string, peer: string, key: string): Promise<void>;
  close(): void;
};

type Unary<Q, A> = (
  request: Q,
  metadata: ReturnType<typeof bearer>,
  options: { deadline: number },
  done: (error: ServiceError | null, answer: A) => void,
) => unknown;

/** @throws Refusal from each call: conflict where it has ended, unavailable where no engine answers */
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
    async call(uuid) {
      const getCall = client.getCall as Unary<CallV1.GetCallRequest, CallV1.GetCallResponse>;
      const found = await ask(getCall, { callId: uuid }).catch((error: Refusal) => {
        if (error.code === 'not-found') return undefined;
        throw error;
      });
      if (!found) return undefined;
      const { callId, accountId, call } = found;
      if (!call) throw new Refusal('unavailable', 'the flow engine that answered is of an older version; try again');
      return { callId, accountId, object: call as CallObject };
    },
    async run(callId, xml, idempotencyKey) {
      await ask(client.runDocument as Unary<CallV1.RunDocumentRequest, CallV1.RunDocumentResponse>, {
        callId,
        xml,
        idempotencyKey,
      });
    },
    async hangup(callId, idempotencyKey, unpaid) {
      const hangup = client.hangup as Unary<CallV1.HangupRequest, CallV1.HangupResponse>;
      await ask(hangup, { callId, idempotencyKey, unpaid });
    },
    async place(order) {
      const { callId } = await ask(client.placeCall as Unary<CallV1.PlaceCallRequest, CallV1.PlaceCallResponse>, order);
      return callId;
    },
    async bridge(callId, peerCallId, idempotencyKey) {
      await ask(client.bridgeCalls as Unary<CallV1.BridgeCallsRequest, CallV1.BridgeCallsResponse>, {
        callId,
        peerCallId,
        idempotencyKey,
      });
    },
    close: () => client.close(),
  };
}

function told(error: ServiceError): Refusal {
  switch (error.code) {
    case status.NOT_FOUND:
    case status.INVALID_ARGUMENT: {
      // An engine names the field as a body does; a uuid that is no call's is a call that isn't there.
      const [, field, message] =
        /^(xml|to|call_flow_url|call_flow_method|ring_timeout_ms): (.+)/s.exec(error.details) ?? [];
      return field ? invalid({ [field]: { message: message! } }) : new Refusal('not-found', 'no such call');
    }
    case status.FAILED_PRECONDITION:
      return new Refusal('conflict', error.details);
    default:
      return new Refusal('unavailable', 'no flow engine answers now; try again');
  }
}
