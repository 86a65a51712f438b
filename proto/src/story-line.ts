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
    else if (Array.isArray(value)) value.length > 0 && parts.push(`${name}=${short(JSON.stringify(value))}`);
    else
      parts.push(
        `${name}=${short(typeof value === 'string' && /\s/.test(value) ? JSON.stringify(value) : String(value))}`,
      );
  }
  return parts.join(' ');
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
