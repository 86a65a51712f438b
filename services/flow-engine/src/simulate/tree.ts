/** An exploration as a tree to read: choices that walks have in common are written once. */
import type { Exploration, Walk } from './explore.ts';

const HEARD_MAX = 100;

/** Lines of the tree, then what was never reached and what stopped it. */
export function treeOf({ walks, never, stopped }: Exploration): string[] {
  const endings = new Set(walks.map(({ ended }) => ended)).size;
  return [
    ...branches(walks, 0, ''),
    '',
    `${walks.length} calls, ${endings} kinds of ending`,
    ...(never.length === 0 ? ['Every verb was reached.'] : ['Never reached:', ...never.map((path) => `  ${path}`)]),
    ...stopped.map((bound) => `Stopped short: ${bound}.`),
  ];
}

function branches(walks: Walk[], depth: number, indent: string): string[] {
  const lines: string[] = [];
  for (let at = 0; at < walks.length; ) {
    const [first, choice] = [walks[at]!, walks[at]!.choices[depth]];
    const name = choice && nameOf(choice);
    const run = walks.slice(at).findIndex(({ choices }) => (choices[depth] && nameOf(choices[depth])) !== name);
    const same = run < 0 ? walks.slice(at) : walks.slice(at, at + run);
    at += same.length;
    if (name === undefined) lines.push(...same.map((walk) => `${indent}${leaf(walk)}`));
    else if (same.length === 1) lines.push(`${indent}${restOf(first, depth)}`, `${indent}    ${leaf(first)}`);
    else lines.push(`${indent}${name}`, ...branches(same, depth + 1, `${indent}  `));
  }
  return lines;
}

const nameOf = ({ at, option }: { at: string; option: string }) => (at ? `${at}: ${option}` : option);

/** A single walk needs no line for each of its choices. */
const restOf = ({ choices }: Walk, depth: number) => choices.slice(depth).map(nameOf).join(' → ');

function leaf({ ended, heard }: Walk): string {
  // The last that was heard is what tells endings apart.
  const first = heard.findIndex((_, n) => heard.slice(n).join(' ').length <= HEARD_MAX);
  const words = `${first === 0 ? '' : '… '}${(first < 0 ? heard.slice(-1) : heard.slice(first)).join(' ').slice(0, HEARD_MAX)}`;
  return `⇒ ${ended}${heard.length > 0 ? `   heard: ${words}` : ''}`.replace(/\p{Cc}/gu, '·');
}
