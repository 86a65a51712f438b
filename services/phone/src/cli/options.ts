/** What `npm run call` can be told, and what it says where it is told something else. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { KINDS, type Kill, type Kind } from './kill.ts';

export const HELP = `npm run call -- [options]
    Calls the running platform (npm start) from a built-in phone and tells the call's story: rang, answered, each verb by
    its path and outcome, keys, how it ended and whose doing that was. A story that breaks off is followed from where it was.
      --to NUMBER          whom to call; default 18005550100, or a whole sip: address
      --press K[@WHEN]     press a key when the next Gather listens; WHEN: gather (default) or ms after the answer
                           repeat for more; --press 12 presses both in turn
      --document FILE      run this document instead of the number's app
      --save FILE          what was heard, as WAV
      --hangup-after MS    hang up this long after the answer
      --kill KIND          kills (-9) the very process that serves this call: media, engine, edge, notifier or api; says at
                           the end what the caller lost, in ms, and whether the call went on
      --at EVENT           when: behind this event of the story, as --verbose shows it; default VerbStarted, the first verb
      --sip                the ladder of SIP messages afterwards
      --verbose            the journal instead of the short story, one event per line
    Ends 0 if the call ended normally, 1 if it failed, 2 if called wrongly, 3 if nobody could say how it ended.
`;

const OPTIONS = {
  help: { type: 'boolean', default: false },
  to: { type: 'string', default: '18005550100' },
  press: { type: 'string', multiple: true },
  save: { type: 'string' },
  document: { type: 'string' },
  'hangup-after': { type: 'string' },
  kill: { type: 'string' },
  at: { type: 'string' },
  sip: { type: 'boolean', default: false },
  verbose: { type: 'boolean', default: false },
} as const;

/** The command can't go on: the message is for whoever typed it, `code` is what it ends with (2: called wrongly). */
export class Stopped extends Error {
  readonly code: 1 | 2;
  constructor(code: 1 | 2, message: string) {
    super(message);
    this.code = code;
  }
}

/** Keys, and when they are pressed: as a Gather listens, or so many ms after the answer. */
export type Press = { digits: string; when: 'gather' | number };

export type Options = {
  help: boolean;
  to: string;
  presses: Press[];
  save: string | undefined;
  document: string | undefined;
  hangupAfterMs: number | undefined;
  kill: Kill | undefined;
  sip: boolean;
  verbose: boolean;
};

/** @throws Stopped */
export function readOptions(args: string[]): Options {
  const { values } = parsed(args);
  const hangupAfterMs = values['hangup-after'] === undefined ? undefined : Number(values['hangup-after']);
  if (hangupAfterMs !== undefined && !(hangupAfterMs >= 0)) throw new Stopped(2, '--hangup-after: milliseconds');
  const { help, to, save, document, sip, verbose } = values;
  return {
    help,
    to,
    save,
    document,
    sip,
    verbose,
    hangupAfterMs,
    kill: killOf(values.kill, values.at),
    presses: (values.press ?? []).map(pressOf),
  };
}

function parsed(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS });
  } catch (error) {
    const [sentence] = (error as Error).message.split('. ');
    throw new Stopped(2, `${sentence}; npm run call -- --help lists the options`);
  }
}

function killOf(kind: string | undefined, at: string | undefined): Kill | undefined {
  if (kind === undefined && at === undefined) return undefined;
  if (!KINDS.includes(kind as Kind)) throw new Stopped(2, `--kill: one of ${KINDS.join(', ')}`);
  if (at !== undefined && !/^[A-Z][A-Za-z]+$/.test(at)) throw new Stopped(2, '--at: an event, such as DigitPressed');
  return { kind: kind as Kind, at: at ?? 'VerbStarted' };
}

function pressOf(text: string): Press {
  const [, digits, when = 'gather'] = /^([0-9*#A-D]+)(?:@(gather|\d+))?$/i.exec(text) ?? [];
  if (!digits) throw new Stopped(2, `--press ${text}: keys of 0-9 * # A-D, and @gather or @MS`);
  return { digits, when: when === 'gather' ? 'gather' : Number(when) };
}

/** A path as it was meant where the command was typed. */
export const placeOf = (path: string): string => resolve(process.env.INIT_CWD ?? '.', path);
