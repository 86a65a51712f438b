/** What the owner of a call remembers of it, for the other engines: where its story begins, whose it is, whether it can be connected. */
import { type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import type { EngineV1 } from '@opentact/proto';
import type { Call } from '../domain/call.ts';
import { canBridge } from '../domain/peers.ts';
import type { Partition } from '../engine/partition.ts';

/** @param began see `Partition.began` */
export const lookOf = (call: Call, idempotencyKey: string, began?: number): EngineV1.LookUpResponse => ({
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
export function lookUpIn(
  partition: Partition,
  { callId, idempotencyKey }: EngineV1.LookUpRequest,
): EngineV1.LookUpResponse | undefined {
  const call = partition.durable(callId);
  return call && lookOf(call, idempotencyKey, partition.began(callId));
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
