/** Whom a Dial, or a call ordered by API, may ring, as text. No header, parameter or control character can hide in it. */

const NUMBER = /^\+?[0-9][0-9 ().-]{0,30}$/;
const ADDRESS =
  /^(?:sip:)?([A-Za-z0-9_.!~*'()&=+$,;?/%-]{1,128})@(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,253})(?::([0-9]{1,5}))?(;transport=(?:udp|tcp))?$/;

/** `tel:<digits>` of a phone number; undefined where it is none. */
export const numberTarget = (text: string): string | undefined =>
  NUMBER.test(text) ? `tel:${text.replace(/[^0-9]/g, '')}` : undefined;

/** `sip:user@host[:port][;transport=…]`; undefined where it is no such address. */
export function addressTarget(text: string): string | undefined {
  const [, user, host, port, transport = ''] = ADDRESS.exec(text) ?? [];
  if (!user || !host || Number(port ?? 0) > 65535) return undefined;
  return `sip:${user}@${host}${port ? `:${port}` : ''}${transport}`;
}
