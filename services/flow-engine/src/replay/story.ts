/** What the events of a call fold to, its hash, and what a person may read of it. */
import { createHash } from 'node:crypto';
import { type CallEvent, storyFile } from '@opentact/proto';
import { type Call, newCall } from '../domain/call.ts';
import { evolve } from '../domain/evolve.ts';

/** The file of a story as it is written today. */
export const storyText = (events: CallEvent[]): string => storyFile(hashOf(foldOf(events)), events);

/** The state after these events. */
export const foldOf = (events: CallEvent[]): Call => events.reduce(evolve, newCall(events[0]?.callId ?? ''));

/** Of the state that choices are made by; how customers see the call is golden by itself, in words. */
export const hashOf = ({ view: _, ...call }: Call): string =>
  createHash('sha256').update(canonical(call)).digest('hex');

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
