/**
 * The demo customer: a server as a customer would write one. It shows each callback it got, checks that it is really
 * from us, and answers with a short document.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { configOrExit } from '@opentact/runtime';
import type { Demo } from './demo.ts';

const BODY_BYTES_MAX = 64 * 1024;
const ANSWER = `<?xml version="1.0" encoding="UTF-8"?>
<Response>
    <Say>The demo customer heard you.</Say>
</Response>
`;

const config = configOrExit('demo-customer', process.env, process.argv.slice(2));
const isQuiet = process.argv.includes('--quiet');
const { signingKey }: Demo = JSON.parse(await readFile(join(config.home, 'demo.json'), 'utf8'));

/** How this server is reached: what a request is signed for. */
const ORIGIN = `http://127.0.0.1:${config.demoPort}`;
const KEY = createHmac('sha256', signingKey).update(ORIGIN).digest();
/** A request that was overheard is of no use later. */
const AGE_S_MAX = 300;

function isSigned({ method, url, headers }: IncomingMessage, body: string): boolean {
  const timestamp = String(headers['x-opentact-timestamp']);
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) <= AGE_S_MAX)) return false;
  const text = [timestamp, method, `${ORIGIN}${url}`, headers['idempotency-key'] ?? '', body].join('\n');
  const want = Buffer.from(`v2=${createHmac('sha256', KEY).update(text).digest('hex')}`);
  const given = Buffer.from(String(headers['x-opentact-signature'] ?? ''));
  return given.length === want.length && timingSafeEqual(given, want);
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = '';
  for await (const chunk of request) {
    body += chunk;
    if (body.length > BODY_BYTES_MAX) return void response.writeHead(413).end();
  }
  const signed = isSigned(request, body);
  const fields = new URL(request.url ?? '/', 'http://customer').searchParams;
  const shown = [...fields].map(([name, value]) => `${name}=${value}`).join(' ');
  if (!isQuiet)
    process.stdout.write(
      `demo customer: ${request.method} ${shown || request.url} ${body} (${signed ? 'signed by Opentact' : 'NOT signed'})\n`,
    );
  response.writeHead(signed ? 200 : 401, { 'content-type': 'application/xml' }).end(signed ? ANSWER : '');
}

process.stdout.on('error', () => {}); // Nobody looks any more.
const server = createServer((request, response) => {
  answer(request, response).catch(() => response.destroy());
});
server.listen(config.demoPort, '127.0.0.1');
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    server.closeAllConnections();
    server.close();
    process.exit(0);
  });
