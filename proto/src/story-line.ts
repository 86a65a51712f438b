/** One event, one line: how a story reads to a person. Bodies and descriptions are measured, never printed. */
import type { CallEvent, PlayItem } from './events.ts';

const PLACE = new Set(['type', 'callId', 'seq', 'at', 'from', 'to']);
const MEASURED = new Set(['sdp', 'offer', 'invite', 'verbs', 'body', 'xml']);
const QUIET = new Set([
  'app',
  'idempotencyKey',
  'appId',
  'accountId',
  'sdpId',
  'sdpVersion',
  'localTag',
  'topBranch',
  'sipCallId',
  'languageVersion',
]);
const TEXT_MAX = 80;
const DEPTH_MAX = 4;

/**
 * `  12  +1.204  DigitPressed        leg=0 digit=1        < media/3f9a`.
 * @param startedAt ms; times are seconds since then.
 */
export function storyLine(event: CallEvent, startedAt: number): string {
  const seconds = `+${((event.at - startedAt) / 1000).toFixed(3)}`;
  const who = event.from ? `  < ${event.from.source}` : event.to ? `  > ${event.to.node}` : '';
  return `${String(event.seq).padStart(4)}  ${seconds.padStart(9)}  ${event.type.padEnd(22)} ${fieldsOf(event)}${who}`.trimEnd();
}

function fieldsOf(event: CallEvent): string {
  const parts: string[] = [];
  for (const [name, value] of Object.entries(event)) {
    if (PLACE.has(name) || QUIET.has(name) || value === undefined || value === '') continue;
    if (MEASURED.has(name)) parts.push(`${name}=(${(value as string | Uint8Array).length})`);
    else if (name === 'items') parts.push((value as PlayItem[]).map(itemText).join(' '));
    else if (Array.isArray(value)) value.length > 0 && parts.push(`${name}=${short(valueText(value))}`);
    else parts.push(`${name}=${short(valueText(value))}`);
  }
  return parts.join(' ');
}

/**
 * A value of an event in one piece: words with blanks in quotes, bytes and descriptions measured, what has parts as
 * `{name=value …}` without those that say nothing.
 */
export function valueText(value: unknown, depth = 0): string {
  if (typeof value === 'string') return /\s/.test(value) ? JSON.stringify(value) : value;
  if (typeof value !== 'object' || value === null) return String(value);
  if (value instanceof Uint8Array) return `(${value.length})`;
  if (depth === DEPTH_MAX) return '…';
  if (Array.isArray(value)) return `[${value.map((part) => valueText(part, depth + 1)).join(', ')}]`;
  const parts = Object.entries(value).flatMap(([name, part]) => {
    if (part === undefined || part === '' || (Array.isArray(part) && part.length === 0)) return [];
    const isMeasured = MEASURED.has(name) && (typeof part === 'string' || part instanceof Uint8Array);
    return [`${name}=${isMeasured ? `(${part.length})` : valueText(part, depth + 1)}`];
  });
  return `{${parts.join(' ')}}`;
}

/** What an item sounds like, in a few words. */
export function itemText(item: PlayItem): string {
  switch (item.kind) {
    case 'say':
      return JSON.stringify(short(item.value.text));
    case 'silenceMs':
      return `silence:${item.value}ms`;
    case 'pattern': {
      const { hz, onMs, offMs, cycles, volumeDb } = item.value;
      return `tone:${hz.join('+')}Hz,${onMs}/${offMs}ms,x${cycles},${volumeDb}dB`;
    }
    default:
      return `${item.kind}:${item.value}`;
  }
}

// Control characters from outside must not reach a terminal.

const short = (text: string) =>
  (text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text).replace(/\p{Cc}/gu, '·');
