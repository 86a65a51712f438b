/** Databases on a server that is not ours: api's is made beside the journal's, where the user may do that. */
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
