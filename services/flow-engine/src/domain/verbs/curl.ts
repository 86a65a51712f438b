/** Curl: asks a customer's server without replacing the flow. What a JSON answer holds becomes variables of the call. */
import type { CallEvent, Decided } from '@opentact/proto/events';
import { callObject, documentsLeft, request, withQuery } from '../document-request.ts';
import { milliseconds } from '../language/attributes.ts';
import type { Element } from '../language/element.ts';
import { jsonValueOf, jsonValuesOf, scalarsOfJson, textOf } from '../language/scalar.ts';
import { type Context, type SyntaxRow, TAG } from '../language/syntax.ts';
import type { Curl, Variables } from '../language/verb.ts';
import { end, fail, type Performer } from '../performer.ts';

const HEADERS_MAX = 20;
const VALUE_MAX = 1_024;
/** What only the platform says, and what belongs to the connection (RFC 9110 7.6.1). */
const OURS =
  /^(host|content-length|connection|transfer-encoding|te|trailer|upgrade|keep-alive|proxy-.*|expect|accept-encoding|idempotency-key|x-opentact-.*)$/i;

export const curlRow: SyntaxRow = {
  name: 'Curl',
  meaning: 'Asks a customer’s server; the scalars of a JSON answer become variables, under the tag: tag.name.',
  attributes: [
    { name: 'url', kind: 'url', required: true, meaning: 'Address.' },
    {
      name: 'method',
      kind: 'choice',
      values: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
      default: 'GET',
      meaning: 'HTTP method, any case.',
    },
    { name: 'timeout', ...milliseconds(1, 60_000), default: '10000', meaning: 'Milliseconds; then Error runs.' },
    {
      name: 'body',
      kind: 'boolean',
      default: 'false',
      meaning: 'Send the call object as a JSON body. The content of the element is sent as it stands instead.',
    },
    TAG,
  ],
  children: ['Header', 'Error'],
  text: true,
  build: (a, context) => {
    const { text, index, block } = context;
    const method = a.text('method').toUpperCase();
    if (method === 'GET' && (text || a.boolean('body'))) context.refuse('<Curl> by GET takes no body: use POST');
    const headers = headersOf(context);
    const error = block('Error');
    return {
      name: 'Curl',
      index,
      url: a.text('url'),
      method,
      timeoutMs: a.integer('timeout'),
      headers,
      tag: a.text('tag'),
      ...(text && { body: text }),
      ...(a.boolean('body') && !text && { sendsCall: true }),
      ...(error && { error }),
    };
  },
};

function headersOf({ all, check, attributesOf, refuse }: Context): Curl['headers'] {
  const headers = all('Header').map((element: Element) => {
    check(element);
    const a = attributesOf(element);
    const [name, value] = [a.text('name'), element.text || a.text('value')];
    if (OURS.test(name)) refuse(`<Header name="${name}"> is set by the platform itself`, element);
    if (value.length > VALUE_MAX)
      refuse(`the value of <Header name="${name}"> is longer than ${VALUE_MAX} characters`, element);
    // A line break in a header would begin another one.
    if (!/^[\t\x20-\x7e]*$/.test(value))
      refuse(`the value of <Header name="${name}"> must be printable ASCII`, element);
    return { name, value };
  });
  if (headers.length > HEADERS_MAX) refuse(`<Curl> has ${headers.length} headers; ${HEADERS_MAX} at most`);
  return headers;
}

export const headerRow: SyntaxRow = {
  name: 'Header',
  meaning: 'A header of a Curl.',
  attributes: [
    {
      name: 'name',
      kind: 'pattern',
      pattern: "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}",
      shape: 'the name of a header, like X-Customer',
      required: true,
      meaning: 'Its name.',
    },
    {
      name: 'value',
      kind: 'text',
      max: 1024,
      default: '',
      meaning: 'Its value; the content of the element serves too.',
    },
  ],
  children: [],
  text: true,
};

export const curlPerformer: Performer<Curl> = {
  needs: 'nothing',
  begin: (curl, call, running) => {
    if (!documentsLeft(call)) return [fail(call, running, 'too-many-documents')];
    const { method, timeoutMs, headers, meta = {} } = curl;
    const bodiless = method === 'GET' || method === 'DELETE';
    const url = bodiless && !curl.body ? withQuery(curl.url, textsOf(meta)) : curl.url;
    const json = curl.sendsCall
      ? callObject(call)
      : !bodiless && Object.keys(meta).length > 0
        ? jsonValuesOf(meta)
        : undefined;
    const body = curl.body ?? (json ? JSON.stringify(json) : '');
    return [request(call, { purpose: 'curl', url, method, timeoutMs, body, headers })];
  },
  learn: (memory, event) =>
    event.type === 'DocumentRequested' && event.purpose === 'curl' ? { ...memory, request: event.seq } : memory,
  on: (event: CallEvent, curl, call, running): Decided[] => {
    if (!('requestId' in event) || event.requestId !== running.memory.request) return [];
    if (event.type === 'DocumentFailed' || event.type === 'RequestFailed') return [fail(call, running, event.reason)];
    if (event.type !== 'DocumentFetched') return [];
    const variables = scalarsOfJson(event.body)
      .slice(0, SCALARS_MAX)
      .map(([name, value]) => ({
        name: curl.tag ? `${curl.tag}.${name}` : name,
        json: JSON.stringify(jsonValueOf(value)),
      }));
    return [...(variables.length > 0 ? [{ type: 'MetaSet', variables } as const] : []), end(running, true, 'fetched')];
  },
};

const textsOf = (variables: Variables) =>
  Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, textOf(value)]));

const SCALARS_MAX = 50;
