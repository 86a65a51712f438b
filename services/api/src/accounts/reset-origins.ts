/** Where the link of a reset may lead: whoever asks for the mail chooses it, and whoever follows it gives the token away. */
import { type Config, isLoopback } from '@opentact/runtime';

/**
 * An origin of OPENTACT_RESET_ORIGINS. Without any: a page of this machine, where nobody but this machine can ask; behind
 * a proxy that is named, none.
 */
export function mayResetLeadTo(
  origin: string,
  { resetOrigins, bind, trustedProxies }: Pick<Config, 'resetOrigins' | 'bind' | 'trustedProxies'>,
): boolean {
  if (resetOrigins.length > 0) return resetOrigins.includes(origin);
  if (!isLoopback(bind) || trustedProxies.length > 0) return false;
  const host = new URL(origin).hostname.replace(/^\[|\]$/g, '');
  return host === 'localhost' || (/^[0-9a-f.:]+$/i.test(host) && isLoopback(host));
}
