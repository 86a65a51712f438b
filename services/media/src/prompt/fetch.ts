// Prompts by URL, asked of the notifier (the only door to customers' servers) over loopback HTTP.
// It refuses more than 16 MiB, answers that take over 65 s, and every status but 200 and 304.

/** What came: the body, or `unchanged` where the ETag we named still holds. */
export type FetchedPrompt = { unchanged: true } | { unchanged: false; bytes: Buffer; etag: string };

/** Whose fetch it is, what gives it up, and who is told of each byte that is held: by throwing, he has no room for it. */
export type FetchFor = { account: string; signal: AbortSignal; take(bytes: number): void };

/** The port. `etag`: of the copy we have, else empty. A rejection becomes `PlayFailed{reason: 'fetch'}`. */
export type FetchPrompt = (url: string, etag: string, by: FetchFor) => Promise<FetchedPrompt>;

export const PROMPT_BYTES_MAX = 16 * 1024 * 1024;
/** A little longer than the notifier gives itself, so that its reason arrives. */
const DEADLINE_MS = 65_000;

/**
 * Asks a notifier, which serves `GET /prompt?url=…&account=…`.
 * @param gateFor the notifier to ask for a URL, as `http://127.0.0.1:8091`; undefined where none lives
 * @param token bearer token of the platform, where it has one
 */
export function fetchThroughGate(gateFor: (url: string) => string | undefined, token?: string): FetchPrompt {
  return async (url, etag, by) => {
    const gate = gateFor(url);
    if (!gate) throw new Error('no notifier lives');
    const question = new URL('/prompt', gate);
    question.searchParams.set('url', url);
    question.searchParams.set('account', by.account);
    const response = await fetch(question, {
      headers: { ...(etag && { 'if-none-match': etag }), ...(token && { authorization: `Bearer ${token}` }) },
      redirect: 'error',
      signal: AbortSignal.any([by.signal, AbortSignal.timeout(DEADLINE_MS)]),
    });
    if (response.status === 304) return { unchanged: true };
    if (response.status !== 200)
      throw new Error(refusalOf(response.status, (await readBounded(response, by)).toString()));
    return { unchanged: false, bytes: await readBounded(response, by), etag: response.headers.get('etag') ?? '' };
  };
}

/** Where no gate is configured. */
export const noGate: FetchPrompt = () => Promise.reject(new Error('no notifier is configured'));

/** The notifier's `{reason, detail}`, else whatever it said. */
function refusalOf(status: number, body: string): string {
  try {
    const { reason, detail } = JSON.parse(body) as { reason: string; detail: string };
    return `${reason}: ${detail}`;
  } catch {
    return `status ${status} ${body.slice(0, 200)}`.trim();
  }
}

async function readBounded(response: Response, { take }: FetchFor): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > PROMPT_BYTES_MAX) throw new Error('more than 16 MiB');
    take(part.length);
    parts.push(part);
  }
  return Buffer.concat(parts, length);
}
