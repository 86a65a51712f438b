/** api's database as a command finds it: where api would, else the embedded one of OPENTACT_HOME, running or not. */
import { type EmbeddedPostgres, embeddedPostgres } from '@opentact/event-log';
import { readPlatformConfig } from '@opentact/runtime';
import { type Database, migrateAt, openDatabase } from './database.ts';

const DATABASE = 'opentact_api';

/** Brings the tables up to date first. What was started for this is stopped after it; what ran before stays. */
export async function withDatabase<T>(command: string, use: (db: Database) => Promise<T>): Promise<T> {
  const config = readPlatformConfig(command, process.env);
  let embedded: EmbeddedPostgres | undefined;
  if (!config.apiDatabaseUrl) embedded = await embeddedPostgres({ home: config.home, databases: [DATABASE] });
  const url = config.apiDatabaseUrl ?? embedded!.url(DATABASE);
  const db = openDatabase(url);
  try {
    await migrateAt(url);
    return await use(db);
  } finally {
    await db.destroy();
    // One that ran before we came is somebody's.
    if (embedded && !embedded.adopted) await embedded.stop();
  }
}
