/**
 * A call's story as a file, and what a person may read of it. A `.story` file begins with the hash of the state that its
 * events fold to; each line behind it is one event's bytes in base64, after its schema version where that is not 1.
 */
import { createHash } from 'node:crypto';
import { type CallEvent, encodeEvent, readEvent, versionOf } from '@opentact/proto';
import { type Call, newCall } from '../domain/call.ts';
import { evolve } from '../domain/evolve.ts';

/** A story of every version that was ever written. @throws Error where it is none */
export function readStory(text: string): { hash: string; events: CallEvent[] } {
  const [hash = '', ...lines] = text.trimEnd().split('\n');
  const events = lines.map((line) => {
    const [bytes, schema] = line.split(' ').reverse();
    return readEvent(Buffer.from(bytes!, 'base64'), schema);
  });
  if (!/^[0-9a-f]{64}$/.test(hash) || events.length === 0) throw new Error('not a .story file');
  return { hash, events };
}

/** The file of a story as it is written today. */
export function storyText(events: CallEvent[]): string {
  const lines = events.map((event) => {
    const version = versionOf(event.type);
    const bytes = Buffer.from(encodeEvent(event)).toString('base64');
    return version === 1 ? bytes : `${version} ${bytes}`;
  });
  return `${[hashOf(foldOf(events)), ...lines].join('\n')}\n`;
}

/** The state after these events. */
export const foldOf = (events: CallEvent[]): Call => events.reduce(evolve, newCall(events[0]?.callId ?? ''));

export const hashOf = (call: Call): string => createHash('sha256').update(canonical(call)).digest('hex');

/** Keys in order, so that the order of assignment in `evolve` is free. */
export const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, v) =>
    v && typeof v === 'object' && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
      : v,
  );

/** An event or a state as JSON for people: bytes and the caller's INVITE are measured, never shown. */
export function readable(value: unknown, name = ''): unknown {
  if (value instanceof Uint8Array) return `(${value.length} bytes)`;
  if ((name === 'invite' || name === 'bytes') && typeof value === 'string') return `(${value.length} bytes)`;
  if (Array.isArray(value)) return value.map((part) => readable(part, name));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, readable(part, key)]));
}
