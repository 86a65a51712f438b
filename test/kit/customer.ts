/** A customer's HTTP server for tests: answers as told, can hold an answer back, and remembers every request. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export type Asked = {
  method: string;
  path: string;
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
