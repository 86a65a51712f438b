/** What the owner of a call remembers of it, for the other engines: where its story begins, whose it is, whether it can be connected. */
import { type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import type { EngineV1 } from '@opentact/proto';
import type { Call } from '../domain/call.ts';
import { canBridge } from '../domain/peers.ts';
import type { Partition } from '../engine/partition.ts';
import { Refused } from './control-request.ts';
import { codeOf } from './read-calls.ts';
import type { Owner } from './read-story.ts';

/** @param began see `Remembered` */
const lookOf = (call: Call, idempotencyKey: string, began?: number): EngineV1.LookUpResponse => ({
  accountId: call.account,
  ordered: call.orders.includes(idempotencyKey),
  obstacle: obstacleOf(call) ?? '',
  began,
});

function obstacleOf(call: Call): string | undefined {
  if (call.state !== 'live') return `call ${call.id} has ended`;
  if (call.peer) return `call ${call.id} is connected to another already`;
  return canBridge(call) ? undefined : `call ${call.id} is not answered, or waits for a document`;
}

/** What is remembered of a call in its partition. */
function lookUpIn(
  partition: Partition,
  { callId, idempotencyKey }: EngineV1.LookUpRequest,
): EngineV1.LookUpResponse | undefined {
  const { durable, began } = partition.remembered(callId) ?? {};
  return durable && lookOf(durable, idempotencyKey, began);
}

/** The service's half. @param owned the call's partition, where it is this engine's */
export const lookUp =
  (owned: (callId: string) => Partition | undefined) =>
  (
    { request }: ServerUnaryCall<EngineV1.LookUpRequest, EngineV1.LookUpResponse>,
    done: sendUnaryData<EngineV1.LookUpResponse>,
  ): void => {
    const partition = owned(request.callId);
    if (!partition) return done({ code: status.UNAVAILABLE, details: 'the owner of this call is changing; try again' });
    const found = lookUpIn(partition, request);
    if (found) done(null, found);
    else done({ code: status.NOT_FOUND, details: `no call ${request.callId}` });
  };

type AskOwner = (callId: string, idempotencyKey?: string) => Promise<EngineV1.LookUpResponse | Owner>;

/** Asks a call's owner, this engine or another, what it remembers of the call. */
export const askOwner =
  (
    owned: (callId: string) => Partition | undefined,
    another: (request: EngineV1.LookUpRequest) => Promise<EngineV1.LookUpResponse>,
  ): AskOwner =>
  async (callId, idempotencyKey = '') => {
    const partition = owned(callId);
    if (partition) return lookUpIn(partition, { callId, idempotencyKey }) ?? 'forgotten';
    return another({ callId, idempotencyKey }).catch((error) =>
      codeOf(error) === status.NOT_FOUND ? 'forgotten' : 'away',
    );
  };

type Past = { ownerKnows: AskOwner; stateOf(callId: string, owner: Owner): Promise<Call | undefined> };

/** What a call's owner remembers of it; where there is none, what its story tells. Undefined: there is no such call. */
async function lookAt({ ownerKnows, stateOf }: Past, callId: string, idempotencyKey: string) {
  const owner = await ownerKnows(callId, idempotencyKey);
  if (typeof owner !== 'string') return owner;
  const call = await stateOf(callId, owner);
  return call && lookOf(call, idempotencyKey);
}

/** Both must be there, answered and free, and of one account: what is another's is as good as unknown. @throws Refused */
export async function checkPair(past: Past, callId: string, peerCallId: string, key: string): Promise<void> {
  const [call, peer] = await Promise.all([lookAt(past, callId, key), lookAt(past, peerCallId, key)]);
  if (!call) throw new Refused(status.NOT_FOUND, `no call ${callId}`);
  if (!peer || peer.accountId !== call.accountId) throw new Refused(status.NOT_FOUND, `no call ${peerCallId}`);
  if (call.ordered) return;
  const obstacle = call.obstacle || peer.obstacle;
  if (obstacle) throw new Refused(status.FAILED_PRECONDITION, obstacle);
}
