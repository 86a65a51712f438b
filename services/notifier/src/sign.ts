/**
 * How a customer's server knows that a request is ours, and meant for it: HMAC-SHA256 over everything that the request asks
 * for, with a key of that server's origin. It refuses nothing; who may be signed for is the door's to say.
 */
import { createHmac } from 'node:crypto';

/** What is signed, as it is sent. */
export type Signed = {
  method: string;
  /** Absolute, without credentials and fragment: origin and request target. */
  url: string;
  idempotencyKey: string;
  /** Of a GET: empty. */
  body: string;
};

/** The key of one receiving origin: whoever holds it can sign for no other. */
export const originKey = (secret: Uint8Array, origin: string): Buffer =>
  createHmac('sha256', secret).update(origin).digest();

/**
 * Headers of one request.
 * @param secret the app's
 * @param at ms since the epoch; the header holds whole seconds
 */
export function signatureHeaders(secret: Uint8Array, signed: Signed, at: number): Record<string, string> {
  const timestamp = String(Math.floor(at / 1000));
  const { method, url, idempotencyKey, body } = signed;
  const text = [timestamp, method, url, idempotencyKey, body].join('\n');
  const key = originKey(secret, new URL(url).origin);
  return {
    'x-opentact-timestamp': timestamp,
    'x-opentact-signature': `v2=${createHmac('sha256', key).update(text).digest('hex')}`,
  };
}
