/** How a document is asked for: its address, its number, its idempotency key, and the bounds of asking. */
import { wholeCallObject } from '@opentact/proto/call-view';
import type { Decided } from '@opentact/proto/events';
import type { Call } from './call.ts';
import { jsonValuesOf, textOf } from './language/scalar.ts';

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

/**
 * The address with fields appended. What it held before stays first, byte for byte: signed addresses break where somebody
 * else encodes them anew.
 */
export function withQuery(address: string, fields: Record<string, string>): string {
  const ours = new URLSearchParams(Object.entries(fields).filter(([, value]) => value !== '')).toString();
  if (ours === '') return address;
  const hash = address.indexOf('#');
  const before = hash < 0 ? address : address.slice(0, hash);
  const joint = !before.includes('?') ? '?' : /[?&]$/.test(before) ? '' : '&';
  return `${before}${joint}${ours}${hash < 0 ? '' : address.slice(hash)}`;
}

/** The call as customers see it in a POST body: its object as on every channel (reference section 3.5), and its variables. */
export function callObject(call: Call): Record<string, unknown> {
  return { ...(call.view && wholeCallObject(call.view)), meta: jsonValuesOf(call.flow.meta ?? {}) };
}

/** May the call ask for one more document? */
export const documentsLeft = (call: Call) => call.flow.documents < DOCUMENTS_MAX;

/** Would one more block be too deep? Frames count: each nested document or branch is one. */
export const nestedTooDeep = (call: Call) => call.flow.frames.filter((f) => f.nested).length >= NESTED_MAX;

/** Query fields that every request from inside a flow carries (contracts.md, language 6). */
export function customerQuery(call: Call): Record<string, string> {
  return {
    from: call.from,
    tn: call.to,
    state: call.view?.legs[0]?.state ?? 'init',
    sca: call.app.appId,
    call: call.id,
  };
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
      encodeURIComponent(name.toWellFormed()).length + encodeURIComponent(textOf(value).toWellFormed()).length + 2;
    if (length + field > QUERY_MAX) continue;
    length += field;
    fields[name] = textOf(value);
  }
  return fields;
}
