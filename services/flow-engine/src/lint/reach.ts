/** What is never reached, and what never ends. */
import type { Report } from './finding.ts';
import { type Block, blockOf, everyItem, type Item, type Tree, verbOf } from './tree.ts';

const PROMPTS = new Set(['Say', 'Play', 'Pause', 'Tone']);

/** Verbs behind one that never lets the flow go on, and sounds that only the caller can end. */
export function checkReach(tree: Tree, report: Report): void {
  for (const block of blocksOf(tree)) {
    if (block.kind === 'prompts') continue;
    const at = block.items.findIndex((item, n) => leaves(item) || isEndless(block, n));
    const [last, ...never] = at < 0 ? [] : block.items.slice(at);
    const first = never[0];
    if (!last || !first) continue;
    const why = leaves(last) ? `<${last.name}> ends the flow here` : `<${last.name}> sounds until the caller hangs up`;
    const others = never.length > 1 ? ` and ${never.length - 1} more are` : ' is';
    report({
      severity: 'warning',
      rule: 'unreachable',
      reason: `<${first.name}>${others} never reached: ${why}`,
      remedy: 'take it away, or move it before that',
      at: first.element,
    });
  }
  everyItem(tree, (item, { block, position }) => {
    if (block.kind === 'prompts' || !isEndless(block, position)) return;
    report({
      severity: 'warning',
      rule: 'endless',
      reason: `<${item.name} loop="0"> sounds until the caller hangs up: nothing else ends it`,
      remedy: 'give it a number of times, or let a <Gather> follow it, which a key reaches',
      at: item.element,
      attribute: 'loop',
    });
  });
}

function blocksOf(tree: Tree): Block[] {
  const blocks = [tree.root, ...(tree.error ? [tree.error] : [])];
  everyItem(tree, (item) => void blocks.push(...item.blocks));
  return blocks;
}

/** Does it sound for ever, without a Gather behind it that a key would reach? A Tone has a longest time. */
function isEndless(block: Block, position: number): boolean {
  const item = block.items[position]!;
  const endless = verbOf(item, 'Say')?.loop === 0 || verbOf(item, 'Play')?.loop === 0;
  const next = block.items.slice(position + 1).find(({ name }) => !PROMPTS.has(name));
  return endless && next?.name !== 'Gather';
}

/** Is nothing behind this verb ever reached? */
function leaves(item: Item): boolean {
  switch (item.verb?.name) {
    case 'Hangup':
    case 'Reject':
    case 'Redirect':
      return true;
    case 'Gather':
      return item.verb.remote === undefined && gatherLeaves(item);
    case 'Geo':
      return item.verb.states.length === 0 && item.verb.county === '' && blockLeaves(blockOf(item, 'verbs'));
    case 'Record':
      return item.verb.verbs !== undefined && blockLeaves(blockOf(item, 'verbs'));
    default:
      return false;
  }
}

const blockLeaves = (block: Block | undefined): boolean =>
  block?.items.some((item, n) => leaves(item) || isEndless(block, n)) ?? false;

/** Does each way out of a Gather leave the flow? */
function gatherLeaves(item: Item): boolean {
  const [fallback, error] = [blockOf(item, 'Default'), blockOf(item, 'Error')];
  const branches = item.blocks.filter(({ kind }) => kind === 'Case' || kind === 'DTMF');
  return [fallback ?? error, error ?? fallback, ...branches].every(blockLeaves);
}
