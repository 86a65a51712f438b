/** The documents of calls that are only handed on: to a customer's own equipment. Pure. */

/** Carriers ring for a minute or more; whoever is handed on decides for themselves how long. */
const RING_MS = 120_000;

const CODES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };
const escaped = (text: string) => text.replace(/[&<>"']/g, (character) => CODES[character]!);

const dial = (target: string) =>
  `<Response><Dial timeout="${RING_MS}" hangup_on_bye="true">${target}</Dial></Response>`;

/** To `user` at an address. */
export const relayTo = (user: string, host: string, port: number): string =>
  dial(`<Sip>${escaped(user)}@${escaped(host)}:${port}</Sip>`);
