// Keys by SIP INFO: application/dtmf-relay (`Signal=5`, `Duration=160`) and application/dtmf (`5`), as phones and gateways
// send them. Each is told once, however often its INFO is repeated. It refuses other bodies with 415; an empty INFO is
// only a sign of life.

import type { Leg } from '../edge/call.ts';
import { type Context, report } from '../edge/context.ts';
import { acceptInDialogRequest } from '../stack/dialog/dialog.ts';
import { mediaType } from '../stack/message/bodies.ts';
import type { ServerTransaction } from '../stack/transaction/server.ts';
import { RETRY_AFTER } from './arrival.ts';

const TYPES = ['application/dtmf-relay', 'application/dtmf'];
const DURATION_MS = 160;
const DURATION_MS_MAX = 10_000;
const BODY_BYTES_MAX = 256;

/** Signals of RFC 4733 that are keys, by number too. */
const KEYS = '0123456789*#ABCD';

export function info(context: Pick<Context, 'clock' | 'link'>, leg: Leg, server: ServerTransaction): void {
  const { request } = server;
  const heard = acceptInDialogRequest(leg.dialog!, request);
  if (!heard.ok) return void server.respond(heard.status, { reason: heard.reason });
  leg.dialog = heard.dialog;
  const type = mediaType(request.headers.get('content-type') ?? '');
  if (request.body.length === 0) return void server.respond(200);
  if (!TYPES.includes(type) || request.body.length > BODY_BYTES_MAX)
    return void server.respond(415, { lines: TYPES.map((name) => ['Accept', name] as const) });
  if (!leg.mayPress.take(context.clock.nowMs())) return void server.respond(500, { lines: [RETRY_AFTER] });
  const pressed = keyOf(request.body.toString('latin1'));
  server.respond(200);
  if (pressed && leg.state === 'answered')
    void report(context, leg.call.id, { type: 'DigitPressed', leg: leg.number, ...pressed, way: 'info' });
}

/** Undefined where it is no key, as a hook flash is none. */
export function keyOf(body: string): { digit: string; durationMs: number } | undefined {
  const fields = new Map(
    body
      .split(/[\r\n]+/)
      .map((line): [string, string] => {
        const [name = '', ...value] = line.split('=');
        return value.length === 0 ? ['signal', name.trim()] : [name.trim().toLowerCase(), value.join('=').trim()];
      })
      .filter(([, value]) => value !== ''),
  );
  const signal = (fields.get('signal') ?? '').toUpperCase();
  const digit = signal.length === 1 ? signal : /^1[0-5]$/.test(signal) ? KEYS[Number(signal)]! : '';
  if (digit === '' || !KEYS.includes(digit)) return undefined;
  const duration = Number.parseInt(fields.get('duration') ?? '', 10);
  return { digit, durationMs: duration > 0 ? Math.min(duration, DURATION_MS_MAX) : DURATION_MS };
}
