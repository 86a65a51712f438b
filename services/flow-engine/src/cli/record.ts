/** `npm run flow -- record`: keeps a past call as a golden story, without its numbers. It never writes over one. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { redact } from '../replay/redact.ts';
import { redecide } from '../replay/redecide.ts';
import { storyText } from '../replay/story.ts';
import { pastCall } from './past-call.ts';
import { Misused, out, placeOf, readArguments } from './terminal.ts';

export const RECORD_HELP = `npm run flow -- record CALL|FILE.story --as NAME [--into FOLDER]
    Keeps an ended call as test/replay/calls/NAME.story, which every later version must fold and decide the same.
    Numbers, addresses, the INVITE and secrets of headers are replaced, the same by the same; texts of documents stay.
`;

/** Where the tests of a clone read them. */
const GOLDEN = fileURLToPath(new URL('../../../../test/replay/calls/', import.meta.url));

/** @returns the exit code. @throws Misused */
export async function recordCommand(args: string[]): Promise<number> {
  const { values, subject } = readArguments(
    args,
    { as: { type: 'string' }, into: { type: 'string' } } as const,
    'CALL or FILE.story',
  );
  const name = values.as ?? '';
  if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(name)) throw new Misused('--as NAME: small letters, digits and -');
  const path = join(values.into === undefined ? GOLDEN : placeOf(values.into), `${name}.story`);
  if (existsSync(path)) throw new Misused(`${path} is there already; a golden story is never changed`);
  const events = await pastCall(subject);
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
