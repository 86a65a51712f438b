// Between SIP statuses, Q.850 causes and the reasons of the story (RFC 3398 8, RFC 3326).

import { decimal } from '../stack/message/grammar.ts';
import type { SipMessage } from '../stack/message/message.ts';

/** Reasons a dialled leg ends without an answer, by the final status. */
export function dialReason(status: number): { reason: string; q850: number } {
  if (status >= 300 && status < 400) return { reason: 'redirected', q850: 23 };
  switch (status) {
    case 404:
    case 410:
    case 484:
    case 604:
      return { reason: 'not-found', q850: 1 };
    case 486:
    case 600:
      return { reason: 'busy', q850: 17 };
    case 408:
      return { reason: 'no-answer', q850: 18 };
    case 480:
      return { reason: 'no-answer', q850: 19 };
    case 487:
      return { reason: 'cancelled', q850: 16 };
    case 488:
    case 606:
      return { reason: 'no-codec', q850: 88 };
    default:
      return status >= 500 && status < 600 ? { reason: 'unreachable', q850: 41 } : { reason: 'rejected', q850: 21 };
  }
}

/** Value of a Reason header (RFC 3326). */
export function reasonHeader(q850: number): string {
  return `Q.850;cause=${q850}`;
}

/** The Q.850 cause of a message's Reason headers; 0 where there is none within 1 … 127. */
export function q850Of(message: SipMessage): number {
  for (const line of message.headers.lines('reason')) {
    for (const value of line.split(',')) {
      const cause = causeOf(value);
      if (cause > 0) return cause;
    }
  }
  return 0;
}

/** Of one reason-value: `Q.850;cause=16;text="…"`. */
function causeOf(value: string): number {
  const [protocol = '', ...params] = value.split(';');
  if (protocol.trim().toUpperCase() !== 'Q.850') return 0;
  for (const param of params) {
    const [name = '', number = ''] = param.split('=', 2);
    if (name.trim().toLowerCase() === 'cause') return decimal(number.trim(), 127) ?? 0;
  }
  return 0;
}

/** The status for refusing a call where the story names none. */
export function statusOfCause(q850: number): number {
  if (q850 === 17) return 486;
  if (q850 === 21) return 603;
  if (q850 === 1) return 404;
  return 480;
}
