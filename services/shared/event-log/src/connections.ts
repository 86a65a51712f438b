/**
 * Connections to PostgreSQL with a limit on everything: how many, how long to wait for one, how long a statement may
 * take on either side. What fails here is `unavailable`, its cause chained.
 */
import pg from 'pg';
import { LogError } from './port.ts';

const CONNECT_MS = 2000;
const STATEMENT_MS = 2000;

function settings(url: string, statementMs: number, name: string): pg.ClientConfig {
  return {
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: statementMs,
    // Ours ends later than the server's, so that the server's word is heard where there is one.
    query_timeout: statementMs + 500,
    keepAlive: true,
    application_name: name,
  };
}

/** A pool of at most `max` connections. A statement that fails costs its connection. */
export function createPool(url: string, max: number, name: string): pg.Pool {
  const pool = new pg.Pool({ ...settings(url, STATEMENT_MS, name), max, idleTimeoutMillis: 60_000 });
  pool.on('error', () => {}); // An idle connection broke; the next statement opens another.
  return pool;
}

/** One connection that is nobody else's. `broken` is called once, when it ends for whatever reason. */
export async function connectAlone(
  url: string,
  name: string,
  statementMs: number,
  broken: () => void,
): Promise<pg.Client> {
  const client = new pg.Client(settings(url, statementMs, name));
  client.on('error', () => {});
  await client.connect();
  client.once('end', broken);
  return client;
}

/** Runs what talks to the server; whatever goes wrong is `unavailable`. */
export async function reaching<T>(what: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (cause instanceof LogError) throw cause;
    throw new LogError('unavailable', `${what}: ${(cause as Error).message}`, { cause });
  }
}
