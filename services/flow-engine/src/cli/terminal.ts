/** What the commands of `npm run flow` share: reading files and options, and saying what was wrong with them. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { decodeText } from '@opentact/runtime';

/** The command was called wrongly; its message is for whoever called it. */
export class Misused extends Error {}

// Whoever reads may have had enough, as `| head` has.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

/** Writes lines for a person or a program to read. */
export const out = (...lines: string[]): void => {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
};

/** A path as it was meant where the command was typed. */
export const placeOf = (path: string): string => resolve(process.env.INIT_CWD ?? '.', path);

/** The text of a file. @throws Misused */
export function read(path: string): string {
  try {
    return decodeText(readFileSync(placeOf(path)), '');
  } catch (error) {
    throw new Misused(`${path}: ${(error as Error).message}`);
  }
}

type Options = NonNullable<ParseArgsConfig['options']>;

/** Reads the arguments of a command; exactly one of them stands alone, unless none is wanted. @throws Misused */
export function readArguments<O extends Options>(args: string[], options: O, subject: string) {
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true, strict: true });
    if (positionals.length !== (subject ? 1 : 0))
      throw new Misused(subject ? `one ${subject} is wanted; see --help` : 'nothing but options is wanted; see --help');
    return { values, subject: positionals[0] ?? '' };
  } catch (error) {
    throw error instanceof Misused ? error : new Misused((error as Error).message);
  }
}

/** A number of milliseconds of an option. @throws Misused */
export function millisecondsOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,10}$/.test(text)) throw new Misused(`--${name} ${text}: milliseconds`);
  return Number(text);
}
