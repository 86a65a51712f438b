/**
 * `npm run ops -- COMMAND`: what only the operator of the installation decides, on its own machine. There is no such way by
 * HTTP. It needs the database: the one of DATABASE_URL, else the server of OPENTACT_HOME, running or not.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { embeddedPostgres } from '@opentact/event-log';
import { type Config, configOrExit, parseAllowList } from '@opentact/runtime';
import { sql } from 'kysely';
import { type Database, openDatabase } from './database/database.ts';
import { newKey, sealKeys } from './database/sealing/keys.ts';
import { sealRows, sealStatus } from './database/sealing/rows.ts';
import { createSeal } from './database/sealing/seal.ts';
import { isUuid } from './kernel/uuid.ts';
import { listQuarantined } from './money/quarantine.ts';
import { settle } from './money/settle.ts';

/** What a command says; a refusal is an Error whose message is a sentence. */
type Command = {
  words: string;
  args: string[];
  help: string;
  run(db: Database, args: string[], config: Config): Promise<string>;
};

const COMMANDS: Command[] = [
  {
    words: 'operator',
    args: ['EMAIL'],
    help: 'the account of that user becomes the installation’s own: its Admins may what concerns all accounts',
    run: async (db, [email]) => {
      const changed = await db
        .updateTable('account')
        .set({ level: 'ServiceAccount' })
        .where('id', '=', await accountOf(db, email!))
        .executeTakeFirst();
      return changed.numUpdatedRows === 1n ? 'done' : 'nothing changed';
    },
  },
  {
    words: 'trunk list',
    args: [],
    help: 'the trunks, and the accounts that each serves',
    run: async (db) => {
      const trunks = await db.selectFrom('trunk').select(['id', 'host', 'port', 'account_id']).orderBy('id').execute();
      const allowed = await db
        .selectFrom('trunk_account')
        .innerJoin('account', 'account.id', 'trunk_account.account_id')
        .select(['trunk_id', 'account.id', 'account.name'])
        .orderBy('account.name')
        .execute();
      const lines = trunks.flatMap(({ id, host, port, account_id }) => [
        `${id}  ${host}:${port}  of ${account_id ?? 'the installation'}`,
        ...allowed.filter((of) => of.trunk_id === id).map((of) => `    serves ${of.id}  ${of.name}`),
      ]);
      return lines.join('\n') || 'there is no trunk';
    },
  },
  {
    words: 'trunk allow',
    args: ['TRUNK', 'ACCOUNT'],
    help: 'that account may dial by that trunk; ACCOUNT: its uuid, or the e-mail of a user of it',
    run: async (db, [trunk_id, whose]) => {
      const account_id = await accountOf(db, whose!);
      if (!(await db.selectFrom('trunk').select('id').where('id', '=', trunk_id!).executeTakeFirst()))
        throw new Error(`there is no trunk ${trunk_id}; npm run ops -- trunk list`);
      await db
        .insertInto('trunk_account')
        .values({ trunk_id: trunk_id!, account_id })
        .onConflict((c) => c.doNothing())
        .execute();
      return 'done; edges know it within a minute';
    },
  },
  {
    words: 'trunk deny',
    args: ['TRUNK', 'ACCOUNT'],
    help: 'that account may dial by that trunk no longer',
    run: async (db, [trunk_id, whose]) => {
      const account_id = await accountOf(db, whose!);
      const gone = await db
        .deleteFrom('trunk_account')
        .where('trunk_id', '=', trunk_id!)
        .where('account_id', '=', account_id)
        .executeTakeFirst();
      return gone.numDeletedRows === 1n ? 'done; edges know it within a minute' : 'it was not allowed to';
    },
  },
  {
    words: 'address list',
    args: [],
    help: 'the addresses that are known to be an account’s own equipment',
    run: async (db) => {
      const { rows } = await sql<{ range: string; id: string; name: string }>`
        select range::text as range, account.id, account.name from account_address
        join account on account.id = account_id order by account.name, range`.execute(db);
      return rows.map(({ range, id, name }) => `${range}  ${id}  ${name}`).join('\n') || 'there is none';
    },
  },
  {
    words: 'address grant',
    args: ['ACCOUNT', 'CIDR'],
    help: 'these addresses are that account’s own equipment, as you made sure: no other account’s calls go there',
    run: async (db, [whose, range]) => {
      const account_id = await accountOf(db, whose!);
      parseAllowList(range!);
      await db
        .insertInto('account_address')
        .values({ account_id, range: range! })
        .onConflict((c) => c.doNothing())
        .execute();
      return 'done; edges know it within seconds';
    },
  },
  {
    words: 'address revoke',
    args: ['ACCOUNT', 'CIDR'],
    help: 'they are that account’s own no longer',
    run: async (db, [whose, range]) => {
      const account_id = await accountOf(db, whose!);
      parseAllowList(range!);
      const gone = await db
        .deleteFrom('account_address')
        .where('account_id', '=', account_id)
        .where(sql<boolean>`range = ${range}::cidr`)
        .executeTakeFirst();
      return gone.numDeletedRows === 1n ? 'done; edges know it within seconds' : 'they were not';
    },
  },
  {
    words: 'quarantine list',
    args: [],
    help: 'records of the journal that can’t be read; nothing is charged for their calls until they are settled',
    run: async (db) => {
      const lines = (await listQuarantined(db)).map(
        ({ call_id, partition, position, seq, type, noticed_on, account_id }) =>
          `${call_id}  ${type} seq ${seq} at ${partition}/${position}  ${noticed_on.toISOString()}  account ${account_id || 'unknown'}`,
      );
      return lines.join('\n') || 'every record can be read';
    },
  },
  {
    words: 'quarantine settle',
    args: ['CALL'],
    help: 'charges what of that call can be reckoned, and takes it off the list',
    run: async (db, [callId]) => {
      const charges = await settle(db, callId!);
      const lines = charges.map(
        ({ reason, amount, description }) => `${reason} ${(-amount).toFixed(4)}  ${description}`,
      );
      return lines.join('\n') || 'nothing of it can be reckoned: nothing was charged';
    },
  },
  {
    words: 'seal status',
    args: [],
    help: 'how many secrets of the database each key seals, the newest key first',
    run: async (db, _, config) => {
      const counts = await sealStatus(db);
      const keys = (await sealKeys(config).read()).map(({ id }) => id.toString('hex'));
      const gone = [...counts.keys()].filter((id) => id !== 'none' && !keys.includes(id));
      return [
        ...keys.map((id, i) => `${id}  ${i === 0 ? 'newest' : 'valid '}  seals ${counts.get(id) ?? 0}`),
        ...gone.map((id) => `${id}  GONE    seals ${counts.get(id)}: bring that key back`),
        `not sealed yet: ${counts.get('none') ?? 0}`,
      ].join('\n');
    },
  },
  {
    words: 'seal rotate',
    args: [],
    help: 'makes a new key, seals every secret of the database by it; the key before it stays valid',
    run: async (db, _, config) => {
      const keys = sealKeys(config);
      const seal = createSeal(keys);
      await keys.settled();
      const before = await sealRows(db, seal);
      if (!keys.add)
        return `${before} sealed by the first key of OPENTACT_SEAL_KEYS; to rotate, put a new one before it`;
      await keys.add(newKey());
      return `${await sealRows(db, seal)} sealed by key ${(await seal.newest()).toString('hex')}`;
    },
  },
];

