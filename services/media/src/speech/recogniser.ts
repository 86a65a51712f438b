// The port through which a recording becomes words, and its adapter: one POST of the WAV file, answered by JSON.
// It refuses redirects, answers beyond 64 KiB or a minute, and to try again what the recogniser refused.
import { openAsBlob } from 'node:fs';
import { setTimeout as later } from 'node:timers/promises';
import { statOf } from '../audio/recording-file.ts';

/** Any recogniser. `lang` is BCP 47. Rejects with NotRecognised, and with the signal's reason where that is aborted. */
export type Recogniser = {
  recognise(wavFile: string, lang: string, signal: AbortSignal): Promise<string>;
};

/** As `TranscriptFailed` says it. `detail` is for the log: it holds neither the token nor the address. */
export class NotRecognised extends Error {
  override name = 'NotRecognised';
  readonly reason: 'recogniser' | 'timeout' | 'no-recording';

  constructor(reason: NotRecognised['reason'], detail: string) {
    super(detail);
    this.reason = reason;
  }
}

export type HttpRecogniserOptions = {
  url: string;
  /** Bearer token; never logged. */
  token?: string | undefined;
  /** Milliseconds for one try, and before each further one. */
  timeoutMs?: number;
  backOffMs?: readonly number[];
};

const TIMEOUT_MS = 60_000;
const BACK_OFF_MS = [500, 2000];
const ANSWER_BYTES_MAX = 64 * 1024;

/** Worth another try: the recogniser is away, or says that it is not well. */
class Unwell extends NotRecognised {}

/** `POST <url>?lang=en-US`, body and type of a WAV file; `{"text": "…"}` comes back. */
export function httpRecogniser(options: HttpRecogniserOptions): Recogniser {
  const { url, token, timeoutMs = TIMEOUT_MS, backOffMs = BACK_OFF_MS } = options;
  async function once(wav: Blob, lang: string, signal: AbortSignal): Promise<string> {
    // Behind the operator's own query, which stays as it was written.
    const question = `${url}${url.includes('?') ? '&' : '?'}lang=${encodeURIComponent(lang)}`;
    const response = await fetch(question, {
      method: 'POST',
      headers: { 'content-type': 'audio/wav', ...(token && { authorization: `Bearer ${token}` }) },
      body: wav,
      redirect: 'manual',
      signal,
    });
    if (response.status === 200) return textOf(await readBounded(response));
    await response.body?.cancel();
    const Failure = response.status >= 500 ? Unwell : NotRecognised;
    throw new Failure('recogniser', `status ${response.status}`);
  }
  async function attempt(wav: Blob, lang: string, signal: AbortSignal): Promise<string> {
    const tooLate = AbortSignal.timeout(timeoutMs);
    try {
      return await once(wav, lang, AbortSignal.any([signal, tooLate]));
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof NotRecognised) throw error;
      if (tooLate.aborted) throw new NotRecognised('timeout', `no answer in ${timeoutMs} ms`);
      throw new Unwell('recogniser', codeOf(error));
    }
  }
  return {
    async recognise(wavFile, lang, signal) {
      if (!(await statOf(wavFile))?.isFile()) throw new NotRecognised('no-recording', 'no such file');
      const wav = await openAsBlob(wavFile);
      for (let tries = 0; ; tries++) {
        try {
          return await attempt(wav, lang, signal);
        } catch (error) {
          const pause = backOffMs[tries];
          if (!(error instanceof Unwell) || pause === undefined) throw error;
          await later(pause, undefined, { signal });
        }
      }
    },
  };
}

/** Why there was no answer at all, without the address that the whole message would name. */
function codeOf(error: unknown): string {
  const { cause } = error as { cause?: { code?: unknown } };
  return typeof cause?.code === 'string' ? cause.code : 'no connection';
}

async function readBounded(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > ANSWER_BYTES_MAX) throw new NotRecognised('recogniser', 'more than 64 KiB');
    parts.push(part);
  }
  return Buffer.concat(parts, length).toString();
}

/** The words of an answer. Half a character or a NUL in them would hurt whoever stores them. */
function textOf(body: string): string {
  try {
    const { text } = JSON.parse(body) as { text?: unknown };
    if (typeof text === 'string') return text.toWellFormed().replaceAll('\0', '').trim();
  } catch {
    // As below.
  }
  throw new NotRecognised('recogniser', 'an answer that is no {"text": "…"}');
}
