/** A customer's HTTP server for tests: answers as told, can hold an answer back, and remembers every request. */

import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export type Asked = {
  method: string;
  path: string;
  /** Path and query as they came. */
  target: string;
  query: Record<string, string>;
  idempotencyKey: string;
  body: string;
  headers: IncomingMessage['headers'];
  at: number;
};

/** An answer: XML text, a status, or anything done with the response itself. */
export type Reply = string | number | ((response: ServerResponse, asked: Asked) => void | Promise<void>);

export type Customer = {
  url: string;
  port: number;
  asked: Asked[];
  /** What a path answers from now on. */
  on(path: string, reply: Reply): void;
  /** Requests of a path, and how many different idempotency keys they carry. */
  count(path: string): { requests: number; keys: number };
  close(): Promise<void>;
};

/** Did the platform sign this request, for this server and with the app's secret? As README.md tells customers to check. */
export function isSigned(asked: Asked, origin: string, secret: string): boolean {
  const { method, target, idempotencyKey, body, headers } = asked;
  const key = createHmac('sha256', secret).update(origin).digest();
  const text = [headers['x-opentact-timestamp'], method, `${origin}${target}`, idempotencyKey, body].join('\n');
  return headers['x-opentact-signature'] === `v2=${createHmac('sha256', key).update(text).digest('hex')}`;
}

export async function openCustomer(address = '127.0.0.1'): Promise<Customer> {
  const replies = new Map<string, Reply>();
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://x');
    const one: Asked = {
      method: request.method ?? '',
      path: pathname,
      target: request.url ?? '',
      query: Object.fromEntries(searchParams),
      idempotencyKey: String(request.headers['idempotency-key'] ?? ''),
      body,
      headers: request.headers,
      at: Date.now(),
    };
    asked.push(one);
    const reply = replies.get(pathname) ?? 404;
    if (typeof reply === 'function') await reply(response, one);
    else if (typeof reply === 'number') response.writeHead(reply).end();
    else response.writeHead(200, { 'content-type': 'application/xml' }).end(reply);
  });
  server.listen(0, address);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    url: `http://${address}:${port}`,
    port,
    asked,
    on: (path, reply) => void replies.set(path, reply),
    count(path) {
      const mine = asked.filter((a) => a.path === path);
      return { requests: mine.length, keys: new Set(mine.map((a) => a.idempotencyKey)).size };
    },
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
