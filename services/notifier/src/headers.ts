/**
 * Headers that a document asks for, as they may be sent. The parser of documents refuses them too; here they are judged
 * again, since a journal holds what an older parser let pass. It refuses what only the platform says, what belongs to the
 * connection (RFC 9110 7.6.1), and whatever could begin a header of its own.
 */

const HEADERS_MAX = 20;
const VALUE_MAX = 4096;
const OURS =
  /^(host|content-length|connection|transfer-encoding|te|trailer|upgrade|keep-alive|proxy-.*|expect|accept-encoding|idempotency-key|x-opentact-.*)$/;
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]{1,64}$/;
const VALUE = /^[\t\x20-\x7e]*$/;

/** Names in lower case; of two with one name the later. */
export function customHeaders(asked: ReadonlyArray<{ name: string; value: string }>): Record<string, string> {
  const fit = asked
    .slice(0, HEADERS_MAX)
    .map(({ name, value }) => [name.toLowerCase(), value] as const)
    .filter(([name, value]) => NAME.test(name) && !OURS.test(name) && VALUE.test(value) && value.length <= VALUE_MAX);
  return Object.fromEntries(fit);
}
