/** A call's story as its caller or the author of its flow would tell it: one line for what they would notice, none for the rest. */
import type { CallEvent } from '@opentact/proto';

/** One line; undefined where it is the platform's own matter. @param startedAt ms; times are seconds since then. */
export function plainLine(event: CallEvent, startedAt: number): string | undefined {
  const said = words(event);
  return said === undefined ? undefined : `${`+${((event.at - startedAt) / 1000).toFixed(1)}`.padStart(7)}  ${said}`;
}

function words(event: CallEvent): string | undefined {
  switch (event.type) {
    case 'CallArrived':
      return `${event.fromNumber} calls ${event.toNumber}`;
    case 'CallOrdered':
      return `${event.toNumber} is called, and shown ${event.fromNumber}`;
    case 'RingRequested':
      return 'rang';
    case 'LegRang':
      return `${whose(event.leg)}rang`;
    case 'LegAnswered':
      return `${whose(event.leg)}answered`;
    case 'DialRequested':
      return `leg ${event.leg} calls ${event.target}`;
    case 'DialFailed':
      return `leg ${event.leg} not answered: ${event.reason}${event.status ? ` (SIP ${event.status})` : ''}`;
    case 'DigitPressed':
      return `${whose(event.leg)}key ${event.digit}`;
    case 'VerbEnded':
      return `${event.path}: ${event.success ? '' : 'failed, '}${event.reason}`;
    case 'LegEnded':
      return event.leg === 0 ? undefined : `leg ${event.leg} ended: ${event.reason}`;
    case 'CallEnded':
      return `ended: ${event.reason}, by ${event.owner}`;
    default:
      return troubleOf(event);
  }
}

/** What went wrong and is no verb's own outcome. */
function troubleOf(event: CallEvent): string | undefined {
  switch (event.type) {
    case 'DocumentRejected':
      return `document refused: ${event.line ? `line ${event.line}, column ${event.column}: ` : ''}${event.reason}`;
    case 'DocumentFailed':
      return `document not fetched: ${event.reason}${event.status ? ` (HTTP ${event.status})` : ''}`;
    case 'PlayFailed':
      return `not played: ${event.reason}`;
    case 'NodeLost':
      return `${event.node} was lost${event.recover ? '; another goes on' : ''}`;
    default:
      return undefined;
  }
}

/** The caller's own leg needs no name. */
const whose = (leg: number) => (leg === 0 ? '' : `leg ${leg} `);
