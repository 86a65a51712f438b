/** Classes of SQLSTATE that say nothing of the statement: connection, resources, an operator's hand (time-outs among it). */
const CLASSES = new Set(['08', '53', '57']);
const SYSTEM = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'ETIMEDOUT']);
/** What the driver says in words alone. */
const WORDS = ['timeout exceeded when trying to connect', 'Query read timeout', 'Connection terminated'];

/** Whether the database couldn't be reached or had no time, so that the same may be asked again. */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  if (WORDS.some((words) => error.message.startsWith(words))) return true;
  if (typeof code !== 'string') return false;
  return SYSTEM.has(code) ? syscall === 'connect' || syscall === 'read' || syscall === 'write' : isOfClass(code);
}

const isOfClass = (code: string) => /^[0-9A-Z]{5}$/.test(code) && CLASSES.has(code.slice(0, 2));
