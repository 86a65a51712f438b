/**
 * Elements and attributes against the language's rows. The parser stops at its first refusal; this goes on and tells
 * them all, with the parser's own words. It reports an error exactly where the parser refuses a document.
 */
import { type Attributes, nearest, Refusal, short } from '../domain/language/attributes.ts';
import type { Element } from '../domain/language/element.ts';
import type { Context, SyntaxRow } from '../domain/language/syntax.ts';
import type { Verb } from '../domain/language/verb.ts';
import { quoted, type Read, readEach, same } from './attributes.ts';
import type { Report } from './finding.ts';
import { foreignContent, foreignElement } from './foreign.ts';
import type { Block, Item, Tree } from './tree.ts';

/** Reads a whole document as far as it can be read, and reports what the language refuses in it. */
export function readStructure(root: Element, rows: readonly SyntaxRow[], report: Report): Tree {
  return new Structure(rows, report).document(root);
}

class Structure {
  readonly #rows: readonly SyntaxRow[];
  readonly #report: Report;
  readonly #items = new Map<Element, Item>();
  readonly #reads = new Map<Element, Read>();

  constructor(rows: readonly SyntaxRow[], report: Report) {
    this.#rows = rows;
    this.#report = report;
  }

  document(root: Element): Tree {
    if (!same(root.name, 'response'))
      this.#error(root, 'root', `the document's root is <${root.name}>; it must be <Response>`);
    if (root.text) this.#error(root, 'stray-text', `<Response> holds the text ${quoted(root.text)} outside any verb`);
    this.#read(root, []);
    const errors = root.children.filter((c) => same(c.name, 'error'));
    if (errors[1]) this.#error(errors[1], 'second-error', 'a document has one <Error> at most');
    const tree: Tree = { root: this.#block('verbs', root, ['error']) };
    if (errors[0]) tree.error = this.#part(errors[0], this.#row('Error')!);
    return tree;
  }

  /** The verbs directly in an element. */
  #block(kind: string, element: Element, skip: readonly string[] = []): Block {
    const items = element.children.flatMap((child) => {
      if (skip.some((name) => same(name, child.name))) return [];
      const row = this.#known(child);
      if (!row) return [];
      if (row.build) return [this.#item(child, row)];
      this.#error(child, 'misplaced', `<${row.name}> can't stand in <${element.name}>`);
      return [];
    });
    return { kind, element, items };
  }

  /** An element that is part of another and holds verbs. */
  #part(element: Element, row: SyntaxRow): Block {
    this.#read(element, row.attributes);
    if (element.text)
      this.#error(element, 'stray-text', `<${element.name}> holds the text ${quoted(element.text)} outside any verb`);
    return this.#block(row.name, element);
  }

