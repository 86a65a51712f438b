/** `npm run flow`: documents checked, run, explored and described, past calls told again. One file per command. */
import { DOCS_HELP, docsCommand } from './docs.ts';
import { LINT_HELP, lintCommand } from './lint.ts';
import { RECORD_HELP, recordCommand } from './record.ts';
import { REPLAY_HELP, replayCommand } from './replay.ts';
import { SIMULATE_HELP, simulateCommand } from './simulate.ts';
import { Misused } from './terminal.ts';

/** Each ends with its exit code; 2 means that it was called wrongly. */
const COMMANDS: Record<string, { help: string; run(args: string[]): Promise<number> }> = {
  lint: { help: LINT_HELP, run: lintCommand },
  simulate: { help: SIMULATE_HELP, run: simulateCommand },
  replay: { help: REPLAY_HELP, run: replayCommand },
  record: { help: RECORD_HELP, run: recordCommand },
  docs: { help: DOCS_HELP, run: docsCommand },
};

const [name = '', ...args] = process.argv.slice(2);
const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
const wantsHelp = args.includes('--help') || name === '--help' || name === '';
if (wantsHelp || !command) {
  const helps = command ? [command] : Object.values(COMMANDS);
  if (!wantsHelp) process.stderr.write(`${name}: no such command\n\n`);
  process.stdout.write(helps.map(({ help }) => help).join('\n'));
  process.exitCode = wantsHelp && name !== '' ? 0 : 2;
} else {
  try {
    process.exitCode = await command.run(args);
  } catch (error) {
    if (!(error instanceof Misused)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  }
}
