/** Reports a tier: a line per file, whatever failed in full, and the counts into the file OPENTACT_COUNTS names. */
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { TestEvent } from 'node:test/reporters';

type Counts = { passed: number; failed: number; skipped: number; reasons: string[] };

export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0, reasons: [] };
  const files = new Map<string, { passed: number; failed: number; ms: number }>();
  for await (const event of source) {
    if (event.type === 'test:stdout' || event.type === 'test:stderr') {
      if (process.env.OPENTACT_VERBOSE) yield event.data.message;
      continue;
    }
    // What breaks when its test has ended makes the run fail, and is told in no other way.
    if (event.type === 'test:diagnostic' && event.data.message.includes('asynchronous activity after the test ended')) {
      counts.failed++;
      yield `FAIL after the end of its test\n${indent(event.data.message)}\n`;
    }
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue;
    const { data } = event;
    // A file or suite is no test of its own, unless it broke outside its tests.
    const isFile = data.nesting === 0 && data.name === data.file;
    if (isFile && event.type === 'test:pass') continue;
    const file = relative(process.cwd(), data.file ?? data.name);
    const of = files.get(file) ?? { passed: 0, failed: 0, ms: 0 };
    files.set(file, of);
    of.ms += data.nesting === 0 ? data.details.duration_ms : 0;
    if (data.details.type === 'suite') {
      // Its tests are counted by themselves; what broke before them is told here only.
      if (
        event.type === 'test:fail' &&
        (event.data.details.error as { failureType?: string }).failureType === 'hookFailed'
      )
        yield `FAIL ${file}: ${data.name}\n${indent(causeOf(event.data.details.error))}\n`;
      continue;
    }
    if (data.skip !== undefined && data.skip !== false) {
      counts.skipped++;
      counts.reasons.push(`${file}: ${data.name}${typeof data.skip === 'string' ? ` (${data.skip})` : ''}`);
    } else if (event.type === 'test:pass') {
      counts.passed++;
      of.passed++;
    } else {
      counts.failed++;
      of.failed++;
      yield `FAIL ${file}: ${data.name}\n${indent(causeOf(event.data.details.error))}\n`;
    }
  }
  for (const [file, { passed, failed, ms }] of files)
    yield `${failed > 0 ? 'FAIL' : 'ok  '} ${file}: ${passed} passed${failed > 0 ? `, ${failed} failed` : ''} (${(ms / 1000).toFixed(1)} s)\n`;
  if (process.env.OPENTACT_COUNTS) writeFileSync(process.env.OPENTACT_COUNTS, JSON.stringify(counts));
}

function causeOf(error: Error): string {
  const cause = (error.cause ?? error) as Error;
  return cause.stack ?? String(cause);
}

const indent = (text: string) =>
  text
    .split('\n')
    .slice(0, 40)
    .map((line) => `    ${line}`)
    .join('\n');
