/**
 * `GET /prompt?url=…&account=…` for media: the audio behind a customer's URL through the same door, streamed, 16 MiB at most. It
 * keeps nothing; what media needs to cache by URL and ETag is passed on.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Duplex, Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { isSameToken, type Logger, maskUrl } from '@opentact/runtime';
import type { Door, DoorAnswer } from './door/door.ts';
import type { Gate } from './door/gate.ts';
import { DoorError, type Refusal, refusalOf } from './door/refusals.ts';
import { codingsOf, isZlib } from './text.ts';

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
  charset: 502,
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

/** What undoes the content codings of a body that begins with `first`. */
function decoders(codings: ReturnType<typeof codingsOf>, first: Buffer): Duplex[] {
  const open = {
    gzip: () => createGunzip(),
    deflate: () => (isZlib(first) ? createInflate() : createInflateRaw()),
    br: () => createBrotliDecompress(),
  };
  return codings.reverse().map((coding) => open[coding]());
}

async function* joined(first: IteratorResult<Buffer>, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  for (let next = first; !next.done; next = await rest.next()) yield next.value;
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
  const codings = codingsOf(headers['content-encoding'], status);
  // Of a coded body the length is another, once it is open.
  const passed = PASSED_DOWN.filter((name) => headers[name] && (codings.length === 0 || name !== 'content-length'));
  const chunks = (body as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  const first = await chunks.next();
  const opened = first.done ? [] : decoders(codings, first.value);
  response.writeHead(status, Object.fromEntries(passed.map((name) => [name, headers[name]])));
  const whole = Readable.from(joined(first, chunks), { objectMode: false });
  await pipeline([whole, limit(BYTES_MAX), ...opened, limit(BYTES_MAX), response]);
}

/** One request of media's. A refusal is JSON `{reason, detail, status}`; one after the first byte cuts the connection. */
async function answerPrompt(
  of: { door: Door; gate: Gate; log: Logger },
  request: IncomingMessage,
  response: ServerResponse,
) {
  const asked = new URL(request.url ?? '/', 'http://here').searchParams;
  const url = asked.get('url') ?? '';
  const account = asked.get('account') ?? '';
  const left = new AbortController();
  response.on('close', () => left.abort(new DoorError('connect', 'media left')));
  let leave = () => {};
  let answer: DoorAnswer | undefined;
  try {
    const server = URL.canParse(url) ? new URL(url).origin : '';
    leave = await of.gate.enter({ account, server }, FIRST_BYTE_MS, left.signal);
    const headers = () => ({ accept: 'audio/*, */*;q=0.5', ...conditions(request) });
    const limits = { firstByteMs: FIRST_BYTE_MS, totalMs: TOTAL_MS, signal: left.signal };
    answer = await of.door.open({ url, account, method: 'GET', body: '', headers, ...limits });
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
    if (of.token && !isSameToken(request.headers.authorization ?? '', `Bearer ${of.token}`)) refuse(401);
    else if (request.method !== 'GET' || !request.url?.startsWith('/prompt?')) refuse(404);
    else void answerPrompt(of, request, response);
  });
  await new Promise<void>((done, failed) => {
    server.once('error', failed);
    server.listen(0, of.host, done);
  });
  return { server, port: (server.address() as { port: number }).port };
}
