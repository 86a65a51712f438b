/**
 * `node services/api/src/dictionaries/import.ts FILE [--replace-demo]`: numbering data into api's database. It finds the database
 * as api does, or the embedded one of OPENTACT_HOME, running or not.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { withDatabase } from '../database/for-command.ts';
import type { Imported } from '../database/save-in-batches.ts';
import { CsvError, csvRecords } from '../kernel/csv.ts';
import { exchangesOf } from './exchanges.ts';
import { saveExchanges } from './save.ts';

const HELP = `node services/api/src/dictionaries/import.ts FILE [--replace-demo]
    Reads a CSV of exchanges into the numbering table, all of it or nothing: where a caller's number is at home (<Geo>).
    Its first line names the columns; npa, nxx, state and county are found in any order and case, others are passed over.
    A line that can't be an exchange is told and left out. What is imported wins over the demo's rows.
      --replace-demo   the demo's rows go, whether or not the file has theirs

    Ends 0 when every line was taken, 1 when some were left out, 2 when nothing was changed.
    The database: OPENTACT_API_DATABASE_URL, else opentact_api at DATABASE_URL, else the embedded one of OPENTACT_HOME.
`;
const TOLD_EVERY = 50_000;

const say = (text: string) => void process.stderr.write(`${text}\n`);
const number = (n: number) => n.toLocaleString('en-US');

function argumentsOf(args: string[]): { file: string; replaceDemo: boolean } | undefined {
  const options = { help: { type: 'boolean' }, 'replace-demo': { type: 'boolean', default: false } } as const;
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  if (values.help) return undefined;
  const [file, ...more] = positionals;
  if (!file || more.length > 0) throw new Error('give one FILE; --help says more');
  return { file, replaceDemo: values['replace-demo'] };
}

async function importFile(file: string, replaceDemo: boolean): Promise<Imported> {
  if (!(await stat(file)).isFile()) throw new Error(`${file} is not a file`);
  let told = 0;
  return withDatabase('lerg-import', (db) => {
    const text = createReadStream(file, { encoding: 'utf8', highWaterMark: 256 * 1024 });
    return saveExchanges(db, exchangesOf(csvRecords(text)), {
      replaceDemo,
      progress({ total, accepted, failed }) {
        if (total - told < TOLD_EVERY) return;
        told = total;
        say(`${number(total)} lines read, ${number(accepted)} taken, ${number(failed)} left out`);
      },
    });
  });
}

try {
  const asked = argumentsOf(process.argv.slice(2));
  if (!asked) process.stdout.write(HELP);
  else {
    const { total, accepted, failed, errors } = await importFile(asked.file, asked.replaceDemo);
    for (const { line, reason } of errors) say(`line ${line}: ${reason}`);
    if (failed > errors.length) say(`… and ${number(failed - errors.length)} more`);
    say(`${number(total)} lines: ${number(accepted)} taken, ${number(failed)} left out`);
    process.exitCode = failed > 0 ? 1 : 0;
  }
} catch (error) {
  const { message } = error as Error;
  say(error instanceof CsvError ? `${message}; nothing was changed` : `nothing was changed: ${message}`);
  process.exitCode = 2;
}
