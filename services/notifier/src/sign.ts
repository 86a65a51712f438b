/** How a customer's server knows that a request is ours: HMAC-SHA256 over `timestamp.body` with its app's key. */
import { createHmac } from 'node:crypto';

/** Headers over the body that is sent (empty for a GET). @param at ms since the epoch; the header holds whole seconds. */
export function signatureHeaders(key: Uint8Array, body: string, at: number): Record<string, string> {
  const timestamp = String(Math.floor(at / 1000));
  return {
    'x-opentact-timestamp': timestamp,
    'x-opentact-signature': createHmac('sha256', key).update(`${timestamp}.${body}`).digest('hex'),
  };
}
