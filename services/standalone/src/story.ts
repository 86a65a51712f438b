/** Prints the stories of live calls as they are written, one line per event. It follows the journal like any reader. */
import type { EventLog } from '@opentact/event-log';
import { type CallEvent, readRecord, valueText } from '@opentact/proto';

const JOURNAL = 'calls.journal';
const VALUE_LENGTH_MAX = 48;
/** Long, secret or told by other fields. */
const LEFT_OUT = new Set([
  ...[
    'type',
    'callId',
    'seq',
    'at',
    'from',
    'to',
    'app',
    'invite',
    'sdp',
    'offer',
    'body',
    'verbs',
    'localTag',
    'topBranch',
  ],
  ...['accountId', 'sipCallId', 'idempotencyKey', 'sdpId', 'xml'],
]);

const clock = (at: number): string => new Date(at).toISOString().slice(11, 23);

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? '' : `[${value.map(shown).join(', ')}]`;
  if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) {
    const item = value as { kind?: string; value?: { text?: string } };
    return item.kind ? `${item.kind} ${shown(item.value?.text ?? item.value)}` : valueText(value);
  }
  return String(value ?? '');
}

const cut = (text: string): string => (text.length > VALUE_LENGTH_MAX ? `${text.slice(0, VALUE_LENGTH_MAX)}…` : text);

/** `12:30:01.250  1a2b3c4d  14  DigitPressed  leg=0 digit=2`. What is long, zero or empty is left out. */
export function lineOf(event: CallEvent): string {
  const fields = Object.entries(event)
    .filter(([name]) => !LEFT_OUT.has(name))
    .map(([name, value]) => [name, cut(shown(value))] as const)
    .filter(([name, text]) => text !== '' && (text !== '0' || name === 'leg'))
    .map(([name, text]) => `${name}=${text.includes(' ') ? JSON.stringify(text) : text}`);
  const seq = String(event.seq).padStart(3);
  return `${clock(event.at)}  ${event.callId.slice(0, 8)} ${seq}  ${event.type.padEnd(22)} ${fields.join(' ')}`.trimEnd();
}

/** Prints until `signal`; events from before `since` (ms since the epoch) are passed over. */
export async function tellStories(
  log: EventLog,
  since: number,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  async function tell(partition: number): Promise<void> {
    const start = await log.lowWater(JOURNAL, partition);
    for await (const record of log.follow(JOURNAL, partition, start, signal)) {
      if (record.key === '') continue; // A taking of the partition, no event of a call.
      let line: string | undefined;
      try {
        const event = readRecord(record);
        if (event.at >= since) line = lineOf(event);
      } catch {
        line = `an event this reader doesn't know: ${record.headers.type}`;
      }
      if (line) print(line);
    }
  }
  await Promise.all(Array.from({ length: log.partitions }, (_, partition) => tell(partition)));
}
