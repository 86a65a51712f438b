/**
 * Nodes that serve a call as a whole, one of each kind that is asked for something. A new kind needs rows of requests and
 * nothing here; what a notifier is asked for is asked for again by `documents.ts`.
 */
import type { CallEvent, Decided, To } from '@opentact/proto/events';
import { type HelperKind, helperOf, rowOf } from '@opentact/proto/requests';
import { type Call, outstandingOf } from './call.ts';

/** A node of the kind is looked for, unless that is under way. */
export const lookFor = (call: Call, kind: HelperKind, except: To[] = []): Decided[] =>
  outstandingOf(call, 'NodeRequested', (e) => e.kind === kind).length > 0
    ? []
    : [{ type: 'NodeRequested', kind, except }];

/** What a dead helper was asked for is asked of another one. */
export function helpers(call: Call, event: CallEvent): Decided[] {
  if (event.type !== 'NodeLost' || !event.recover || call.ending) return [];
  const waits = Object.values(call.outstanding).find((request) => isForAnother(request, event.kind) && !request.to);
  return waits ? lookFor(call, event.kind as HelperKind, [{ node: event.node, boot: event.boot }]) : [];
}

/** Is it asked of whichever node of the kind the call has? A request that is `kept` is for the one that has it. */
export function isForAnother(request: CallEvent, kind: string): boolean {
  return helperOf(request.type) === kind && rowOf(request.type)?.onNodeLoss === 'with-call';
}
