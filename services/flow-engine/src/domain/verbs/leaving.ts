/** The verbs that leave the flow: Hangup, Reject and Redirect. */
import { documentsLeft, metaQuery, request, withQuery } from '../document-request.ts';
import { type SyntaxRow, TAG } from '../language/syntax.ts';
import type { Hangup, Redirect, Reject } from '../language/verb.ts';
import { end, hangup, type Performer } from '../performer.ts';

export const hangupRow: SyntaxRow = {
  name: 'Hangup',
  meaning: 'Ends the call at once.',
  attributes: [TAG],
  children: [],
  text: false,
  build: (a, { index }) => ({ name: 'Hangup', index, tag: a.text('tag') }),
};

export const hangupPerformer: Performer<Hangup> = {
  needs: 'nothing',
  // The wish comes first: a flow that knows it is ending begins nothing more.
  begin: (_verb, _call, running) => [hangup('document', 'hangup'), end(running, true, 'hangup')],
  on: () => [],
};

export const rejectRow: SyntaxRow = {
  name: 'Reject',
  meaning: 'Declines an unanswered call: 486 busy or 603 rejected. An answered one is hung up.',
  attributes: [
    {
      name: 'reason',
      kind: 'choice',
      values: ['busy', 'rejected'],
      default: 'rejected',
      meaning: 'What the caller is told.',
    },
    TAG,
  ],
  children: [],
  text: false,
  build: (a, { index }) => ({
    name: 'Reject',
    index,
    reason: a.text('reason').toLowerCase() === 'busy' ? 'busy' : 'rejected',
    tag: a.text('tag'),
  }),
};

export const rejectPerformer: Performer<Reject> = {
  needs: 'nothing',
  begin: ({ reason }, _call, running) => [
    hangup('document', reason, reason === 'busy' ? 17 : 21, reason === 'busy' ? 486 : 603),
    end(running, true, reason),
  ],
  on: () => [],
};

export const redirectRow: SyntaxRow = {
  name: 'Redirect',
  meaning: 'Fetches a document that replaces this one. Its failure hangs up.',
  attributes: [
    { name: 'url', kind: 'url', meaning: 'Address of the next document; the content of the element serves too.' },
    { name: 'method', kind: 'choice', values: ['GET', 'POST'], default: 'GET', meaning: 'HTTP method.' },
    TAG,
  ],
  children: [],
  text: true,
  build: (a, { text, index, refuse }) => {
    const url = text || a.text('url');
    if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) refuse('<Redirect> needs an absolute http or https address');
    return { name: 'Redirect', index, url, method: a.text('method').toUpperCase(), tag: a.text('tag') };
  },
};

export const redirectPerformer: Performer<Redirect> = {
  needs: 'nothing',
  begin: ({ url, method }, call, running) => {
    if (!documentsLeft(call))
      return [hangup('document', 'too-many-documents'), end(running, false, 'too-many-documents')];
    const address = withQuery(url, { from: call.from, to: call.to, call: call.id, ...metaQuery(call) });
    return [request(call, { purpose: 'redirect', url: address, method }), end(running, true, 'redirected')];
  },
  on: () => [],
};
