/** `npm run flow -- replay`: tells a past call again, from the journal of a running platform or a `.story` file. It writes nothing. */
import { type CallEvent, storyLine } from '@opentact/proto';
import { type Difference, redecide } from '../replay/redecide.ts';
import { foldOf, readable } from '../replay/story.ts';
import { pastCall } from './past-call.ts';
import { Misused, out, readArguments } from './terminal.ts';

export const REPLAY_HELP = `npm run flow -- replay CALL|FILE.story [options]
    Tells a past call again, one event per line, from the journal of the running platform or from a file.
      --until SEQ        only so far
      --state            the state then, as JSON
      --redecide         what today's code would choose instead, by fact; ends 1 where something differs
      --json             everything as one JSON object
`;

/** @returns the exit code. @throws Misused */
export async function replayCommand(args: string[]): Promise<number> {
  const { values, subject } = readArguments(
    args,
    {
      until: { type: 'string' },
      state: { type: 'boolean' },
      redecide: { type: 'boolean' },
      json: { type: 'boolean' },
    } as const,
    'CALL or FILE.story',
  );
  if (values.until !== undefined && !/^[1-9]\d{0,8}$/.test(values.until))
    throw new Misused(`--until ${values.until}: a seq, 1 or more`);
  const until = Number(values.until ?? Infinity);
  const events = (await pastCall(subject)).filter(({ seq }) => seq <= until);
  if (events.length === 0) throw new Misused(`${subject}: no event up to ${until}`);
  const state = values.state ? readable(foldOf(events)) : undefined;
  // The last step may be cut in two by --until; what is missing from it is no difference.
  const differences = values.redecide ? redecide(events).filter(({ then }) => !isCut(then, events, until)) : undefined;
  if (values.json)
    out(JSON.stringify({ events: events.map((event) => readable(event)), state, differences: readable(differences) }));
  else tell(events, state, differences);
  return differences && differences.length > 0 ? 1 : 0;
}

const isCut = (then: CallEvent[], events: CallEvent[], until: number): boolean =>
  until !== Infinity && (then.length === 0 || then.at(-1) === events.at(-1));

function tell(events: CallEvent[], state: unknown, differences: Difference[] | undefined): void {
  const startedAt = events[0]!.at;
  const line = (event: CallEvent) => storyLine(event, startedAt);
  if (!differences) out(...events.map(line));
  if (state !== undefined) out('', `The state after event ${events.at(-1)!.seq}:`, JSON.stringify(state, null, 2));
  for (const { fact, then, now, failed } of differences ?? []) {
    out('', `  ${line(fact)}`, ...then.map((event) => `- ${line(event)}`));
    out(
      ...(failed === undefined ? now.map((event) => `+ ${line(event)}`) : [`+ today's code can't take it: ${failed}`]),
    );
  }
  if (differences)
    out(
      differences.length === 0
        ? `nothing differs (${events.length} events)`
        : `\n${differences.length} facts are decided differently today`,
    );
}
