/** A document as the linter looks at it: each verb beside the element it was written as, block within block. */
import type { Element } from '../domain/language/element.ts';
import type { Verb, VerbName, VerbOf } from '../domain/language/verb.ts';

/** A verb in its place. `verb` is absent where its element can't be made into one. */
export type Item = { element: Element; name: string; verb?: Verb; blocks: Block[] };

/** Verbs that run one after the other. `kind`: `verbs` directly in an element, `prompts` of a Gather or Hold, else the
 * name of the part that holds them (`Case`, `Error` …). */
export type Block = { kind: string; element: Element; items: Item[] };

/** The root's verbs, and its Error's. */
export type Tree = { root: Block; error?: Block };

/** Where an item stands: among which, and whether anything runs after its block is done. */
export type Place = { block: Block; position: number; follows: boolean };

/** Looks at every item of the tree in document order. */
export function everyItem(tree: Tree, look: (item: Item, place: Place) => void): void {
  const walk = (block: Block, follows: boolean): void => {
    for (const [position, item] of block.items.entries()) {
      const more = block.kind !== 'prompts' && position < block.items.length - 1;
      look(item, { block, position, follows: more || follows });
      for (const inner of item.blocks) walk(inner, more || follows);
    }
  };
  walk(tree.root, false);
  // The document's Error runs once, and then the call is hung up.
  if (tree.error) walk(tree.error, false);
}

/** The verb of an item, where it is of that name and could be built. */
export function verbOf<N extends VerbName>(item: Item, name: N): VerbOf<N> | undefined {
  return item.verb?.name === name ? (item.verb as VerbOf<N>) : undefined;
}

export const blockOf = (item: Item, kind: string): Block | undefined => item.blocks.find((b) => b.kind === kind);

/** The attribute as the document spells it; undefined where it doesn't have it. */
export function written(element: Element, ...names: string[]): string | undefined {
  return Object.keys(element.attributes).find((n) => names.some((name) => name.toLowerCase() === n.toLowerCase()));
}
