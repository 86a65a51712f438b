/** The documentation as a page (`/rest/docs`): Redoc, from its own package, draws the OpenAPI document. It asks no other address. */
import { createReadStream } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { html, policyOf, sendPage } from '../html.ts';

const BUNDLE = fileURLToPath(import.meta.resolve('redoc/bundles/redoc.standalone.js'));

/** Redoc fills empty style elements by script: the hash is that of an empty one. Its search is a worker made of a blob. */
const POLICY = policyOf({
  'script-src': "'self'",
  'style-src': "'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
  'img-src': "'self' data:",
  'connect-src': "'self'",
  'worker-src': 'blob:',
});

const START = `Redoc.init('openapi.json', {
  hideLoading: true,
  nativeScrollbars: true,
  requiredPropsFirst: true,
  hideSchemaTitles: false,
  schemasExpansionLevel: 1,
  theme: { rightPanel: { backgroundColor: '#1f2933' }, colors: { primary: { main: '#0b5cad' } } },
}, document.getElementById('docs'));
`;
const STYLE = `body { margin: 0; font-family: system-ui, sans-serif; }
noscript { display: block; padding: 2rem; }
`;
const PAGE = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Opentact REST API</title>
<link rel="stylesheet" href="docs/style.css">
</head>
<body>
<noscript>This page is drawn by a script. What it draws is <a href="openapi.json">openapi.json</a>.</noscript>
<div id="docs"></div>
<script src="docs/redoc.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
`;

/** Below the prefix of the API: the page with what it loads, and the ways to it. */
export function documentation(http: FastifyInstance): void {
  const hidden = { schema: { hide: true } };
  const page = `${http.prefix}/docs`;
  for (const path of ['/', '/docs/']) http.get(path, hidden, async (_, reply) => reply.redirect(page));
  http.get('/docs', hidden, async (_, reply) => sendPage(reply, PAGE, POLICY));
  const asset = (name: string, type: string, content: () => unknown) =>
    http.get(`/docs/${name}`, hidden, async (_, reply) =>
      reply
        .type(type)
        .header('cache-control', 'max-age=3600')
        .header('x-content-type-options', 'nosniff')
        .send(content()),
    );
  asset('redoc.js', 'text/javascript; charset=utf-8', () => createReadStream(BUNDLE));
  asset('start.js', 'text/javascript; charset=utf-8', () => START);
  asset('style.css', 'text/css; charset=utf-8', () => STYLE);
}
