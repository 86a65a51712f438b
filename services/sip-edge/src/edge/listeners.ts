// What the engines and the other edges say, each to its own function.

import type { DialogForwarder } from '../cluster/dialog-forwarder.ts';
import { relinquishLeg } from '../cluster/relinquish.ts';
import type { SuspendGuard } from '../cluster/suspend-guard.ts';
import { refuse } from '../uas/caller.ts';
import { serve } from './asks.ts';
import { type Context, isOver } from './context.ts';
import { release } from './hangup.ts';
import type { Cluster, ClusterListener, EdgeInstance, EngineListener, Origin } from './port.ts';

export function listenerOf(context: Context, forwarder: DialogForwarder): EngineListener {
  return {
    ask: (event) => serve(context, event),
    gone: (callId) => release(context, callId),
    known: (callId, holder, first) => began(context, forwarder, callId, holder, first),
    held: () => [...context.calls.values()].filter((call) => !isOver(call)).map(({ id }) => id),
  };
}

/** The call began at another edge: it is answered there, by whoever holds it now, and by nobody here. */
function began(
  context: Context,
  forwarder: DialogForwarder,
  callId: string,
  holder: EdgeInstance,
  first?: Origin,
): void {
  const leg = context.calls.get(callId)?.legs.get(0);
  if (leg?.kind !== 'caller' || leg.state !== 'arrived' || !leg.server || leg.call.adoptedAt > 0) return;
  const { request, arrival } = leg.server;
  context.log.info({ callId, ...holder }, 'the call began at another edge');
  if (first && (first.topBranch !== request.via.branch || first.requestUri !== request.uriText)) {
    leg.call.told = false;
    return refuse(context, leg, 482, 41);
  }
  relinquishLeg(context, leg);
  forwarder.invite(callId, request, arrival, holder);
}

/** No other edge shares the address. */
export const ALONE: Cluster = {
  lives: () => false,
  others: () => false,
  heirs: () => undefined,
  forward: (_to, _message, undelivered) => undelivered(),
};

/** Asks wait, as everything does, while it isn't known what happened while the process was suspended. */
export function guarded({ pass }: SuspendGuard, listener: EngineListener): EngineListener {
  return {
    ask: (event) => pass(() => listener.ask(event)),
    gone: (callId) => pass(() => listener.gone(callId)),
    known: (callId, holder, first) => pass(() => listener.known(callId, holder, first)),
    held: listener.held,
  };
}

export function clusterListenerOf(context: Context): ClusterListener {
  return {
    forwarded: (message, back) => context.network.take(message, back),
    reply(to, bytes) {
      const connection = context.network.connection(to.address, to.port);
      connection?.send(bytes, () => {});
      return connection !== undefined;
    },
  };
}
