/** How a document is asked for: its address, its number, its idempotency key, and the bounds of asking. */
import type { Decided } from '@opentact/proto/events';
import type { Call } from './call.ts';

/** Documents that one call may ask for, and blocks within blocks (contracts.md, limits). */
export const DOCUMENTS_MAX = 100;
export const NESTED_MAX = 8;

const FETCH_TIMEOUT_MS = 10_000;

/** A wish for a document. Its number counts over the call's life; its key is the same at every try. */
export function request(
  call: Call,
  wanted: {
    purpose: 'flow' | 'redirect' | 'callback' | 'gather' | 'curl';
    url: string;
    method: string;
    timeoutMs?: number;
    body?: string;
    headers?: Array<{ name: string; value: string }>;
  },
): Decided {
  const document = call.flow.documents + 1;
  return {
    type: 'DocumentRequested',
    document,
    purpose: wanted.purpose,
    url: wanted.url,
    method: wanted.method || 'GET',
    timeoutMs: wanted.timeoutMs || FETCH_TIMEOUT_MS,
    body: wanted.body ?? '',
    idempotencyKey: `${call.id}-${document}`,
    appId: call.app.appId,
    headers: wanted.headers ?? [],
  };
}

/** The address with fields appended; what it held before stays first. */
export function withQuery(address: string, fields: Record<string, string>): string {
  const url = new URL(address);
  for (const [name, value] of Object.entries(fields)) if (value !== '') url.searchParams.append(name, value);
  return url.href;
}

/** The state that customers are told (reference section 3.5). */
const stateOf = (call: Call) => (call.legs[0]?.state === 'answered' ? 'live' : 'init');

/** The call as customers see it in a POST body (reference section 3.5, the part that a story knows). */
export function callObject(call: Call): Record<string, unknown> {
  return {
    uuid: call.id,
    type: 'CallSCA',
    direction: call.outbound ? 'out' : 'in',
    from: call.from,
    to: call.to,
    state: stateOf(call),
    created_on: new Date(call.arrivedAt).toISOString(),
    meta: call.flow.meta ?? {},
    sip_control_app: { uuid: call.app.appId, name: call.app.name, auto_answer: call.app.autoAnswer },
  };
}

/** May the call ask for one more document? */
export const documentsLeft = (call: Call) => call.flow.documents < DOCUMENTS_MAX;

/** Would one more block be too deep? Frames count: each nested document or branch is one. */
export const nestedTooDeep = (call: Call) => call.flow.frames.filter((f) => f.nested).length >= NESTED_MAX;

/** Query fields that every request from inside a flow carries (contracts.md, language 6). */
export function customerQuery(call: Call): Record<string, string> {
  return { from: call.from, tn: call.to, state: stateOf(call), sca: call.app.appId, call: call.id };
}

const OUR_FIELDS = new Set(['from', 'tn', 'state', 'sca', 'call', 'tag', 'dtmf', 'code', 'success', 'attempts']);

/** Encoded; servers refuse addresses that are much longer than this and their own. */
const QUERY_MAX = 4_096;

/**
 * The call's variables as query fields, behind those of the platform, which no variable can take the place of. Those
 * that would make the address too long are left out.
 */
export function metaQuery(call: Call): Record<string, string> {
  const fields: Record<string, string> = {};
  let length = 0;
  for (const [name, value] of Object.entries(call.flow.meta ?? {})) {
    if (OUR_FIELDS.has(name)) continue;
    const field =
      encodeURIComponent(name.toWellFormed()).length + encodeURIComponent(String(value).toWellFormed()).length + 2;
    if (length + field > QUERY_MAX) continue;
    length += field;
    fields[name] = String(value);
  }
  return fields;
}
