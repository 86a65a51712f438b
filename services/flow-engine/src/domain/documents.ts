/** How documents come into a call: the app's URL, its static document, a redirect, an order by API; and what if not. */
import type { CallEvent, Decided } from '@opentact/proto/events';
import { type Call, outstandingOf } from './call.ts';
import { callObject, nestedTooDeep, request, withQuery } from './document-request.ts';
import { quiet } from './flow.ts';
import { responseOf } from './frames.ts';
import type { Parse } from './language/parse.ts';
import { type Document, LANGUAGE_VERSION } from './language/verb.ts';
import { RING } from './outbound.ts';
import { cancelTimers, hangup } from './performer.ts';

/** What follows from an event for the documents of a call. */
export function documents(call: Call, event: CallEvent, parse: Parse): Decided[] {
  switch (event.type) {
    case 'CallArrived':
      if (event.refusal !== undefined) return [];
      return begun(call, event.app?.staticDocument, parse) ?? park(event.at);
    case 'CallOrdered':
      return begun(call, event.app?.staticDocument, parse) ?? [];
    case 'NodeAssigned':
      return event.kind === 'notifier' ? [...first(call), ...again(call)] : [];
    case 'NodeUnavailable':
      return event.kind === 'notifier' && call.app.callFlowUrl && call.flow.document === 0
        ? without(call, 'no-notifier')
        : [];
    case 'NodeLost':
      return event.kind === 'notifier'
        ? [{ type: 'NodeRequested', kind: 'notifier', except: [{ node: event.node, boot: event.boot }] }]
        : [];
    case 'DocumentFetched':
      return fetched(call, event, parse);
    case 'DocumentFailed':
      return call.flow.unmet === event.requestId ? without(call, event.reason) : [];
    case 'DocumentRejected':
      return call.flow.unmet === event.requestId ? without(call, 'document-rejected') : [];
    case 'DocumentAccepted': // what the replaced document sounded, recorded or dialled ends with it
      return isRoot(event.purpose) || event.purpose === 'ordered'
        ? [...untimed(call), ...quiet(call, JSON.parse(event.verbs) as Document)]
        : [];
    case 'DocumentOrdered':
      return ordered(call, accept(call, event.xml, 'ordered', 0, parse));
    case 'TimerFired':
      return event.purpose === PARKED && call.flow.document === 0 && !call.ending
        ? [hangup('customer-server', 'no-document', 41, 480)]
        : [];
    default:
      return [];
  }
}

/** The document that a call brings along; undefined where it has none, nor an address to ask for one. */
function begun(call: Call, xml: string | undefined, parse: Parse): Decided[] | undefined {
  if (call.app.callFlowUrl) return xml ? accept(call, xml, 'fallback', 0, parse) : [];
  return xml ? accept(call, xml, 'flow', 0, parse) : undefined;
}

/** Nothing to run: the caller hears it ring until an order by API brings a document, for so long at most (reference 1.7). */
const PARKED_MS = 30_000;
const PARKED = 'parked';

const park = (at: number): Decided[] => [
  { type: 'TimerSet', purpose: PARKED, dueAt: at + PARKED_MS },
  { type: 'RingRequested', leg: 0, sdp: '' },
];

/** Another document: nothing waits for what the one before, or the call without any, was waiting for. */
const untimed = (call: Call): Decided[] =>
  cancelTimers(call, (purpose) => purpose !== 'max-length' && purpose !== RING);

/** The app's URL, as soon as a notifier is assigned. */
function first(call: Call): Decided[] {
  const { app, flow } = call;
  if (!app.callFlowUrl || flow.document > 0 || flow.documents > 0 || call.ending) return [];
  const url = withQuery(app.callFlowUrl, { from: call.from, to: call.to });
  const body = app.callFlowMethod === 'POST' ? JSON.stringify(callObject(call)) : '';
  return [request(call, { purpose: 'flow', url, method: app.callFlowMethod, timeoutMs: app.callFlowTimeoutMs, body })];
}

