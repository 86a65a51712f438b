/**
 * One JSON line per thing worth knowing, with fields and not sentences. It refuses to write what is named like a secret.
 * Work that belongs to one key takes a child that names it on every line: `log.child({ … })`.
 */
import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger };

const SECRET_NAMES = ['password', 'secret', 'token', 'authorization', 'apiKey', 'signingKey', 'cookie', 'databaseUrl'];
const SECRETS = SECRET_NAMES.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

/**
 * A logger whose every line names the process.
 * @param to where lines go; default: standard output, written at once so that a killed process loses none.
 */
export function createLogger(
  of: { service: string; node: string; boot: string; level?: string },
  to: DestinationStream = destination(1),
): Logger {
  const { level = 'info', ...base } = of;
  return pino(
    {
      level,
      base,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRETS, censor: '[secret]' },
      serializers: { err: pino.stdSerializers.err, error: pino.stdSerializers.err },
    },
    to,
  );
}

/** A file that lines go to, made where it is missing, readable by its owner alone. */
export const logFile = (path: string): DestinationStream => destination(path);

/** What waits for a disk that takes no more lines; beyond it lines are lost. */
const WAITING_BYTES_MAX = 256 * 1024;

/** A log that can't be written ends nothing: lines wait for room, or are lost. */
function destination(dest: string | number): DestinationStream {
  const lines = pino.destination({ dest, mode: 0o600, sync: true, maxLength: WAITING_BYTES_MAX });
  lines.on('error', () => {});
  return lines;
}

/** A URL fit for a log: without user, password, query values and fragment. What is no URL is only measured. */
export function maskUrl(url: string): string {
  if (!URL.canParse(url)) return `[${url.length} characters, no URL]`;
  const { protocol, host, pathname, searchParams } = new URL(url);
  const names = [...new Set(searchParams.keys())];
  return `${protocol}//${host}${pathname}${names.length > 0 ? `?${names.map((name) => `${name}=…`).join('&')}` : ''}`;
}
