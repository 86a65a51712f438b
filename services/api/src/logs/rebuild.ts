/** `node services/api/src/logs/rebuild.ts`: forgets the call log; the running api makes it anew from the journal. */
import { configOrExit } from '@opentact/runtime';
import { openDatabase } from '../database/database.ts';
import { forgetCallLog } from './forget.ts';

const HELP = `node services/api/src/logs/rebuild.ts

Forgets the call log, the flow log and the list of recordings. Whichever api runs reads the journal from its beginning and
makes them anew; what the journal no longer holds (OPENTACT_RETAIN_DAYS; all of a log before
the one it is on now) is gone. The database is DATABASE_URL or
OPENTACT_API_DATABASE_URL.
`;
if (process.argv.includes('--help')) {
  process.stdout.write(HELP);
  process.exit(0);
}
const config = configOrExit('api', process.env, process.argv.slice(2));
if (!config.apiDatabaseUrl) {
  process.stderr.write('no database: set DATABASE_URL or OPENTACT_API_DATABASE_URL\n');
  process.exit(78);
}
const db = openDatabase(config.apiDatabaseUrl);
await forgetCallLog(db);
await db.destroy();
process.stdout.write('forgotten; a running api makes it anew from the journal\n');
