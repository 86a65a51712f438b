/** Whom a Dial, or a call ordered by API, may ring, as people write it. No header or control character can hide in it. */
import { writtenNumber } from '@opentact/numbering';

const ADDRESS =
  /^(?:sip:)?([A-Za-z0-9_.!~*'()&=+$,;?/%-]{1,128})@(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,253})(?::([0-9]{1,5}))?((?:;[A-Za-z]{1,9}=[A-Za-z]{1,5}){0,2})$/i;
const PARAMETERS = /^;(?:transport=(?:udp|tcp)|user=(?:phone|ip))$/;

/** `tel:<digits>` of a phone number as people write it; undefined where it is none. */
export function numberTarget(text: string): string | undefined {
  const number = writtenNumber(text);
  return number && `tel:${number.replace('+', '')}`;
}

const NUMBER_DIGITS_MIN = 7;

/** Whom a callee is shown: a phone number without what only makes it readable; a name or an extension as it stands. */
export function shownNumber(text: string): string {
  const number = writtenNumber(text);
  return number !== undefined && number.length >= NUMBER_DIGITS_MIN ? number : text;
}

/** `sip:user@host[:port][;transport=…][;user=…]`; undefined where it is no such address. */
export function addressTarget(text: string): string | undefined {
  const [, user, host, port, written = ''] = ADDRESS.exec(text) ?? [];
  if (!user || !host || Number(port ?? 0) > 65535) return undefined;
  const parameters = written.toLowerCase().match(/;[^;]+/g) ?? [];
  const names = new Set(parameters.map((parameter) => parameter.split('=', 1)[0]));
  if (names.size < parameters.length || !parameters.every((parameter) => PARAMETERS.test(parameter))) return undefined;
  return `sip:${user}@${host}${port ? `:${port}` : ''}${parameters.join('')}`;
}
