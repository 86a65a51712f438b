/**
 * Answers whether the process lives (`GET /health`) and whether it can do its work (`GET /ready`, each check by name).
 * It refuses every path that nobody answers and keeps no connection open.
 */
import { chmod } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { claimSocketPath } from './socket-path.ts';

/** Says what is wrong; undefined: nothing. */
export type Check = () => Promise<string | undefined> | string | undefined;

export type Readiness = { ready: boolean; checks: Record<string, string> };

const CHECK_DEADLINE_MS = 2000;

async function runCheck(check: Check): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((done) => {
    timer = setTimeout(done, CHECK_DEADLINE_MS, `no answer within ${CHECK_DEADLINE_MS} ms`);
  });
  try {
    return await Promise.race([Promise.resolve().then(check), late]);
  } catch (error) {
    return (error as Error).message;
  } finally {
    clearTimeout(timer);
  }
}

/** Runs all checks at once. A check that throws or is silent counts as failed, with its message. */
export async function readiness(checks: Record<string, Check>): Promise<Readiness> {
  const found = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, await runCheck(check)] as const),
  );
  return {
    ready: found.every(([, fault]) => fault === undefined),
    checks: Object.fromEntries(found.map(([name, fault]) => [name, fault ?? 'ok'])),
  };
}

/** The two paths as a plain request listener, for a server that has others too. @returns false where the path is neither. */
export function answerHealth(checks: Record<string, Check>): (...args: Parameters<RequestListener>) => boolean {
  return (request, response) => {
    const path = request.url?.split('?')[0];
    if (path !== '/health' && path !== '/ready') return false;
    const say = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(JSON.stringify(body));
    if (path === '/health') say(200, { alive: true });
    else void readiness(checks).then((found) => say(found.ready ? 200 : 503, found));
    return true;
  };
}

/**
 * Serves both paths.
 * @param listen a port on `host` (default loopback), or the path of a unix socket.
 * @param also answers other paths, where it returns true.
 * @throws Error where the port or path is taken.
 */
export async function serveHealth(
  listen: number | string,
  checks: Record<string, Check>,
  also: (...args: Parameters<RequestListener>) => boolean = () => false,
  host = '127.0.0.1',
): Promise<{ port: number; close(): Promise<void> }> {
  const answer = answerHealth(checks);
  const server = createServer((request, response) => {
    if (!answer(request, response) && !also(request, response)) response.writeHead(404, { connection: 'close' }).end();
  });
  if (typeof listen === 'string') await claimSocketPath(listen);
  await new Promise<void>((done, failed) => {
    server.once('error', failed);
    if (typeof listen === 'string') server.listen(listen, done);
    else server.listen(listen, host, done);
  });
  if (typeof listen === 'string') await chmod(listen, 0o600);
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    close: () => new Promise((done) => server.close(() => done())),
  };
}
