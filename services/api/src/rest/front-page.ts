/**
 * The page at `/`: what this installation is, whether it is ready, how to call it, where its documentation is. To anybody it
 * says what `/ready` says; the calls that live it shows to whoever has the operator's token (as the password of Basic, which
 * a browser asks for at `/calls`, or as Bearer).
 */
import { createHash } from 'node:crypto';
import { isSameToken, type Readiness } from '@opentact/runtime';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Html, html, policyOf, sendPage } from './html.ts';

/** A call that lives, as the page tells it. */
export type LiveCall = { uuid: string; direction: string; from: string; to: string; state: string; since: Date };

/** `sip`, `grpc`: `host:port`. `number`: the demo's, where there is a demo. `liveCalls`: the newest first, so many at most. */
export type Front = {
  sip: string;
  grpc: string;
  number?: string | undefined;
  liveCalls(most: number): Promise<LiveCall[]>;
};

const CALLS_MAX = 100;
const REFRESH_S = 5;

const STYLE = `:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .25rem 1rem .25rem 0; vertical-align: top; border-bottom: 1px solid #8884; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
pre { overflow-x: auto; padding: .75rem; border: 1px solid #8884; }
.bad { color: #c22; }
`;
const POLICY = policyOf({ 'style-src': `'sha256-${createHash('sha256').update(STYLE).digest('base64')}'` });

/** @param found what `/ready` says @param calls undefined: whoever asks may not see them */
export function pageOf(of: Omit<Front, 'liveCalls'>, found: Readiness, calls: LiveCall[] | undefined): Html {
  const checks = Object.entries(found.checks).map(
    ([name, said]) => html`<tr><td>${name}</td><td${said === 'ok' ? html`` : html` class="bad"`}>${said}</td></tr>\n`,
  );
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${calls ? html`<meta http-equiv="refresh" content="${REFRESH_S}">` : html``}
<title>Opentact</title>
<style>${{ html: STYLE }}</style>
</head>
<body>
<h1>Opentact</h1>
<p>${found.ready ? 'A call would be answered.' : html`<strong class="bad">A call would not be answered.</strong>`}</p>
<h2>Health</h2>
<table>
${checks}</table>
<h2>Live calls</h2>
${callsOf(calls)}
<h2>How to call</h2>
${howToCall(of)}
<h2>More</h2>
<ul>
<li><a href="/docs">The REST API</a>, and the same for programs: <a href="/rest/openapi.json">openapi.json</a></li>
<li><a href="/ready">/ready</a> and <a href="/health">/health</a>, for monitoring</li>
<li>gRPC at <code>${of.grpc}</code>, with reflection</li>
</ul>
</body>
</html>
`;
}

function callsOf(calls: LiveCall[] | undefined): Html {
  if (!calls)
    return html`<p><a href="/calls">Show them</a>: it asks for the operator's token as a password, with any name (<code>operator.token</code>
in the home, or <code>OPENTACT_GRPC_TOKEN</code>). An account sees its own at <code>GET /rest/call/online</code>.</p>`;
  if (calls.length === 0) return html`<p>None at the moment.</p>`;
  const rows = calls.map(
    ({ uuid, direction, from, to, state, since }) =>
      html`<tr><td>${since.toISOString().slice(11, 19)}</td><td>${direction}</td><td>${from}</td><td>${to}</td><td>${state}</td><td><code>${uuid}</code></td></tr>\n`,
  );
  const most = calls.length === CALLS_MAX ? html`<p>The newest ${CALLS_MAX}.</p>` : html``;
  return html`<table>
<tr><th>since (UTC)</th><th></th><th>from</th><th>to</th><th>state</th><th>call</th></tr>
${rows}</table>
${most}`;
}

const howToCall = ({ sip, number }: Pick<Front, 'sip' | 'number'>): Html =>
  number === undefined
    ? html`<p>From a SIP phone: <code>sip:NUMBER@${sip}</code>, with a number that an account has.</p>`
    : html`<p>From any SIP phone: <code>sip:${number}@${sip}</code>. Without one, in the clone:</p>
<pre>npm run call -- --press 1</pre>`;

/** The routes `/`, `/calls` and `/docs`. @param token the operator's; undefined: nobody sees calls here */
export function addFrontPage(
  http: FastifyInstance,
  of: Front,
  token: string | undefined,
  ready: () => Promise<Readiness>,
): void {
  const page = async () => pageOf(of, await ready(), undefined);
  http.get('/docs', async (_, reply) => reply.redirect('/rest/docs'));
  http.get('/', async (_, reply) => sendPage(reply, await page(), POLICY));
  http.get('/calls', async (request, reply) => {
    if (token !== undefined && isOperator(request, token))
      return sendPage(reply, pageOf(of, await ready(), await of.liveCalls(CALLS_MAX)), POLICY);
    reply.code(401).header('www-authenticate', 'Basic realm="Opentact, with the operator token as password"');
    return sendPage(reply, await page(), POLICY);
  });
}

function isOperator({ headers }: FastifyRequest, token: string): boolean {
  const [scheme = '', value = ''] = (headers.authorization ?? '').split(' ');
  if (/^bearer$/i.test(scheme)) return isSameToken(value, token);
  if (!/^basic$/i.test(scheme)) return false;
  return isSameToken(
    Buffer.from(value, 'base64')
      .toString()
      .replace(/^[^:]*:/, ''),
    token,
  );
}
