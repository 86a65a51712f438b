/** Whether a fault is the database's absence. Errors of sockets are alike: those of its connections are marked as they come. */
import pg from 'pg';

/**
 * `unreached`: there was no connection, or the statement was given up: nothing was done. `unanswered`: the connection broke;
 * where that was during COMMIT, it may have been done.
 */
export type Away = 'unreached' | 'unanswered';

/** Classes of SQLSTATE that say nothing of the statement: connection, resources, an operator's hand (time-outs among it). */
const CLASSES = new Set(['08', '53', '57']);
/** Those after which the server ended a connection: lost, ended by an operator, by another process's crash. */
const BROKEN = new Set(['08000', '08003', '08006', '08007', '08P01', '57P01', '57P02']);
/** What the driver says in words alone. */
const WORDS: ReadonlyArray<[beginning: string, Away]> = [
  ['timeout exceeded when trying to connect', 'unreached'],
  ['Connection terminated due to connection timeout', 'unreached'],
  ['Connection terminated', 'unanswered'],
  ['Query read timeout', 'unanswered'],
  // The rollback of what broke off.
  ['Client has encountered a connection error', 'unanswered'],
];

const marked = new WeakMap<Error, Away>();

/** Told of each error of a database's connections, so that it is known again. */
export function markAway(error: unknown, away: Away): void {
  if (error instanceof Error && !(error instanceof pg.DatabaseError)) marked.set(error, away);
}

/** Undefined: the database was there, or the error is of something else. */
export function databaseAway(error: unknown): Away | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code = '' } = error as { code?: string };
  if (error instanceof pg.DatabaseError)
    return BROKEN.has(code) ? 'unanswered' : CLASSES.has(code.slice(0, 2)) ? 'unreached' : undefined;
  return marked.get(error) ?? WORDS.find(([words]) => error.message.startsWith(words))?.[1];
}
