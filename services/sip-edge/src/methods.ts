// The SIP methods that this edge serves and who serves each. `Allow`, what a request is inspected by and the dispatch in
// edge/requests.ts derive from this table: a new method is a row here and its handler. What has no row is refused.

import type { Leg } from './edge/call.ts';
import type { Context } from './edge/context.ts';
import type { HeaderLine } from './stack/message/build.ts';
import type { Abilities } from './stack/message/inspect.ts';
import type { SipRequest } from './stack/message/message.ts';
import type { ServerTransaction } from './stack/transaction/server.ts';
import { arrive } from './uas/arrival.ts';
import { receiveBye } from './uas/bye.ts';
import { info } from './uas/info.ts';
import { receiveOffer } from './uas/offers.ts';
import { type Answer, capabilities, respondCapabilities } from './uas/options.ts';

export type Method = {
  /** Outside every dialog: it begins a call in a transaction, or is answered without one (RFC 3261 8.2.7). */
  readonly outOfDialog:
    | { readonly begin: (context: Context, server: ServerTransaction) => void }
    | { readonly answer: (context: Context, request: SipRequest) => Answer };
  /** Within a dialog of ours. */
  readonly inDialog: (context: Context, leg: Leg, server: ServerTransaction) => void;
  /** Its handler inspects what it carries; within a dialog that isn't ours it is 481 whatever that is. */
  readonly inspectsItself?: true;
  /** It is served however busy the edge is, and 200 once its leg is over. */
  readonly endsDialog?: true;
};

const noDialog = () => ({ status: 481 });

const TABLE: Readonly<Record<string, Method>> = {
  INVITE: { outOfDialog: { begin: arrive }, inDialog: receiveOffer, inspectsItself: true },
  // Never in a transaction of its own: the one of its INVITE takes it, or `acknowledged` in edge/requests.ts.
  ACK: { outOfDialog: { answer: noDialog }, inDialog: () => {} },
  // One that finds its INVITE is served by the transactions.
  CANCEL: { outOfDialog: { answer: noDialog }, inDialog: (_context, _leg, server) => void server.respond(481) },
  BYE: { outOfDialog: { answer: noDialog }, inDialog: receiveBye, endsDialog: true },
  OPTIONS: { outOfDialog: { answer: capabilities }, inDialog: respondCapabilities },
  INFO: { outOfDialog: { answer: noDialog }, inDialog: info, inspectsItself: true },
};

/** Inspection refuses it. */
const UNSERVED: Method = { outOfDialog: { answer: capabilities }, inDialog: respondCapabilities };

const METHODS = new Map(Object.entries(TABLE));

export const ABILITIES: Abilities = { methods: [...METHODS.keys()], extensions: [], bodyType: 'application/sdp' };
export const ALLOW: HeaderLine = ['Allow', ABILITIES.methods.join(', ')];

export function methodOf({ method }: SipRequest): Method {
  return METHODS.get(method) ?? UNSERVED;
}
