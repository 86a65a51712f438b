/** Between the flat union and protobuf bytes. The only place that knows both shapes. */
import { CallEvent as WireMessage } from '../gen/opentact/call/v1/events.ts';
import type { CallEvent, Fact } from './events.ts';

type Body = NonNullable<WireMessage['body']>;
type Loose = Record<string, unknown>;

const lower = (s: string) => s[0]!.toLowerCase() + s.slice(1);
const upper = (s: string) => s[0]!.toUpperCase() + s.slice(1);

const PLACE = new Set(['type', 'callId', 'seq', 'at', 'from', 'to']);

function bodyOf(fact: Loose): Body {
  const value: Loose = {};
  for (const key of Object.keys(fact)) if (!PLACE.has(key)) value[key] = fact[key];
  if (fact.type === 'PlayRequested')
    value.items = (fact.items as Array<{ kind: string; value: unknown }>).map((i) => ({
      source: { $case: i.kind, value: i.value },
    }));
  return { $case: lower(fact.type as string), value } as unknown as Body;
}

function flat(body: Body): Loose {
  const fact: Loose = { type: upper(body.$case), ...(body.value as unknown as Loose) };
  if (body.$case === 'playRequested')
    fact.items = body.value.items.flatMap((i) => (i.source ? [{ kind: i.source.$case, value: i.source.value }] : []));
  return fact;
}

/** The generated message of an event. A missing place (a fact on its way to the owner) is encoded as zeros. */
export function toMessage(event: Fact & Partial<CallEvent>): WireMessage {
  return {
    callId: event.callId ?? '',
    seq: event.seq ?? 0,
    at: event.at ?? 0,
    from: event.from,
    to: event.to,
    body: bodyOf(event as Loose),
  };
}

/** Field numbers of `CallEvent.body` (proto/README.md). */
const BODIES = { first: 10, last: 255 };

/** The names of all events, asked of the codec: an empty message of each field. */
const TYPES: ReadonlySet<string> = new Set(
  Array.from({ length: BODIES.last - BODIES.first + 1 }, (_, n) => {
    const tag = ((n + BODIES.first) << 3) | 2;
    const bytes = tag < 128 ? [tag, 0] : [(tag & 127) | 128, tag >> 7, 0];
    const { body } = WireMessage.decode(Uint8Array.from(bytes));
    return body ? [upper(body.$case)] : [];
  }).flat(),
);

/** Is there an event of this name? */
export const isKnownType = (type: string): boolean => TYPES.has(type);

/** The bytes of an event. */
export function encodeEvent(event: Fact & Partial<CallEvent>): Uint8Array {
  return WireMessage.encode(toMessage(event)).finish();
}

/** Thrown by `decodeEvent`: the writer knows an event that this reader doesn't. Readers are deployed before writers. */
export class UnknownEvent extends Error {
  override name = 'UnknownEvent';
}

/** The event of a generated message. @throws UnknownEvent where its body is none of ours. */
export function fromMessage(wire: WireMessage): CallEvent {
  if (!wire.body) throw new UnknownEvent(`call ${wire.callId}: event ${wire.seq} has no body known here`);
  const event: Loose = { ...flat(wire.body), callId: wire.callId, seq: wire.seq, at: wire.at };
  if (wire.from) event.from = wire.from;
  if (wire.to) event.to = wire.to;
  return event as CallEvent;
}

/** The event of its bytes. @throws UnknownEvent where its body is none of ours. */
export function decodeEvent(bytes: Uint8Array): CallEvent {
  return fromMessage(WireMessage.decode(bytes));
}
