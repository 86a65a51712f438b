/**
 * `npm run flow -- replay` tells a past call again from the journal; `record` keeps it as a golden test. Both also take
 * a `.story` file. The journal is asked by gRPC of a running platform; nothing is written there.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { credentials, status } from '@grpc/grpc-js';
import { type CallEvent, CallV1, fromMessage, storyLine } from '@opentact/proto';
import { bearer, readPlatformConfig } from '@opentact/runtime';
import { redact } from '../../../services/flow-engine/src/replay/redact.ts';
import { type Difference, redecide } from '../../../services/flow-engine/src/replay/redecide.ts';
import { foldOf, readable, readStory, storyText } from '../../../services/flow-engine/src/replay/story.ts';
import { Misused, out, placeOf, read, readArguments } from './terminal.ts';

export const REPLAY_HELP = `npm run flow -- replay CALL|FILE.story [options]
    Tells a past call again, one event per line, from the journal of the running platform or from a file.
      --until SEQ        only so far
      --state            the state then, as JSON
      --redecide         what today's code would choose instead, by fact; ends 1 where something differs
      --json             everything as one JSON object
`;

export const RECORD_HELP = `npm run flow -- record CALL|FILE.story --as NAME [--into FOLDER]
    Keeps an ended call as test/replay/calls/NAME.story, which every later version must fold and decide the same.
    Numbers, addresses, the INVITE and secrets of headers are replaced, the same by the same; texts of documents stay.
`;

const CALLS = fileURLToPath(new URL('../../replay/calls/', import.meta.url));
const READ_MS = 10_000;
const EVENTS_MAX = 100_000;

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
  const events = (await storyOf(subject)).filter(({ seq }) => seq <= until);
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

/** @returns the exit code. @throws Misused */
export async function recordCommand(args: string[]): Promise<number> {
  const { values, subject } = readArguments(
    args,
    { as: { type: 'string' }, into: { type: 'string' } } as const,
    'CALL or FILE.story',
  );
  const name = values.as ?? '';
  if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(name)) throw new Misused('--as NAME: small letters, digits and -');
  const path = join(values.into === undefined ? CALLS : placeOf(values.into), `${name}.story`);
  if (existsSync(path)) throw new Misused(`${path} is there already; a golden story is never changed`);
  const events = await storyOf(subject);
  if (!events.some(({ type }) => type === 'CallEnded')) throw new Misused(`${subject}: the call has not ended yet`);
  const redacted = redact(events);
  const before = redecide(events).map(({ fact }) => fact.seq);
  const after = redecide(redacted).map(({ fact }) => fact.seq);
  const broken = after.find((seq) => !before.includes(seq));
  if (broken !== undefined)
    throw new Misused(
      `${subject}: with other numbers, something else is chosen after event ${broken}; nothing was written`,
    );
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, storyText(redacted));
  out(`wrote ${path} (${redacted.length} events)`);
  if (after.length > 0)
    out(
      `Today's code decides differently after ${after.join(', ')}: say why in test/replay/differences.ts, or the test fails.`,
    );
  return 0;
}

/** The events of a call, from a file or from the platform that runs. @throws Misused */
async function storyOf(subject: string): Promise<CallEvent[]> {
  if (!subject.endsWith('.story')) return journalOf(subject);
  const text = read(subject);
  try {
    return readStory(text).events;
  } catch (error) {
    throw new Misused(`${subject}: ${(error as Error).message}`);
  }
}

async function journalOf(callId: string): Promise<CallEvent[]> {
  const config = readPlatformConfig('call', process.env);
  const address = `${config.bind}:${config.grpcPort}`;
  const client = new CallV1.CallControlClient(address, credentials.createInsecure());
  const stream = client.streamCallEvents({ callId, fromSeq: 1, follow: false }, bearer(config.grpcToken), {
    deadline: Date.now() + READ_MS,
  });
  const events: CallEvent[] = [];
  try {
    for await (const { event } of stream as AsyncIterable<CallV1.StreamCallEventsResponse>) {
      if (event) events.push(fromMessage(event));
      if (events.length > EVENTS_MAX) throw new Misused(`${callId}: more than ${EVENTS_MAX} events`);
    }
    return events;
  } catch (error) {
    const { code, details, message } = error as { code?: number; details?: string; message: string };
    if (code === status.UNAVAILABLE)
      throw new Misused(`No platform answers at ${address}. Start one in another terminal: npm start`);
    throw new Misused(`${callId}: ${details ?? message}`);
  } finally {
    client.close();
  }
}
