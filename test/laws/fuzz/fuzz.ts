/** One run of the fuzzer for one seed: which document it makes, and the smallest one that fails the same way. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { seedDocument } from '../../../services/api/src/demo/seed-document.ts';
import { EXAMPLES } from '../../../services/flow-engine/src/docs/examples.ts';
import { randomOf } from '../random-document.ts';
import { documentOfRows } from './documents.ts';
import { faultIn } from './judge.ts';
import { mutated, noise } from './mutations.ts';

const FOLDER = fileURLToPath(new URL('../../scenarios/documents/', import.meta.url));

/** Real documents: the platform's own, those of the scenarios, the examples of LANGUAGE.md. */
const REAL: readonly string[] = [
  seedDocument('http://127.0.0.1:8090/gathered', '1000@127.0.0.1:9000'),
  ...readdirSync(FOLDER).map((name) =>
    readFileSync(`${FOLDER}${name}`, 'utf8')
      .replaceAll('{server}', 'http://127.0.0.1:8090')
      .replace(/\{\w+\}/g, '1000@127.0.0.1:9000'),
  ),
  ...Object.values(EXAMPLES).map((example) => `<Response>\n${example}\n</Response>`),
];

export type Failure = { seed: number; fault: string; document: string };

/** The document of a seed: of the rows, a real one changed, or noise. */
export function documentOf(seed: number): string {
  const random = randomOf(seed);
  const kind = random.below(20);
  if (kind < 5) return documentOfRows(random, 0);
  if (kind < 9) return documentOfRows(random, 4);
  if (kind < 18) return mutated(random, kind < 16 ? random.of(REAL) : documentOfRows(random, 0), REAL);
  return noise(random);
}

/** Makes and judges the document of a seed. */
export function fuzzOnce(seed: number): Failure | undefined {
  const document = documentOf(seed);
  const fault = faultIn(document, seed);
  return fault === undefined ? undefined : { seed, fault, document: smallest(document, seed, fault) };
}

const SHRINK_MS = 15_000;

/** Takes away pieces, ever smaller ones, as long as it fails in the same way. */
function smallest(document: string, seed: number, fault: string): string {
  const kindOf = (text: string | undefined) => text?.replace(/".*?"|\d+/gs, '').slice(0, 40);
  let best = document;
  const until = performance.now() + SHRINK_MS;
  for (let size = best.length >> 1; size >= 1; size = size >> 1)
    for (let at = 0; at < best.length && performance.now() < until; ) {
      const smaller = best.slice(0, at) + best.slice(at + size);
      if (kindOf(faultIn(smaller, seed)) === kindOf(fault)) best = smaller;
      else at += size;
    }
  return best;
}
