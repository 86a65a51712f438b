// What the engines and the other edges say, each to its own function.

import { serve } from './asks.ts';
import { refuse } from './caller.ts';
import { type Context, isOver } from './context.ts';
import { dropLeg } from './drop.ts';
import type { Elsewhere } from './elsewhere.ts';
import type { Gate } from './gate.ts';
import { release } from './hangup.ts';
import type { EdgePeers, EngineListener, Holder, Origin, PeerListener } from './port.ts';

export function listenerOf(context: Context, elsewhere: Elsewhere): EngineListener {
  return {
    ask: (event) => serve(context, event),
    gone: (callId) => release(context, callId),
    known: (callId, holder, first) => began(context, elsewhere, callId, holder, first),
    held: () => [...context.calls.values()].filter((call) => !isOver(call)).map(({ id }) => id),
  };
}

/** The call began at another edge: it is answered there, by whoever holds it now, and by nobody here. */
function began(context: Context, elsewhere: Elsewhere, callId: string, holder: Holder, first?: Origin): void {
  const leg = context.calls.get(callId)?.legs.get(0);
  if (leg?.kind !== 'caller' || leg.state !== 'arrived' || !leg.server || leg.call.adoptedAt > 0) return;
  const { request, arrival } = leg.server;
  context.log.info({ callId, ...holder }, 'the call began at another edge');
  if (first && (first.topBranch !== request.via.branch || first.requestUri !== request.uriText)) {
    leg.call.told = false;
    return refuse(context, leg, 482, 41);
  }
  dropLeg(context, leg);
  elsewhere.invite(callId, request, arrival, holder);
}

/** No other edge shares the address. */
export const ALONE: EdgePeers = {
  lives: () => false,
  others: () => false,
  heirs: () => undefined,
  forward: (_to, _message, undelivered) => undelivered(),
};

/** Asks wait, as everything does, while it isn't known what an edge slept through. */
export function gated({ pass }: Gate, listener: EngineListener): EngineListener {
  return {
    ask: (event) => pass(() => listener.ask(event)),
    gone: (callId) => pass(() => listener.gone(callId)),
    known: (callId, holder, first) => pass(() => listener.known(callId, holder, first)),
    held: listener.held,
  };
}

export function peerListenerOf(context: Context): PeerListener {
  return {
    forwarded: (message, back) => context.network.take(message, back),
    reply(to, bytes) {
      const connection = context.network.connection(to.address, to.port);
      connection?.send(bytes, () => {});
      return connection !== undefined;
    },
  };
}
