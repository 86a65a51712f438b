/** Callback: fetches XML that runs in its place, then the flow goes on. An empty answer is success with nothing to run. */
import {
  callObject,
  customerQuery,
  documentsLeft,
  metaQuery,
  nestedTooDeep,
  request,
  withQuery,
} from '../document-request.ts';
import { milliseconds } from '../language/attributes.ts';
import { type SyntaxRow, TAG } from '../language/syntax.ts';
import type { Callback } from '../language/verb.ts';
import { end, fail, type Performer } from '../performer.ts';

export const callbackRow: SyntaxRow = {
  name: 'Callback',
  meaning: 'Asks a customer’s server for XML to run here.',
  attributes: [
    { name: 'url', kind: 'url', meaning: 'Address; the content of the element serves too.' },
    {
      name: 'method',
      kind: 'choice',
      values: ['GET', 'POST', 'PATCH', 'DELETE'],
      default: 'GET',
      meaning: 'HTTP method, any case.',
    },
    { name: 'body', kind: 'boolean', default: 'false', meaning: 'Send the call object as a JSON body.' },
    {
      name: 'timeout',
      ...milliseconds(1, 60_000),
      default: '10000',
      meaning: 'Milliseconds; then Error runs.',
    },
    TAG,
  ],
  children: ['Error'],
  text: true,
  build: (a, { text, index, block, refuse }) => {
    const url = text || a.text('url');
    if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) refuse('<Callback> needs an absolute http or https address');
    const error = block('Error');
    return {
      name: 'Callback',
      index,
      url,
      method: a.text('method').toUpperCase(),
      body: a.boolean('body'),
      timeoutMs: a.integer('timeout'),
      tag: a.text('tag'),
      ...(error && { error }),
    };
  },
};

export const callbackPerformer: Performer<Callback> = {
  needs: 'nothing',
  begin: (callback, call, running) => {
    if (!documentsLeft(call)) return [fail(call, running, 'too-many-documents')];
    if (nestedTooDeep(call)) return [fail(call, running, 'nested-too-deep')];
    const url = withQuery(callback.url, {
      ...customerQuery(call),
      tag: callback.tag,
      dtmf: call.flow.lastDigits,
      ...metaQuery(call),
    });
    const body = callback.body && callback.method !== 'GET' ? JSON.stringify(callObject(call)) : '';
    return [request(call, { purpose: 'callback', url, method: callback.method, timeoutMs: callback.timeoutMs, body })];
  },
  learn: (memory, event) =>
    event.type === 'DocumentRequested' && event.purpose === 'callback' ? { ...memory, request: event.seq } : memory,
  on: (event, _callback, call, running) => {
    if (!('requestId' in event) || event.requestId !== running.memory.request) return [];
    if (event.type === 'DocumentAccepted') return [end(running, true, 'fetched')];
    if (event.type === 'DocumentFailed' || event.type === 'RequestFailed') return [fail(call, running, event.reason)];
    return event.type === 'DocumentRejected' ? [fail(call, running, 'document-rejected')] : [];
  },
};