  #item(element: Element, row: SyntaxRow): Item {
    const item: Item = { element, name: row.name, blocks: [] };
    this.#items.set(element, item);
    this.#content(element, row);
    const { attributes, sound } = this.#read(element, row.attributes);
    this.#children(item, row);
    const verb = this.#built(element, row, attributes, sound);
    if (verb) item.verb = verb;
    return item;
  }

  /** Text and children that the row doesn't admit. */
  #content(element: Element, row: SyntaxRow): void {
    if (element.text && !row.text)
      this.#error(element, 'stray-text', `<${row.name}> holds the text ${quoted(element.text)}; it takes none`);
    for (const child of element.children) {
      const found = this.#row(child.name);
      if (!found || admits(row, found)) continue;
      const may = row.children.map((n) => (n === 'verbs' ? 'verbs' : `<${n}>`)).join(', ');
      const remedy = may ? `it may hold ${may}` : 'it takes no children';
      this.#error(child, 'misplaced', `<${found.name}> can't stand in <${row.name}>`, remedy);
    }
  }

  /** Everything below a verb, whatever the verb itself makes of it. */
  #children(item: Item, row: SyntaxRow): void {
    const { element } = item;
    const own = new Set<Element>();
    const within = element.children.find((c) => same(c.name, 'Switch'));
    const overruled = (part: SyntaxRow) =>
      /^(Default|Error)$/.test(part.name) && within?.children.some((c) => same(c.name, part.name));
    for (const child of element.children) {
      const part = this.#known(child);
      if (!part || !admits(row, part)) continue;
      if (part.build) own.add(child);
      else if (part.name === 'Switch') item.blocks.unshift(...this.#switch(child, part));
      else if (row.name === 'Gather' && overruled(part))
        this.#warn(child, 'never-runs', `this <${part.name}> never runs: that of the <Switch> wins`, 'keep one');
      else if (part.children.includes('verbs')) item.blocks.push(this.#part(child, part));
      else this.#leaf(child, part);
    }
    const holdsVerbs = row.children.includes('verbs');
    const verbs = [...own].filter((child) => !same(child.name, 'meta') || (holdsVerbs && this.#isBlock(element, row)));
    for (const child of own) if (!verbs.includes(child)) this.#variable(child);
    if (verbs.length > 0)
      item.blocks.unshift(this.#block(holdsVerbs ? 'verbs' : 'prompts', { ...element, children: verbs }));
  }

  /** Without a verb in it a Record is no block, and a Meta in it is its own. */
  #isBlock(element: Element, row: SyntaxRow): boolean {
    return row.name !== 'Record' || element.children.some((c) => !/^(error|meta)$/i.test(c.name));
  }

  #switch(element: Element, row: SyntaxRow): Block[] {
    this.#leafOnly(element, row);
    return element.children.flatMap((child) => {
      const part = this.#known(child);
      return part && admits(row, part) ? [this.#part(child, part)] : [];
    });
  }

  /** A part without verbs: a target of a Dial, a header of a Curl. */
  #leaf(element: Element, row: SyntaxRow): void {
    this.#leafOnly(element, row);
    for (const child of element.children) this.#known(child);
  }

  #leafOnly(element: Element, row: SyntaxRow): void {
    this.#content(element, row);
    this.#read(element, row.attributes);
  }

  /** A Meta below a command: its value is set when that command starts. */
  #variable(element: Element): void {
    const row = this.#row('Meta')!;
    this.#leaf(element, row);
    const { attributes } = this.#read(element, row.attributes);
    if (element.text && attributes.has('value'))
      this.#error(element, 'both', '<Meta> has both a value and a content: keep one');
    else if (element.text.length > 1024)
      this.#error(element, 'too-long', 'the content of <Meta> is longer than 1024 characters', 'shorten it');
  }

  /** The verb that the row makes of it; what the row refuses is reported once, unless an attribute explains it. */
  #built(element: Element, row: SyntaxRow, attributes: Attributes, sound: boolean): Verb | undefined {
    const verbs = (block: Element) =>
      block.children.flatMap((c) => (this.#items.get(c)?.verb ? [this.#items.get(c)!.verb!] : []));
    const all = (...names: string[]) => element.children.filter((c) => names.some((n) => same(n, c.name)));
    const context: Context = {
      element,
      text: element.text,
      index: 0,
      verbs: (block) =>
        block === element
          ? verbs({ ...block, children: block.children.filter((c) => !same(c.name, 'error')) })
          : verbs(block),
      all,
      block: (name) => {
        const [block, second] = all(name);
        if (second) throw new Refusal(second, `<${element.name}> has one <${name}> at most`);
        return block && verbs(block);
      },
      attributesOf: (child) => this.#read(child, this.#row(child.name)?.attributes ?? []).attributes,
      check: () => undefined, // every part was looked at already
      refuse: (reason, at = element) => {
        throw new Refusal(at, reason);
      },
      warn: (reason, at = element) => this.#warn(at, 'suspicious', reason),
    };
    try {
      return row.build!(attributes, context);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const misread = element.children.some((child) => !this.#row(child.name));
      if (sound && !misread) this.#error(error.element, 'refused', error.message, foreignContent(error.element));
      return undefined;
    }
  }

  #row(name: string): SyntaxRow | undefined {
    return this.#rows.find((row) => [row.name, ...(row.aliases ?? [])].some((n) => same(n, name)));
  }

  /** The row of an element; one that the language doesn't have is reported, and read as the nearest that it has. */
  #known(element: Element): SyntaxRow | undefined {
    const row = this.#row(element.name);
    if (row) return row;
    const foreign = foreignElement(element);
    const near =
      foreign === undefined
        ? nearest(
            element.name,
            this.#rows.map((r) => r.name),
          )
        : undefined;
    const remedy = foreign ?? (near ? `did you mean <${near}>?` : 'see LANGUAGE.md for those that are');
    this.#error(element, 'unknown-element', `<${short(element.name)}> is no element of the language`, remedy);
    return near === undefined ? undefined : this.#row(near);
  }

  /** The attributes of an element, read once. */
  #read(element: Element, rows: SyntaxRow['attributes']): Read {
    const read =
      this.#reads.get(element) ?? readEach(element, this.#row(element.name)?.name ?? element.name, rows, this.#report);
    this.#reads.set(element, read);
    return read;
  }

  #error(at: Element, rule: string, reason: string, remedy = ''): void {
    this.#report({ severity: 'error', rule, reason, remedy, at });
  }
  #warn(at: Element, rule: string, reason: string, remedy = ''): void {
    this.#report({ severity: 'warning', rule, reason, remedy, at });
  }
}

/** May it stand there? A Meta may stand in every verb. */
const admits = (row: SyntaxRow, child: SyntaxRow) =>
  (child.name === 'Meta' && row.build !== undefined) ||
  row.children.some((name) => name === child.name || (name === 'verbs' && child.build !== undefined));
