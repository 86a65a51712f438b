/** `npm run flow -- lint`: every finding of a document, and, where it is asked to, whether its addresses answer. */
import { type Finding, findingLine } from '../lint/finding.ts';
import { lint, type PlacedAddress } from '../lint/lint.ts';
import { Misused, out, read, readArguments } from './terminal.ts';

export const LINT_HELP = `npm run flow -- lint FILE|URL [options]
    Every finding with line and column, what is wrong and how to mend it. Ends 1 on errors, 0 with warnings only.
      --json             one JSON object
      --self URL         where the document is served: finds documents that ask for themselves
      --fetch            ask each address of the document, 3 s each; a URL's own are asked always
`;

const OPTIONS = {
  json: { type: 'boolean' },
  self: { type: 'string' },
  fetch: { type: 'boolean' },
} as const;

const LIMIT_MS = 3_000;
const BYTES_MAX = 1_048_576;
const ADDRESSES_MAX = 50;

/** @returns the exit code. @throws Misused */
export async function lintCommand(args: string[]): Promise<number> {
  const { values, subject } = readArguments(args, OPTIONS, 'FILE or URL');
  const isUrl = /^https?:\/\//i.test(subject);
  const self = values.self ?? (isUrl ? subject : undefined);
  if (self !== undefined && !URL.canParse(self)) throw new Misused(`--self ${self}: an absolute address`);
  const { findings, addresses } = lint(
    isUrl ? await fetched(subject) : read(subject),
    self === undefined ? {} : { self },
  );
  const all = isUrl || values.fetch ? inOrder([...findings, ...(await unanswered(addresses))]) : findings;
  return told(subject, all, values.json ?? false);
}

const inOrder = (findings: Finding[]) => findings.sort((a, b) => a.line - b.line || a.column - b.column);

function told(subject: string, findings: Finding[], json: boolean): number {
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  if (json) out(JSON.stringify({ file: subject, ok: errors === 0, found: findings }));
  else {
    for (const finding of findings) out(findingLine(subject, finding));
    const warnings = findings.length - errors;
    if (errors === 0)
      out(
        `${subject}: a call can run this${warnings > 0 ? ` (${warnings} ${warnings === 1 ? 'warning' : 'warnings'})` : ''}`,
      );
  }
  return errors > 0 ? 1 : 0;
}

async function fetched(url: string): Promise<string> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(LIMIT_MS) });
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for await (const part of answer.body ?? []) {
      parts.push(part);
      bytes += part.length;
      if (bytes > BYTES_MAX) throw new Error(`more than ${BYTES_MAX} bytes`);
    }
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    return Buffer.concat(parts).toString('utf8');
  } catch (error) {
    throw new Misused(`${url}: ${reasonOf(error as Error)}`);
  }
}

/** Addresses that don't answer. Each is asked once, whatever method the document would use: only HEAD and GET change nothing. */
async function unanswered(addresses: PlacedAddress[]): Promise<Finding[]> {
  const asked = new Map<string, string | undefined>();
  const findings: Finding[] = [];
  for (const { url, line, column } of addresses) {
    if (!asked.has(url) && asked.size < ADDRESSES_MAX) asked.set(url, await faultOf(url));
    const fault = asked.get(url);
    if (fault)
      findings.push({
        line,
        column,
        severity: 'error',
        rule: 'unreachable-address',
        reason: `${url}: ${fault}`,
        remedy: 'mend the address, or start its server',
      });
  }
  return findings;
}

/** Why an address is no use; undefined where it answers. A server may refuse HEAD, or want a POST (405). */
async function faultOf(url: string): Promise<string | undefined> {
  for (const method of ['HEAD', 'GET']) {
    try {
      const { status, body } = await fetch(url, { method, signal: AbortSignal.timeout(LIMIT_MS) });
      await body?.cancel();
      if (status < 400 || status === 405) return undefined;
      if (method === 'GET') return `HTTP ${status}`;
    } catch (error) {
      return reasonOf(error as Error);
    }
  }
  return undefined;
}

const reasonOf = (error: Error): string =>
  error.name === 'TimeoutError'
    ? `no answer in ${LIMIT_MS / 1000} s`
    : ((error.cause as Error | undefined)?.message ?? error.message);
