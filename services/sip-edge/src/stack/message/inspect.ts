// What a server checks of a well-formed request before it acts on it (RFC 3261 8.2.1 to 8.2.3), in the RFC's order:
// method, scheme, required extensions, body type, what the caller accepts. ACK and CANCEL are never refused here.

import { descriptionOf, mediaType } from './bodies.ts';
import type { HeaderLine } from './build.ts';
import { GrammarFault } from './grammar.ts';
import type { SipRequest } from './message.ts';

/** What this server can do. Names as they are written in Allow, Supported and Accept. */
export type Abilities = {
  readonly methods: readonly string[];
  readonly extensions: readonly string[];
  readonly bodyType: string;
};

export type Refusal = { readonly status: number; readonly reason?: string; readonly lines: readonly HeaderLine[] };

/** Methods that exist somewhere in the RFCs: not served here they are 405, any other is 501 (RFC 3261 8.2.1, 21.5.2). */
const METHODS_OF_RFCS = new Set(
  'INVITE ACK CANCEL BYE OPTIONS REGISTER MESSAGE INFO PRACK UPDATE REFER NOTIFY SUBSCRIBE PUBLISH'.split(' '),
);

/** The refusal a request is owed, or undefined where it may go on. */
export function inspect(request: SipRequest, abilities: Abilities): Refusal | undefined {
  if (request.method === 'ACK') return undefined;
  const refusal = refusedMethod(request, abilities) ?? refusedScheme(request);
  if (refusal || request.method === 'CANCEL') return refusal;
  try {
    return refusedExtension(request, abilities) ?? refusedBody(request, abilities) ?? refusedAccept(request, abilities);
  } catch (error) {
    if (error instanceof GrammarFault) return { status: 400, reason: error.message, lines: [] };
    throw error;
  }
}

function refusedMethod(request: SipRequest, abilities: Abilities): Refusal | undefined {
  if (abilities.methods.includes(request.method)) return undefined;
  const status = METHODS_OF_RFCS.has(request.method) ? 405 : 501;
  return { status, lines: [['Allow', abilities.methods.join(', ')]] };
}

function refusedScheme(request: SipRequest): Refusal | undefined {
  const { uri } = request;
  if (uri.kind === 'sip' ? uri.scheme === 'sip' : uri.scheme === 'tel' && request.method === 'INVITE') return undefined;
  // A sips target promises TLS on every hop, which this edge does not speak.
  return { status: 416, lines: [] };
}

function refusedExtension(request: SipRequest, abilities: Abilities): Refusal | undefined {
  if (request.headers.get('require') === undefined) return undefined;
  const unknown = request.headers.list('require').filter((tag) => !abilities.extensions.includes(tag.toLowerCase()));
  return unknown.length === 0 ? undefined : { status: 420, lines: [['Unsupported', unknown.join(', ')]] };
}

function refusedBody(request: SipRequest, abilities: Abilities): Refusal | undefined {
  if (request.body.length === 0) return undefined;
  const { sdp, refused } = descriptionOf(request);
  if (sdp !== '' || !refused) return undefined;
  const accept: HeaderLine[] = [
    ['Accept', abilities.bodyType],
    ['Accept', 'multipart/mixed'],
  ];
  const encoding = request.headers.get('content-encoding');
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    return { status: 415, lines: [...accept, ['Accept-Encoding', 'identity']] };
  }
  if (request.headers.get('content-type') === undefined)
    return { status: 400, reason: 'Content-Type is missing', lines: [] };
  return { status: 415, lines: accept };
}

/** An INVITE whose sender can't read our answer must not get one (RFC 3261 20.1: Accept replaces the default). */
function refusedAccept(request: SipRequest, abilities: Abilities): Refusal | undefined {
  if (request.method !== 'INVITE' || request.headers.get('accept') === undefined) return undefined;
  const family = `${abilities.bodyType.split('/')[0]}/*`;
  const readable = request.headers.list('accept').map(mediaType);
  if (readable.some((type) => type === abilities.bodyType || type === '*/*' || type === family)) return undefined;
  const warning = `399 opentact "Only ${abilities.bodyType} is answered here"`;
  return { status: 406, lines: [['Warning', warning]] };
}
