/** `node services/api/src/numbers/inventory/import.ts FILE [--replace-demo]`: numbers that can be leased, into api's database. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { withDatabase } from '../../database/for-command.ts';
import { CsvError, csvRecords } from '../../kernel/csv.ts';
import { offersOf } from './offers.ts';
import { saveOffers } from './save.ts';

const HELP = `node services/api/src/numbers/inventory/import.ts FILE [--replace-demo]
    Reads a CSV of telephone numbers into the inventory, all of it or nothing: what POST /tn/search finds and POST /order leases.
    Its first line names the columns, in any order and case: tn and country; and where they are, state, city, rate_center,
    type (long_code, toll_free), features (voice fax sms mms emergency), nrc and mrc. Others are passed over.
    A line that can't be a number is told and left out. A number that is there already gets the new place and prices.
      --replace-demo   the demo's numbers go, but for those that are or were leased

    Ends 0 when every line was taken, 1 when some were left out, 2 when nothing was changed.
    The database: OPENTACT_API_DATABASE_URL, else opentact_api at DATABASE_URL, else the embedded one of OPENTACT_HOME.
`;
const TOLD_EVERY = 10_000;

const say = (text: string) => void process.stderr.write(`${text}\n`);
const figure = (n: number) => n.toLocaleString('en-US');

async function importFile(file: string, replaceDemo: boolean) {
  if (!(await stat(file)).isFile()) throw new Error(`${file} is not a file`);
  let told = 0;
  return withDatabase('inventory-import', (db) => {
    const text = createReadStream(file, { encoding: 'utf8', highWaterMark: 256 * 1024 });
    return saveOffers(db, offersOf(csvRecords(text)), {
      replaceDemo,
      progress({ total, accepted, failed }) {
        if (total - told < TOLD_EVERY) return;
        told = total;
        say(`${figure(total)} lines read, ${figure(accepted)} taken, ${figure(failed)} left out`);
      },
    });
  });
}

try {
  const options = { help: { type: 'boolean' }, 'replace-demo': { type: 'boolean', default: false } } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (values.help) process.stdout.write(HELP);
  else {
    const [file, ...more] = positionals;
    if (!file || more.length > 0) throw new Error('give one FILE; --help says more');
    const { total, accepted, failed, errors } = await importFile(file, values['replace-demo']);
    for (const { line, reason } of errors) say(`line ${line}: ${reason}`);
    if (failed > errors.length) say(`… and ${figure(failed - errors.length)} more`);
    say(`${figure(total)} lines: ${figure(accepted)} taken, ${figure(failed)} left out`);
    process.exitCode = failed > 0 ? 1 : 0;
  }
} catch (error) {
  const { message } = error as Error;
  say(error instanceof CsvError ? `${message}; nothing was changed` : `nothing was changed: ${message}`);
  process.exitCode = 2;
}
