/** Customers' servers for tests, and a door to them. Only loopback addresses; names are resolved by the test. */
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { TestContext } from 'node:test';
import type { FactOf } from '@opentact/proto';
import { parseAllowList } from '@opentact/runtime';
import { fetchDocument } from '../documents.ts';
import { createDoor } from '../door/door.ts';
import { createGate } from '../door/gate.ts';

export const KEY = Buffer.from('a signing key');
const NAMES: Record<string, string[]> = { 'good.test': ['127.0.0.1'], 'both.test': ['127.0.0.1', '127.0.0.2'] };

export async function serve(t: TestContext, listener: RequestListener, host = '127.0.0.1'): Promise<number> {
  const server = createServer(listener);
  await new Promise<void>((done) => server.listen(0, host, done));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

export function fetching(t: TestContext, allow = '127.0.0.1') {
  const door = createDoor({
    allowed: parseAllowList(allow),
    userAgent: 'Opentact/test',
    resolve: async (name) => {
      const found = NAMES[name];
      if (!found) throw new Error('ENOTFOUND');
      return found.map((address) => ({ address, family: 4 }));
    },
  });
  t.after(() => door.close());
  return { door, gate: createGate(), keyOf: async () => KEY, now: Date.now };
}

export const request = (url: string, over: Partial<FactOf<'DocumentRequested'>> = {}): FactOf<'DocumentRequested'> => ({
  type: 'DocumentRequested',
  document: 1,
  purpose: 'flow',
  url,
  method: 'GET',
  timeoutMs: 1000,
  body: '',
  idempotencyKey: 'call-7',
  appId: 'app',
  headers: [],
  ...over,
});
export const never = new AbortController().signal;
export async function fetchFrom(t: TestContext, url: string, over = {}, allow?: string) {
  return fetchDocument(fetching(t, allow), request(url, over), 'acme', never);
}
/** The refusal of a fetch, as `reason status`. */
export async function refusal(t: TestContext, url: string, over = {}, allow?: string): Promise<string> {
  const fact = await fetchFrom(t, url, over, allow);
  return fact.type === 'DocumentFailed' ? `${fact.reason} ${fact.status}` : `fetched ${fact.body}`;
}
export async function bodyOf(incoming: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of incoming) body += chunk;
  return body;
}
