/** What must hold of any text at all: parser, linter and engine take it without throwing, soon, and agree about it. */

import { threadCpuMs } from '@opentact/runtime/testing';
import { lint } from '../../../services/flow-engine/src/lint/lint.ts';
import { explore } from '../../../services/flow-engine/src/simulate/explore.ts';
import { type Callee, simulate } from '../../../services/flow-engine/src/simulate/simulate.ts';
import { parseDocument } from '../../../services/flow-engine/src/xml/document.ts';
import { type Random, randomOf } from '../random-document.ts';

/** Reading a document, checking it, or a whole simulated call of it that takes longer counts as hanging, each for itself. */
export const LIMIT_MS = 50;
/** A collection of garbage may fall into it: what is late each time is late. */
const TRIES = 5;

/** What is wrong, in a few words; undefined where nothing is. */
export function faultIn(xml: string, seed: number): string | undefined {
  let fault = judged(xml, seed);
  for (let n = 1; n < TRIES && fault?.startsWith('late'); n++) fault = judged(xml, seed);
  return fault;
}

function judged(xml: string, seed: number): string | undefined {
  let stage = 'parse';
  let began = threadCpuMs();
  const late: string[] = [];
  const next = (name: string) => {
    const tookMs = threadCpuMs() - began;
    if (tookMs > LIMIT_MS) late.push(`late: ${stage} took ${tookMs.toFixed(0)} ms`);
    stage = name;
    began = threadCpuMs();
  };
  try {
    const parsed = parseDocument(xml);
    next('lint');
    const { findings } = lint(xml, seed % 2 === 0 ? { self: 'http://127.0.0.1:8090/flow' } : {});
    const error = findings.find(({ severity }) => severity === 'error');
    if (parsed.ok && error) return `lint says "${error.reason}" (${error.rule}), the parser takes it`;
    if (!parsed.ok && !error) return `the parser says "${parsed.reason}", lint finds no error`;
    const odd = findings.find(({ line, column }) => !(line >= 1 && column >= 1));
    if (odd) return `lint: no place for "${odd.reason}"`;
    const untold =
      parsed.ok && findings.length < FINDINGS_MAX
        ? parsed.warnings.find((w) => !findings.some((f) => same(f.reason, w.reason)))
        : undefined;
    if (untold) return `the parser warns "${untold.reason}", lint does not`;
    next('simulate');
    const fault = parsed.ok ? simulated(xml, randomOf(seed)) : undefined;
    next('explore');
    // A dozen calls: no time is promised for them together.
    if (parsed.ok && seed % 8 === 0) explore({ xml }, { runs: 12, depth: 10 });
    return fault ?? late[0];
  } catch (error) {
    return `${stage} threw: ${((error as Error).stack ?? String(error)).split('\n').slice(0, 3).join(' | ')}`;
  }
}

const FINDINGS_MAX = 1_000;
/** The linter says more about an attribute that isn't one. */
const same = (said: string, warned: string) => said === warned || said.startsWith(`${warned.replace(/; .*$/s, '')}:`);

/** One call in a random world; it must end, whatever the document. */
function simulated(xml: string, random: Random): string | undefined {
  const bodies = ['', xml, '<Response><Say>nested</Say></Response>', '{"a":true,"__proto__":1}', '<oops'];
  const { call } = simulate({
    xml,
    press: Array.from({ length: random.below(6) }, () => random.of([...'0123456789*#'])),
    callee: random.of<Callee>(['answers', 'busy', 'silent']),
    autoAnswer: random.chance(0.5),
    server: () => (random.chance(0.2) ? { status: 500, body: '' } : { status: 200, body: random.of(bodies) }),
    orders: random.chance(0.2)
      ? [{ at: random.below(60_000), xml: random.of(['<Response><Unhold/></Response>', xml, '<oops']) }]
      : [],
    ...(random.chance(0.3) && { hangupAfterMs: random.below(60_000) }),
  });
  return call.ended ? undefined : 'the simulated call does not end';
}
