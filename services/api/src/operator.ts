/**
 * `node services/api/src/operator.ts EMAIL`: the account of that user runs the installation from now on, its Admins with it.
 * There is no such way by HTTP.
 */
import { configOrExit } from '@opentact/runtime';
import { openDatabase } from './database/database.ts';

const HELP = `node services/api/src/operator.ts EMAIL

The account of that user becomes the installation's own (level ServiceAccount): its Admins may what concerns all accounts.
The database is DATABASE_URL or OPENTACT_API_DATABASE_URL.
`;
const [email, ...more] = process.argv.slice(2);
if (!email || email === '--help' || more.length > 0) {
  process.stdout.write(HELP);
  process.exit(email === '--help' ? 0 : 64);
}
const config = configOrExit('api', process.env, []);
if (!config.apiDatabaseUrl) {
  process.stderr.write('no database: set DATABASE_URL or OPENTACT_API_DATABASE_URL\n');
  process.exit(78);
}
const db = openDatabase(config.apiDatabaseUrl);
const changed = await db
  .updateTable('account')
  .from('person')
  .set({ level: 'ServiceAccount' })
  .whereRef('person.account_id', '=', 'account.id')
  .where('person.email', '=', email.toLowerCase())
  .executeTakeFirst();
await db.destroy();
if (changed.numUpdatedRows === 0n) {
  process.stderr.write('there is no user with this email\n');
  process.exit(1);
}
process.stdout.write('done\n');
