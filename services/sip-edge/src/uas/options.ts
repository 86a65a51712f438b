// OPTIONS: what this edge can do, and whether it takes new calls. It refuses what inspection refuses, whoever sends it.

import type { Leg } from '../edge/call.ts';
import type { Context } from '../edge/context.ts';
import type { ResponseOptions } from '../stack/message/build.ts';
import { inspect } from '../stack/message/inspect.ts';
import type { SipRequest } from '../stack/message/message.ts';
import type { ServerTransaction } from '../stack/transaction/server.ts';
import { RETRY_AFTER } from './arrival.ts';

export type Answer = { readonly status: number } & ResponseOptions;

export function capabilities(context: Pick<Context, 'abilities' | 'allow' | 'draining'>, request: SipRequest): Answer {
  const refusal = inspect(request, context.abilities);
  if (refusal) return refusal;
  if (context.draining) return { status: 503, lines: [RETRY_AFTER] };
  return { status: 200, lines: [context.allow, ['Accept', context.abilities.bodyType], ['Supported', '']] };
}

export function respondCapabilities(
  context: Pick<Context, 'abilities' | 'allow' | 'draining'>,
  _leg: Leg,
  server: ServerTransaction,
): void {
  const { status, ...options } = capabilities(context, server.request);
  server.respond(status, options);
}
