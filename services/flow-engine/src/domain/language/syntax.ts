/**
 * One screen that lists the language: each element's attributes, children and how it becomes a verb. The parser reads
 * it; nothing else decides what an element may hold.
 */
import type { AttributeRow, Attributes } from './attributes.ts';
import type { Element } from './element.ts';
import type { Verb } from './verb.ts';

/** What a row's `build` may ask of the parser. */
export type Context = {
  /** The element's text without surrounding white space. */
  text: string;
  /** The element's index among same-named siblings. */
  index: number;
  /** Parses the verbs of a block, or of the element itself. */
  verbs(block: Element): Verb[];
  /** Children with one of these names, in order. */
  all(...names: string[]): Element[];
  /** The verbs of the one child block with this name; undefined where there is none. @throws Refusal on a second one */
  block(name: string): Verb[] | undefined;
  /** Attributes of a child by its own row. */
  attributesOf(child: Element): Attributes;
  /** The element itself. */
  element: Element;
  /** Does a part hold only what its own row admits? @throws Refusal */
  check(child: Element): void;
  refuse(reason: string, at?: Element): never;
  warn(reason: string, at?: Element): void;
};

export type SyntaxRow = {
  /** Canonical spelling; elements are matched case-insensitively. */
  name: string;
  aliases?: readonly string[];
  meaning: string;
  attributes: readonly AttributeRow[];
  /** Names of child elements; `verbs` stands for any verb. */
  children: readonly string[];
  text: boolean;
  /** Absent on elements that are part of another (`Case`, `To` …). */
  build?: (attributes: Attributes, context: Context) => Verb;
};

export const TAG: AttributeRow = {
  name: 'tag',
  kind: 'text',
  max: 255,
  default: '',
  meaning: 'Copied into the events of this verb.',
};
