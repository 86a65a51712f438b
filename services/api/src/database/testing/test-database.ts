/**
 * A database with api's tables for one test file. Where npm test runs a server for all of them (OPENTACT_TEST_POSTGRES, with
 * a database that has the tables already) it is a copy of that one, which takes a tenth of a second; else it has a server
 * of its own below `home`.
 */
import { randomUUID } from 'node:crypto';
import { embeddedPostgres } from '@opentact/event-log';
import pg from 'pg';
import { migrate, openDatabase } from '../database.ts';

/** The database of the shared server that the others are copied from. */
export const TEMPLATE = 'opentact_api_template';

export type TestDatabase = {
  url: string;
  /** Drops it, or ends its server. Connections are closed before. */
  close(): Promise<void>;
};

/** @param home an empty folder of the caller's */
export async function testDatabase(home: string): Promise<TestDatabase> {
  const shared = process.env.OPENTACT_TEST_POSTGRES;
  if (shared) return copyOf(shared);
  const server = await embeddedPostgres({ home, databases: ['opentact_api'] });
  const url = server.url('opentact_api');
  const db = openDatabase(url);
  await migrate(db);
  await db.destroy();
  return { url, close: () => server.stop() };
}

async function copyOf(shared: string): Promise<TestDatabase> {
  const name = `t_${randomUUID().replaceAll('-', '')}`;
  const url = new URL(shared);
  url.pathname = `/${name}`;
  await asked(shared, `create database ${name} template ${TEMPLATE}`);
  return { url: url.href, close: () => asked(shared, `drop database ${name} with (force)`) };
}

async function asked(shared: string, question: string): Promise<void> {
  const client = new pg.Client({ connectionString: shared });
  await client.connect();
  try {
    await client.query(question);
  } finally {
    await client.end();
  }
}

/** Starts the server that test files share. @returns what OPENTACT_TEST_POSTGRES is to be, and how to end it */
export async function sharedServer(home: string): Promise<{ url: string; stop(): Promise<void> }> {
  const server = await embeddedPostgres({ home, databases: [TEMPLATE] });
  const db = openDatabase(server.url(TEMPLATE));
  await migrate(db);
  await db.destroy();
  return { url: server.url('postgres'), stop: () => server.stop() };
}