/** Documents that a lost notifier was asked for are asked of the new one, under their own idempotency keys. */
function again(call: Call): Decided[] {
  const { notifier } = call;
  return outstandingOf(call, 'DocumentRequested')
    .filter((e) => e.to?.node !== notifier?.node || e.to?.boot !== notifier?.boot)
    .map(({ document, purpose, url, method, timeoutMs, body, idempotencyKey, appId, headers }) => ({
      type: 'DocumentRequested',
      document,
      purpose,
      url,
      method,
      timeoutMs,
      body,
      idempotencyKey,
      appId,
      headers,
    }));
}

function fetched(call: Call, event: Extract<CallEvent, { type: 'DocumentFetched' }>, parse: Parse): Decided[] {
  const purpose = purposeOf(call);
  if (!purpose || purpose === 'curl' || call.ending || !isAwaited(call, purpose, event.requestId)) return [];
  const nested = purpose === 'callback' || purpose === 'gather';
  if (nested && event.body.trim() === '') return [accepted(call, { verbs: [] }, purpose, event.requestId, [])];
  return accept(call, event.body, purpose, event.requestId, parse);
}

/** How long the path of a Hold may be that an order continues: orders within orders lengthen it. */
const PATH_MAX = 512;

/**
 * An order that begins with Unhold replaces nothing: it runs where the call is held, and the flow goes on. One that comes
 * too late, or twice, finds nobody held and is refused.
 */
function ordered(call: Call, chosen: Decided[]): Decided[] {
  return chosen.map((decided) => {
    if (decided.type !== 'DocumentAccepted') return decided;
    const document = JSON.parse(decided.verbs) as Document;
    if (document.verbs[0]?.name !== 'Unhold' || call.flow.document === 0) return decided;
    const { running } = call.flow;
    const isHeld = running?.verb.name === 'Hold';
    if (isHeld && running.path.length <= PATH_MAX && !nestedTooDeep(call))
      return { ...decided, purpose: 'unhold', document: call.flow.document, base: responseOf(running.path) };
    const reason = isHeld
      ? 'orders of this call stand too deep in each other'
      : 'nobody is held: <Unhold> came too late';
    const { document: number, requestId, purpose } = decided;
    return { type: 'DocumentRejected', document: number, requestId, purpose, line: 1, column: 1, reason };
  });
}

/** Parses a document and records the parse, or why there is none. */
function accept(call: Call, xml: string, purpose: string, requestId: number, parse: Parse): Decided[] {
  const parsed = parse(xml);
  if (parsed.ok) return [accepted(call, parsed.document, purpose, requestId, parsed.warnings)];
  const { line, column, reason } = parsed;
  return [{ type: 'DocumentRejected', document: numberOf(call, purpose), requestId, purpose, line, column, reason }];
}

const WARNINGS_MAX = 20;

function accepted(
  call: Call,
  document: Document,
  purpose: string,
  requestId: number,
  warnings: Array<{ line: number; column: number; reason: string }>,
): Decided {
  return {
    type: 'DocumentAccepted',
    document: numberOf(call, purpose),
    requestId,
    purpose,
    languageVersion: LANGUAGE_VERSION,
    verbs: JSON.stringify(document),
    warnings: warnings.slice(0, WARNINGS_MAX),
    ...(purpose === 'gather' && call.flow.running && { base: responseOf(call.flow.running.path) }),
  };
}

/** A new root document counts up; a nested one belongs to the running root. */
function numberOf(call: Call, purpose: string): number {
  return purpose === 'callback' || purpose === 'gather' || purpose === 'fallback'
    ? call.flow.document
    : call.flow.document + 1;
}

/** The purpose of the document request that the last event answered; undefined where its answer was stale. */
function purposeOf(call: Call): string | undefined {
  const asked = call.answered[0];
  return asked?.type === 'DocumentRequested' ? asked.purpose : undefined;
}

/** Is it still this answer that the flow waits for? A document that was replaced meanwhile wants it no more. */
function isAwaited(call: Call, purpose: string, requestId: number): boolean {
  return isRoot(purpose) ? call.flow.awaited === requestId : call.flow.running?.memory.request === requestId;
}

const isRoot = (purpose?: string) => purpose === 'flow' || purpose === 'redirect';

/** No document to run: the fallback, else the end, owned by the customer's server. */
function without(call: Call, reason: string): Decided[] {
  const { fallback, document } = call.flow;
  if (document === 0 && fallback) return [accepted(call, fallback, 'flow', 0, [])];
  return [hangup('customer-server', reason, 41, 480)];
}
