/** The documents of calls that are only handed on: to a customer's own equipment, or out by the trunk. Pure. */

/** Carriers ring for a minute or more; whoever is handed on decides for themselves how long. */
const RING_MS = 120_000;

const CODES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };
const escaped = (text: string) => text.replace(/[&<>"']/g, (character) => CODES[character]!);

/** @param from the caller id that is shown; absent: the caller's own */
const dial = (target: string, from?: string) =>
  `<Response><Dial timeout="${RING_MS}" hangup_on_bye="true"${from ? ` from="${escaped(from)}"` : ''}>${target}</Dial></Response>`;

/** To `user` at an address. */
export const relayTo = (user: string, host: string, port: number): string =>
  dial(`<Sip>${escaped(user)}@${escaped(host)}:${port}</Sip>`);

/** To a telephone number, by the account's trunk. */
export const relayOut = (number: string, from?: string): string => dial(`<Number>${escaped(number)}</Number>`, from);
