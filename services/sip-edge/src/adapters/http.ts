// The edge's own HTTP: /health, /ready, and the SIP messages of a call at GET /calls/<id>/sip.
// On loopback or a socket file of its own user's only; it refuses every other path and method.

import { chmod } from 'node:fs/promises';
import { createServer } from 'node:http';
import { answerHealth, type Check, claimSocketPath } from '@opentact/runtime';
import type { TracedMessage } from '../edge/trace.ts';

const CALL_PATH = /^\/calls\/([0-9a-f-]{36})\/sip$/;

export type EdgeHttp = { readonly port: number; close(): Promise<void> };

/** @param at a port of the loopback (0: any free one) or the path of a socket file. @throws where it is taken. */
export async function serveHttp(
  at: number | string,
  checks: Record<string, Check>,
  messages: (callId: string) => TracedMessage[] | undefined,
): Promise<EdgeHttp> {
  const health = answerHealth(checks);
  const server = createServer((request, response) => {
    if (health(request, response)) return;
    const say = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(JSON.stringify(body));
    const callId = request.method === 'GET' ? CALL_PATH.exec(request.url ?? '')?.[1] : undefined;
    if (callId === undefined) return void say(404, { error: 'no such path' });
    // Any leg's uuid finds its call: the leg number stands in the low 16 bits.
    const found = messages(`${callId.slice(0, -4)}0000`);
    if (found) say(200, { callId, messages: found });
    else say(404, { error: 'no messages of this call are kept here' });
  });
  if (typeof at === 'string') await claimSocketPath(at);
  await new Promise<void>((done, failed) => {
    server.once('error', failed);
    if (typeof at === 'string') server.listen(at, done);
    else server.listen(at, '127.0.0.1', done);
  });
  if (typeof at === 'string') await chmod(at, 0o600);
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    close: () => new Promise((done) => server.close(() => done())),
  };
}
