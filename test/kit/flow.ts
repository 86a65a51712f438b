/** `npm run flow -- lint|simulate`: a document checked and run by the production engine before anyone dials. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { storyLine } from '@opentact/proto';
import { type Callee, simulate } from '../../services/flow-engine/src/simulate/simulate.ts';
import { parseDocument } from '../../services/flow-engine/src/xml/document.ts';

const HELP = `npm run flow -- lint FILE [--json]
    Parses a document as a call would: line, column, what is wrong and how to mend it. Ends 1 on errors.

npm run flow -- simulate FILE [options]
    Runs a document by the production engine on a virtual clock, without network or telephony: prints the story,
    one event per line, and what the caller would hear.
      --press K          a key for the next Gather; repeat for more
      --from N, --to N   the caller's and the called number
      --hangup-after MS  the caller hangs up this long after the answer
      --callee WHAT      answers (default), busy, silent
      --at TIME          when the call arrives, ISO 8601
`;

const { values, positionals } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: {
    help: { type: 'boolean' },
    json: { type: 'boolean' },
    press: { type: 'string', multiple: true },
    from: { type: 'string' },
    to: { type: 'string' },
    at: { type: 'string' },
    callee: { type: 'string' },
    'hangup-after': { type: 'string' },
  },
});
const [command, file] = positionals;

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

function read(path: string): string {
  try {
    return readFileSync(resolve(process.env.INIT_CWD ?? '.', path), 'utf8');
  } catch (error) {
    return fail(`${path}: ${(error as Error).message}`);
  }
}

function lint(path: string): number {
  const parsed = parseDocument(read(path));
  const found = parsed.ok
    ? parsed.warnings.map((w) => ({ severity: 'warning', ...w }))
    : [{ severity: 'error', line: parsed.line, column: parsed.column, reason: parsed.reason }];
  if (values.json) process.stdout.write(`${JSON.stringify({ file: path, ok: parsed.ok, found })}\n`);
  else {
    for (const f of found) process.stdout.write(`${path}:${f.line}:${f.column}: ${f.severity}: ${f.reason}\n`);
    process.stdout.write(
      parsed.ok ? `${path}: a call can run this${found.length > 0 ? ` (${found.length} warnings)` : ''}\n` : '',
    );
  }
  return parsed.ok ? 0 : 1;
}

function simulated(path: string): number {
  const xml = read(path);
  const parsed = parseDocument(xml);
  if (!parsed.ok) return lint(path);
  const callee = (values.callee ?? 'answers') as Callee;
  if (!['answers', 'busy', 'silent'].includes(callee)) fail(`--callee ${callee}: answers, busy or silent`);
  const at = values.at === undefined ? undefined : Date.parse(values.at);
  if (at !== undefined && Number.isNaN(at)) fail(`--at ${values.at}: not a time; write 2026-11-22T09:00:00Z`);
  const hangupAfterMs = values['hangup-after'] === undefined ? undefined : Number(values['hangup-after']);
  if (hangupAfterMs !== undefined && !(hangupAfterMs >= 0)) fail('--hangup-after: milliseconds');
  const result = simulate({
    xml,
    callee,
    ...(values.press && { press: values.press.flatMap((p) => [...p]) }),
    ...(values.from !== undefined && { from: values.from }),
    ...(values.to !== undefined && { to: values.to }),
    ...(hangupAfterMs !== undefined && { hangupAfterMs }),
    ...(at !== undefined && { at }),
  });
  const startedAt = result.events[0]!.at;
  for (const event of result.events) process.stdout.write(`${storyLine(event, startedAt)}\n`);
  process.stdout.write('\nThe caller hears:\n');
  for (const { at: when, what } of result.heard)
    process.stdout.write(`  ${(when / 1000).toFixed(1).padStart(6)} s  ${what}\n`);
  const { ended } = result.call;
  process.stdout.write(ended ? `\nEnded by ${ended.owner}: ${ended.reason}\n` : '\nThe call did not end.\n');
  return ended ? 0 : 1;
}

if (values.help || !command || !file) {
  process.stdout.write(HELP);
  process.exit(values.help ? 0 : 2);
}
if (command === 'lint') process.exitCode = lint(file);
else if (command === 'simulate') process.exitCode = simulated(file);
else fail(`${command}: no such command; see npm run flow -- --help`);
