/** The databases of a start: api's is made on a server that is not ours, where the user may do that; a journal of before is found. */
import pg from 'pg';

/**
 * @param url any database of the server. @param name the one that must be there.
 * @throws Error that says what to do, where it is missing and can't be made.
 */
export async function ensureDatabase(url: string, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000, statement_timeout: 10_000 });
  client.on('error', () => {});
  await client.connect().catch((cause: Error) => {
    throw new Error(`DATABASE_URL does not answer: ${cause.message}`, { cause });
  });
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
    if (rowCount === 0) await client.query(`create database ${pg.escapeIdentifier(name)}`);
  } catch (cause) {
    const { message } = cause as Error;
    throw new Error(`database ${name} can't be made (${message}): make it, or set OPENTACT_API_DATABASE_URL`, {
      cause,
    });
  } finally {
    await client.end();
  }
}

/** Has a journal been kept in this database? @throws what the database said */
export async function hasJournal(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000, statement_timeout: 10_000 });
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query(`select to_regclass('log_record') is not null as found`);
    if (!rows[0].found) return false;
    return (await client.query(`select from log_record where key <> '' limit 1`)).rowCount !== 0;
  } finally {
    await client.end();
  }
}
