/** Gathers: codes that nobody can enter, ways out that are missing, and what the two dialects mean differently. */
import type { Gather } from '../domain/language/verb.ts';
import { KEYS_MAX } from '../domain/verbs/gather-syntax.ts';
import type { Report } from './finding.ts';
import { type Block, blockOf, everyItem, type Item, type Place, type Tree, verbOf, written } from './tree.ts';

/** Looks at every Gather of the document. */
export function checkGathers(tree: Tree, report: Report): void {
  everyItem(tree, (item, place) => {
    const gather = verbOf(item, 'Gather');
    if (!gather) return;
    checkCodes(item, gather, report);
    checkWaysOut(item, gather, place, report);
    checkDialect(item, report);
  });
}

const isBranch = ({ kind }: Block) => kind === 'Case' || kind === 'DTMF';

function checkCodes(item: Item, gather: Gather, report: Report): void {
  for (const [n, { element, kind }] of item.blocks.filter(isBranch).entries()) {
    const attribute = written(element, kind === 'Case' ? 'dtmf' : 'value');
    const code = gather.branches[n]?.digits;
    const why = attribute === undefined || code === undefined ? undefined : untypable(code, gather);
    if (why && attribute)
      report({
        severity: 'warning',
        rule: 'untypable',
        reason: `nobody can enter "${code}": ${why[0]}`,
        remedy: why[1],
        at: element,
        attribute,
      });
  }
}

/** Why a code can't be entered, and the remedy; undefined where it can. */
function untypable(code: string, { digitsMax, finishKeys }: Gather): [string, string] | undefined {
  if (code === '') return ['it has no keys', 'what follows silence belongs into <Error>'];
  if (code.includes('+')) return ['a telephone has no key +', 'leave the + out'];
  const finish = [...code].find((key) => finishKeys.includes(key));
  if (finish) return [`${finish} ends the input`, 'choose other keys, or write finishOnKey="" (dtmf_stop="")'];
  if (code.length > digitsMax)
    return [
      `the input is complete after ${digitsMax} of its ${code.length} keys`,
      `write numDigits="${code.length}" (dtmf_length)`,
    ];
  return undefined;
}

function checkWaysOut(item: Item, gather: Gather, { block, position, follows }: Place, report: Report): void {
  const [fallback, error] = [blockOf(item, 'Default'), blockOf(item, 'Error')];
  const branches = item.blocks.filter(isBranch);
  const later = block.items.slice(position + 1);
  if (!fallback && !error && !follows && !gather.remote?.eachAttempt)
    report({
      severity: 'warning',
      rule: 'no-way-out',
      reason: 'a caller who enters nothing is hung up without a word',
      remedy: 'give the <Gather> an <Error>, or let something follow it',
      at: item.element,
    });
  if (error && !fallback && branches.some(({ kind }) => kind === 'DTMF'))
    report({
      severity: 'warning',
      rule: 'one-fallback',
      reason: '<Error> alone runs for silence as for unknown keys',
      remedy: 'say both: <Default> for unknown keys, <Error> for silence',
      at: error.element,
    });
  const used =
    branches.length > 0 ||
    gather.remote ||
    fallback ||
    later.some(({ name }) => /^(Callback|Curl|Redirect)$/.test(name));
  if (!used && !follows)
    report({
      severity: 'warning',
      rule: 'unused-keys',
      reason: 'nothing looks at the keys of this <Gather>',
      remedy: 'give it branches, or a url',
      at: item.element,
    });
  if (gather.digitsMax === KEYS_MAX && gather.finishKeys === '')
    report({
      severity: 'warning',
      rule: 'open-ended',
      reason: 'only its timeout ends the input: no key does, and no number of keys',
      remedy: 'write dtmf_stop="#", or dtmf_length="…"',
      at: item.element,
    });
  const endless = gather.prompts.some((p) => p.name !== 'Pause' && p.loop === 0);
  if (endless && (error || gather.attempts > 1))
    report({
      severity: 'warning',
      rule: 'endless',
      reason: 'silence is never noticed: the prompt with loop="0" has no end',
      remedy: 'give the prompt a number of times',
      at: item.element,
    });
}

/** Attributes of one dialect with branches of the other. */
function checkDialect({ element, blocks }: Item, report: Report): void {
  const ofA = written(element, 'numDigits', 'finishOnKey', 'callback');
  const ofB = written(element, 'dtmf_length', 'length', 'dtmf_stop', 'url');
  const strange = blocks.find(({ kind }) => (ofA && kind === 'DTMF') || (ofB && kind === 'Case'));
  if (!strange) return;
  const [ours, theirs] = ofA ? ['<Case dtmf="…">', 'DTMF'] : ['<DTMF value="…">', 'Case'];
  report({
    severity: 'warning',
    rule: 'mixed-dialects',
    reason: `<${theirs}> is of the other dialect than ${ofA ?? ofB}`,
    remedy: `write ${ours}`,
    at: strange.element,
  });
}
