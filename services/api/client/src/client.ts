/**
 * The REST API for TypeScript: one function per operation of the OpenAPI document (`gen/operations.ts`, generated). A
 * function gives the payload or throws what the API said; it never asks twice.
 */
import { OPERATIONS, type Operations } from './gen/operations.ts';

export type * from './gen/operations.ts';

/** Who asks: nobody, an e-mail with its password, a JWT or API key. */
export type Credentials = { basic?: { email: string; password: string }; token?: string };

export type ClientOptions = Credentials & {
  /** Scheme, host and port, like `http://127.0.0.1:8080`. */
  url: string;
  fetch?: typeof globalThis.fetch;
};

type Name = keyof Operations;
/** What an operation takes: its parameters by name, `body`, `file` for an upload. */
export type Args<N extends Name> = Operations[N]['args'];
/** The payload that an operation gives. */
export type Answer<N extends Name> = Operations[N]['answer'];

export type Client = {
  [N in Name]: Partial<Args<N>> extends Args<N>
    ? (args?: Args<N>) => Promise<Answer<N>>
    : (args: Args<N>) => Promise<Answer<N>>;
} & {
  /** The same API, asked by somebody else. */
  as(credentials: Credentials): Client;
};

/** What the API said where it refused: `fields` holds each wrong parameter by its path, `body.email`. */
export class ApiError extends Error {
  override name = 'ApiError';
  readonly status: number;
  readonly fields: Record<string, { message: string; value?: unknown }>;
  constructor(status: number, message: string, fields: ApiError['fields'] = {}) {
    const wrong = Object.entries(fields).map(([path, { message: fault }]) => `${path} ${fault}`);
    super([`${status} ${message}`, ...wrong].join('; '));
    this.status = status;
    this.fields = fields;
  }
}

type Route = { method: string; path: string; query?: readonly string[]; headers?: readonly string[] };
type Given = Record<string, unknown> & { body?: unknown; file?: string | Blob };

export function createClient(options: ClientOptions): Client {
  const { url, fetch: ask = globalThis.fetch, ...credentials } = options;
  const call = async (of: Route, given: Given = {}): Promise<unknown> => {
    const { headers, body } = contentOf(of, given);
    for (const [name, value] of Object.entries(said(credentials))) headers.set(name, value);
    const response = await ask(new URL(addressOf(of, given), url), { method: of.method, headers, body });
    // A file, like a recording's.
    if (response.ok && !/json/.test(response.headers.get('content-type') ?? '')) return response.blob();
    const answer = (await response.json().catch(() => ({}))) as Envelope;
    if (response.ok && answer.success) return answer.payload;
    throw new ApiError(response.status, answer.message ?? response.statusText, answer.fields);
  };
  const operations = Object.entries(OPERATIONS as Record<string, Route>).map(([name, of]) => [
    name,
    (given?: Given) => call(of, given),
  ]);
  const as = (other: Credentials) => createClient({ url, fetch: ask, ...other });
  return { ...Object.fromEntries(operations), as } as Client;
}

type Envelope = { success?: boolean; payload?: unknown; message?: string; fields?: ApiError['fields'] };

function said({ basic, token }: Credentials): Record<string, string> {
  if (token) return { 'x-auth-token': token };
  if (!basic) return {};
  const bytes = new TextEncoder().encode(`${basic.email}:${basic.password}`);
  return { authorization: `Basic ${btoa(String.fromCodePoint(...bytes))}` };
}

function addressOf({ path, query = [] }: Route, given: Given): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(String(given[name])));
  const asked = query.flatMap((name) =>
    given[name] === undefined ? [] : [[name, String(given[name])] as [string, string]],
  );
  return asked.length > 0 ? `${filled}?${new URLSearchParams(asked)}` : filled;
}

function contentOf(of: Route, { file, body, ...given }: Given): { headers: Headers; body: string | FormData | null } {
  const headers = new Headers();
  for (const name of of.headers ?? []) if (given[name] !== undefined) headers.set(name, String(given[name]));
  if (file !== undefined) {
    const form = new FormData();
    form.append('file', typeof file === 'string' ? new Blob([file]) : file, 'file');
    return { headers, body: form };
  }
  if (body === undefined) return { headers, body: null };
  headers.set('content-type', 'application/json');
  return { headers, body: JSON.stringify(body) };
}
