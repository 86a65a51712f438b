/**
 * `GET /prompt?url=…` for media: the audio behind a customer's URL through the same door, streamed, 16 MiB at most. It
 * keeps nothing; what media needs to cache by URL and ETag is passed on.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Logger, maskUrl } from '@opentact/runtime';
import type { Door, DoorAnswer } from './door/door.ts';
import type { Gate } from './door/gate.ts';
import { DoorError, type Refusal, refusalOf } from './door/refusals.ts';

const BYTES_MAX = 16 * 1024 * 1024;
const FIRST_BYTE_MS = 5000;
const TOTAL_MS = 60_000;

const STATUS: Record<Refusal, number> = {
  'refused-address': 403,
  'bad-url': 400,
  timeout: 504,
  'too-large': 413,
  connect: 502,
  redirects: 502,
  http: 502,
};
const PASSED_DOWN = ['content-type', 'content-length', 'etag', 'last-modified', 'cache-control'];
const PASSED_UP = ['if-none-match', 'if-modified-since'];

/** Ends by `too-large` past the limit, whatever Content-Length promised. */
function limit(bytesMax: number): Transform {
  let length = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, next) {
      length += chunk.byteLength;
      if (length > bytesMax) next(new DoorError('too-large', `more than ${bytesMax} bytes`));
      else next(null, chunk);
    },
  });
}

function conditions(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    PASSED_UP.flatMap((name) => (typeof request.headers[name] === 'string' ? [[name, request.headers[name]]] : [])),
  );
}

async function passOn(answer: DoorAnswer, response: ServerResponse): Promise<void> {
  const { status, headers, body } = answer;
  body.on('error', () => {}); // Also told to the pipeline, or of no interest any more.
  if (status !== 200 && status !== 304) throw new DoorError('http', `status ${status}`, { status });
  if (Number(headers['content-length'] ?? 0) > BYTES_MAX)
    throw new DoorError('too-large', `more than ${BYTES_MAX} bytes`);
  const kept = Object.fromEntries(PASSED_DOWN.flatMap((name) => (headers[name] ? [[name, headers[name]]] : [])));
  response.writeHead(status, kept);
  await pipeline(body, limit(BYTES_MAX), response);
}

/** One request of media's. A refusal is JSON `{reason, detail, status}`; one after the first byte cuts the connection. */
async function answerPrompt(
  of: { door: Door; gate: Gate; log: Logger },
  request: IncomingMessage,
  response: ServerResponse,
) {
  const url = new URL(request.url ?? '/', 'http://here').searchParams.get('url') ?? '';
  const left = new AbortController();
  response.on('close', () => left.abort(new DoorError('connect', 'media left')));
  let leave = () => {};
  let answer: DoorAnswer | undefined;
  try {
    leave = await of.gate.enter(`prompt ${URL.canParse(url) ? new URL(url).origin : ''}`, FIRST_BYTE_MS);
    const headers = () => ({ accept: 'audio/*, */*;q=0.5', ...conditions(request) });
    const limits = { firstByteMs: FIRST_BYTE_MS, totalMs: TOTAL_MS, signal: left.signal };
    answer = await of.door.open({ url, method: 'GET', body: '', headers, ...limits });
    await passOn(answer, response);
  } catch (error) {
    const { reason, message: detail, status } = refusalOf(error);
    of.log.info({ url: maskUrl(url), reason, detail }, 'prompt refused');
    if (response.headersSent) response.destroy();
    else
      response
        .writeHead(STATUS[reason], { 'content-type': 'application/json' })
        .end(JSON.stringify({ reason, detail, status }));
  } finally {
    answer?.body.destroy();
    answer?.done();
    leave();
  }
}

/** Serves prompts. @param token required as bearer, where given. @returns the server, listening, and its port. */
export async function servePrompts(of: {
  door: Door;
  gate: Gate;
  log: Logger;
  host: string;
  token: string | undefined;
}): Promise<{ server: Server; port: number }> {
  const server = createServer((request, response) => {
    const refuse = (status: number) => response.writeHead(status, { connection: 'close' }).end();
    if (of.token && request.headers.authorization !== `Bearer ${of.token}`) refuse(401);
    else if (request.method !== 'GET' || !request.url?.startsWith('/prompt?')) refuse(404);
    else void answerPrompt(of, request, response);
  });
  await new Promise<void>((done, failed) => {
    server.once('error', failed);
    server.listen(0, of.host, done);
  });
  return { server, port: (server.address() as { port: number }).port };
}
