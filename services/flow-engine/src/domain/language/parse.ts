/** From an element tree to verbs. It refuses with a place and a remedy, and never throws. */
import { nearest, Refusal, readAttributes, short } from './attributes.ts';
import type { Element, Fault, ReadXml, Warning } from './element.ts';
import type { Context, SyntaxRow } from './syntax.ts';
import type { Document, Variables, Verb } from './verb.ts';

export type Parsed = { ok: true; document: Document; warnings: Warning[] } | Fault;

/** Reads a document. Never throws, whatever it is given. */
export type Parse = (xml: string) => Parsed;

/** Binds the reader of XML and the language's rows. */
export function parserOf(readXml: ReadXml, rows: readonly SyntaxRow[]): Parse {
  const byName = new Map(rows.flatMap((row) => [row.name, ...(row.aliases ?? [])].map((n) => [n.toLowerCase(), row])));
  return (xml) => {
    const read = readXml(xml);
    if (!read.ok) return read;
    const warnings: Warning[] = [];
    try {
      return { ok: true, document: response(read.root, byName, warnings), warnings };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { line, column } = error.element;
      return { ok: false, reason: error.message, line, column };
    }
  };
}

type Rows = ReadonlyMap<string, SyntaxRow>;

function response(root: Element, rows: Rows, warnings: Warning[]): Document {
  if (root.name.toLowerCase() !== 'response')
    throw new Refusal(root, `the document's root is <${short(root.name)}>; it must be <Response>`);
  if (root.text) throw new Refusal(root, `<Response> holds the text "${root.text.slice(0, 40)}" outside any verb`);
  readAttributes(root, [], (w) => warnings.push(w));
  const errors = root.children.filter((c) => c.name.toLowerCase() === 'error');
  if (errors.length > 1) throw new Refusal(errors[1]!, 'a document has one <Error> at most');
  const verbs = blockOf(root, rows, warnings, ['error']);
  if (errors[0]) checkBlock(errors[0], rows, (w) => warnings.push(w));
  return { verbs, ...(errors[0] && { error: blockOf(errors[0], rows, warnings, []) }) };
}

/** The verbs directly in a block, each with its index among same-named siblings. */
function blockOf(block: Element, rows: Rows, warnings: Warning[], skip: readonly string[]): Verb[] {
  const counts = new Map<string, number>();
  const verbs: Verb[] = [];
  for (const child of block.children) {
    if (skip.includes(child.name.toLowerCase())) continue;
    const row = rowOf(child, rows);
    if (!row.build) throw new Refusal(child, `<${row.name}> can't stand in <${block.name}>`);
    const index = counts.get(row.name) ?? 0;
    counts.set(row.name, index + 1);
    verbs.push(verbOf(child, row, index, rows, warnings));
  }
  return verbs;
}

function rowOf(element: Element, rows: Rows): SyntaxRow {
  const row = rows.get(element.name.toLowerCase());
  if (row) return row;
  const near = nearest(
    element.name,
    [...rows.values()].map((r) => r.name),
  );
  throw new Refusal(
    element,
    `<${short(element.name)}> is no element of the language${near ? `; did you mean <${near}>?` : ''}`,
  );
}

function verbOf(element: Element, row: SyntaxRow, index: number, rows: Rows, warnings: Warning[]): Verb {
  const warn = (w: Warning) => void warnings.push(w);
  checkContent(element, row, rows);
  const attributes = readAttributes(element, row.attributes, warn);
  const named = (names: string[]) =>
    element.children.filter((c) => names.some((n) => n.toLowerCase() === c.name.toLowerCase()));
  const context: Context = {
    element,
    text: element.text,
    index,
    verbs: (block) => {
      checkBlock(block, rows, warn);
      return blockOf(block, rows, warnings, block === element ? ['error'] : []);
    },
    all: (...names) => named(names),
    block: (name) => {
      const [block, second] = named([name]);
      if (second) throw new Refusal(second, `<${element.name}> has one <${name}> at most`);
      if (!block) return undefined;
      checkBlock(block, rows, warn);
      return blockOf(block, rows, warnings, []);
    },
    attributesOf: (child) => readAttributes(child, rowOf(child, rows).attributes, warn),
    check: (child) => {
      checkContent(child, rowOf(child, rows), rows);
      readAttributes(child, rowOf(child, rows).attributes, warn);
    },
    refuse: (reason, at = element) => {
      throw new Refusal(at, reason);
    },
    warn: (reason, at = element) => warn({ line: at.line, column: at.column, reason }),
  };
  const verb = row.build!(attributes, context);
  // Among verbs a Meta is a verb of its own.
  const metas = holdsVerbs(verb) ? [] : context.all('Meta');
  if (metas.length === 0) return verb;
  return { ...verb, meta: Object.assign({}, ...metas.map((m) => variableOf(m, rows, context))) };
}

const holdsVerbs = (verb: Verb) => 'verbs' in verb && verb.verbs !== undefined;

/** The variable that a Meta below a command sets when that command starts. */
function variableOf(element: Element, rows: Rows, parent: Context): Variables {
  parent.check(element);
  const refuse: Context['refuse'] = (reason) => parent.refuse(reason, element);
  const own = { ...parent, element, text: element.text, refuse };
  return rowOf(element, rows).build!(parent.attributesOf(element), own).meta ?? {};
}

/** A block element (`Case`, `Error` …) must hold verbs only. */
function checkBlock(block: Element, rows: Rows, warn: (w: Warning) => void): void {
  const row = rowOf(block, rows);
  if (row.attributes.length === 0) readAttributes(block, [], warn);
  if (block.text && !row.text)
    throw new Refusal(block, `<${block.name}> holds the text "${block.text.slice(0, 40)}" outside any verb`);
}

function checkContent(element: Element, row: SyntaxRow, rows: Rows): void {
  if (element.text && !row.text)
    throw new Refusal(element, `<${row.name}> holds the text "${element.text.slice(0, 40)}"; it takes none`);
  for (const child of element.children) {
    const found = rowOf(child, rows);
    const isMeta = found.name === 'Meta' && row.build !== undefined;
    const fits = isMeta || row.children.some((n) => n === found.name || (n === 'verbs' && found.build));
    if (fits) continue;
    const may =
      row.children.length > 0
        ? `; it may hold ${row.children.map((n) => (n === 'verbs' ? 'verbs' : `<${n}>`)).join(', ')}`
        : '; it takes no children';
    throw new Refusal(child, `<${found.name}> can't stand in <${row.name}>${may}`);
  }
}
