/** Which nodes a call builds on, and which of them are dead. */
import type { To } from '@opentact/proto/events';
import { HELPERS, rowOf } from '@opentact/proto/requests';
import type { Call } from './call.ts';
import { isKept } from './losses.ts';

/** The dead nodes that a call still builds on, each once. */
export function lostNodes(
  call: Call,
  isLost: (node: To) => boolean,
): Array<{ kind: string; node: string; boot: string }> {
  const found = new Map<string, { kind: string; node: string; boot: string }>();
  const look = (kind: string, at?: To) => {
    if (at && isLost(at)) found.set(`${at.node}/${at.boot}`, { kind, node: at.node, boot: at.boot });
  };
  if (call.state === 'live') {
    look('media', call.media);
    for (const kind of HELPERS) look(kind, call[kind]);
  }
  for (const leg of call.legs) {
    if (leg.state !== 'ended') look('sip-edge', leg.edge);
    look('media', leg.session?.node);
  }
  for (const request of Object.values(call.outstanding)) {
    const kind = rowOf(request.type)?.servedBy;
    if (kind && kind !== 'engine' && !isKept(request)) look(kind, request.to);
  }
  return [...found.values()];
}
