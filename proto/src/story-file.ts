/**
 * A call's story as a file that people read: the first line is the hash of the state that its events fold to, each line behind
 * it one event as JSON. An event of an older version has its `schema` beside it; bytes are `{"latin1": …}`, a character
 * each. Files from before hold the bytes of each event in base64, after its version where that is not 1.
 */
import type { CallEvent } from './events.ts';
import { readEvent, upcast, versionOf } from './versions.ts';

const HASH = /^[0-9a-f]{64}$/;

/** @throws Error where it is none, UnknownEvent where a newer version wrote it */
export function readStoryFile(text: string): { hash: string; events: CallEvent[] } {
  const [hash = '', ...lines] = text.trimEnd().split('\n');
  if (!HASH.test(hash) || lines.length === 0) throw new Error('not a .story file');
  return { hash, events: lines.map(eventOf) };
}

export function storyFile(hash: string, events: CallEvent[]): string {
  const lines = events.map((event) => {
    const { seq, at, type, callId, from, to, ...fact } = event;
    const schema = versionOf(type);
    const place = { ...(schema > 1 && { schema }), seq, at, type, callId, from, to };
    return JSON.stringify({ ...place, ...fact }, bytesOut);
  });
  return `${[hash, ...lines].join('\n')}\n`;
}

function eventOf(line: string): CallEvent {
  if (line.startsWith('{')) {
    const { schema = 1, ...event } = JSON.parse(line, bytesIn) as { schema?: number } & CallEvent;
    return upcast(event as CallEvent, schema);
  }
  const [bytes, schema] = line.split(' ').reverse();
  return readEvent(Buffer.from(bytes!, 'base64'), schema);
}

/** A Buffer has made itself JSON by then. */
function bytesOut(this: Record<string, unknown>, name: string, value: unknown): unknown {
  const given = this[name];
  return given instanceof Uint8Array ? { latin1: Buffer.from(given).toString('latin1') } : value;
}

function bytesIn(_: string, value: unknown): unknown {
  const isBytes = typeof value === 'object' && value !== null && Object.keys(value).join() === 'latin1';
  return isBytes ? Buffer.from((value as { latin1: string }).latin1, 'latin1') : value;
}
