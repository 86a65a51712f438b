/** Pages for people: what is put into one is escaped, and its policy lets nothing in that isn't named. */
import type { FastifyReply } from 'fastify';

/** Text that is HTML already. */
export type Html = { readonly html: string };

const SIGNS: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escaped = (text: string) => text.replace(/[&<>"']/g, (sign) => SIGNS[sign]!);

type Part = string | number | Html | readonly Html[];
const textOf = (part: Part): string => {
  if (typeof part === 'string' || typeof part === 'number') return escaped(String(part));
  return 'html' in part ? part.html : part.map(({ html: text }) => text).join('');
};

/** A template of HTML: strings and numbers in it are escaped, other HTML is taken as it is. */
export const html = (text: TemplateStringsArray, ...parts: Part[]): Html => ({
  html: String.raw({ raw: text }, ...parts.map(textOf)),
});

const NOTHING = {
  'default-src': "'none'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
};

/** A Content-Security-Policy by which a page loads, sends and is framed by nothing but what `allowed` says. */
export const policyOf = (allowed: Record<string, string>): string =>
  Object.entries({ ...NOTHING, ...allowed })
    .map(([what, from]) => `${what} ${from}`)
    .join('; ');

export const sendPage = (reply: FastifyReply, page: Html, policy: string) =>
  reply
    .type('text/html; charset=utf-8')
    .header('content-security-policy', policy)
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer')
    .header('cache-control', 'no-store')
    .send(page.html);
