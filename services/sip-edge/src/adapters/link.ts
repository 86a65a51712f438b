// The edge's port over the link between nodes and engines: facts and requests become bytes here and nowhere else.

import { createNodeLink, type NodeLink, type NodeLinkOptions } from '@opentact/link';
import { type CallEvent, decodeEvent, encodeEvent, UnknownEvent } from '@opentact/proto';
import type { EngineLink, EngineListener, Log, Origin } from '../edge/port.ts';

/** Opens the node's half for an edge. */
export function engineLink(
  options: Omit<NodeLinkOptions, 'kind' | 'handlers'>,
  listener: EngineListener,
): EngineLink & { close(): Promise<void> } {
  const { log } = options;
  const link: NodeLink = createNodeLink({
    ...options,
    kind: 'sip-edge',
    handlers: {
      ask({ key, seq, payload }) {
        const event = decoded(payload, key, log);
        if (event) listener.ask({ ...event, callId: key, seq });
      },
      gone: (key) => listener.gone(key),
      known: (key, node, boot, payload) => listener.known(key, { node, instanceId: boot }, originOf(payload)),
      hint() {},
      held: () => listener.held(),
    },
  });
  return {
    report: (callId, fact) => link.report(callId, encodeEvent(fact)),
    async where(callId, leg) {
      const holder = await link.where(callId, leg);
      return holder && { node: holder.node, instanceId: holder.boot };
    },
    forget: (callId) => link.forget(callId),
    pending: () => link.pending(),
    full: () => link.full(),
    ready: (callId) => link.ready(callId),
    close: () => link.close(),
  };
}

/** The engine says it as JSON; what can't be read tells nothing. */
function originOf(payload: Uint8Array): Origin | undefined {
  try {
    const { topBranch, requestUri } = JSON.parse(Buffer.from(payload).toString()) as Partial<Origin>;
    return topBranch === undefined || requestUri === undefined ? undefined : { topBranch, requestUri };
  } catch {
    return undefined;
  }
}

/** A request of a newer engine is no reason to fall: readers are deployed before writers. */
function decoded(payload: Uint8Array, callId: string, log: Log): CallEvent | undefined {
  try {
    return payload.length === 0 ? undefined : decodeEvent(payload);
  } catch (error) {
    if (!(error instanceof UnknownEvent)) throw error;
    log.error({ callId, error: error.message }, 'a request that this edge does not know');
    return undefined;
  }
}
