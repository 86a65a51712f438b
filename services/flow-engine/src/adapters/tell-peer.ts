/** What calls say to each other, from the owner of one to the owner of the other, over gRPC. */
import { type ServerUnaryCall, type ServiceError, type sendUnaryData, status } from '@grpc/grpc-js';
import type { EngineV1 } from '@opentact/proto';
import type { PeerFact } from '../engine/engine.ts';
import { CallError } from '../engine/learner.ts';

/** The service's half: NOT_FOUND where the call is over or another account's, UNAVAILABLE where it is not ours. */
export const tellPeer =
  (hear: (callId: string, accountId: string, said: PeerFact) => Promise<void>) =>
  (
    call: ServerUnaryCall<EngineV1.TellPeerRequest, EngineV1.TellPeerResponse>,
    done: sendUnaryData<EngineV1.TellPeerResponse>,
  ): void => {
    const { callId, accountId, said } = call.request;
    if (!said) return done({ code: status.INVALID_ARGUMENT, details: 'nothing is said' });
    const fact: PeerFact =
      said.$case === 'joined' ? { type: 'PeerJoined', ...said.value } : { type: 'PeerLeft', ...said.value };
    hear(callId, accountId, fact).then(
      () => done(null, {}),
      (error: Error) => {
        const isOver = error instanceof CallError && error.code !== 'not-owner';
        done({ code: isOver ? status.NOT_FOUND : status.UNAVAILABLE, details: error.message });
      },
    );
  };

/** The asking half: the word as it travels. */
export function wordOf(callId: string, accountId: string, fact: PeerFact): EngineV1.TellPeerRequest {
  const { type: _, ...value } = fact;
  const said = (fact.type === 'PeerJoined' ? { $case: 'joined', value } : { $case: 'left', value }) as NonNullable<
    EngineV1.TellPeerRequest['said']
  >;
  return { callId, accountId, said };
}

/** The answer as the engine understands it: a call that is over is a refusal, anything else a failure to ask again. */
export function refusedWord(error: ServiceError): Error {
  return error.code === status.NOT_FOUND ? new CallError('not-found', error.details) : error;
}