/** @throws Error where there is none */
async function accountOf(db: Database, whose: string): Promise<string> {
  const found = isUuid(whose)
    ? await db.selectFrom('account').select('id').where('id', '=', whose).executeTakeFirst()
    : await db
        .selectFrom('person')
        .select('account_id as id')
        .where('email', '=', whose.toLowerCase())
        .executeTakeFirst();
  if (!found) throw new Error(`there is no account of ${whose}`);
  return found.id;
}

const HELP = `npm run ops -- COMMAND

${COMMANDS.map(({ words, args, help }) => `  ${[words, ...args].join(' ').padEnd(28)}${help}`).join('\n')}

The database is DATABASE_URL or OPENTACT_API_DATABASE_URL, else that of OPENTACT_HOME.
`;

function end(code: number, text: string): never {
  (code === 0 ? process.stdout : process.stderr).write(text);
  process.exit(code);
}

const said = process.argv.slice(2);
if (said.length === 0 || said.includes('--help')) end(said.length === 0 ? 64 : 0, HELP);
const command = COMMANDS.find(({ words }) => said.slice(0, words.split(' ').length).join(' ') === words);
const args = command ? said.slice(command.words.split(' ').length) : [];
if (!command || args.length !== command.args.length) end(64, HELP);

const config = configOrExit('api', process.env, []);
const isEmbedded = !config.apiDatabaseUrl;
if (isEmbedded && !existsSync(join(config.home, 'postgres', 'PG_VERSION')))
  end(78, `no database: ${config.home} holds none; set OPENTACT_HOME or DATABASE_URL\n`);
const server = isEmbedded ? await embeddedPostgres({ home: config.home, databases: [] }) : undefined;
const db = openDatabase(config.apiDatabaseUrl ?? server!.url('opentact_api'));
try {
  process.stdout.write(`${await command.run(db, args, config)}\n`);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
} finally {
  await db.destroy();
  if (server && !server.adopted) await server.stop();
}
