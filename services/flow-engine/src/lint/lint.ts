/**
 * The linter: every finding of one document at once. It reads the rows that the parser reads, reports an error exactly
 * where the parser refuses, and warns of what runs but hardly as it was meant. Pure: it asks no address itself.
 */
import type { Element } from '../domain/language/element.ts';
import { ROWS } from '../domain/verbs/index.ts';
import { readXml } from '../xml/read-xml.ts';
import { type Address, addressesOf, checkLoops } from './addresses.ts';
import { checkContradictions } from './contradictions.ts';
import type { Finding, Report } from './finding.ts';
import { checkGathers } from './gathers.ts';
import { placesIn } from './places.ts';
import { checkReach } from './reach.ts';
import { checkRecordings } from './recordings.ts';
import { readStructure } from './structure.ts';

/** `self`: the address that the document is served at. */
export type LintOptions = { self?: string };

/** An address that the document asks, and where it stands. */
export type PlacedAddress = Omit<Address, 'element' | 'attribute'> & { line: number; column: number };

/** Findings in the order of the document, 1,000 at most, and the addresses that it asks. Never throws. */
export function lint(document: string, options: LintOptions = {}): { findings: Finding[]; addresses: PlacedAddress[] } {
  const { xml, shift } = trimmed(document);
  const read = readXml(xml);
  if (!read.ok)
    return {
      findings: [{ severity: 'error', rule: 'xml', reason: read.reason, remedy: '', ...shift(read) }],
      addresses: [],
    };
  const places = placesIn(xml);
  const at = (element: Element, attribute?: string) => shift(places.of(element, attribute));
  const found = new Map<string, Finding>();
  const report: Report = ({ severity, rule, reason, remedy = '', at: element, attribute }) => {
    const finding = { ...at(element, attribute), severity, rule, reason, remedy };
    if (found.size < FINDINGS_MAX) found.set(`${finding.line}:${finding.column}:${reason}`, finding);
  };
  const tree = readStructure(read.root, ROWS, report);
  checkReach(tree, report);
  checkGathers(tree, report);
  checkRecordings(tree, report);
  checkContradictions(tree, options.self !== undefined, report);
  if (options.self !== undefined) checkLoops(tree, options.self, report);
  const findings = [...found.values()].sort((a, b) => a.line - b.line || a.column - b.column);
  const addresses = addressesOf(tree).map(({ element, attribute, url, asked }) => ({
    url,
    asked,
    ...at(element, attribute),
  }));
  return { findings, addresses };
}

const FINDINGS_MAX = 1_000;

/** The document as its places are counted: from its first character that is no white space, lines ending in LF. */
function trimmed(document: string) {
  const text = document.replace(/\r\n?/g, '\n').replace(/^\uFEFF/, '');
  const xml = text.trimStart();
  const before = text.slice(0, text.length - xml.length).split('\n');
  const [lines, columns] = [before.length - 1, before.at(-1)!.length];
  return {
    xml,
    shift: ({ line, column }: { line: number; column: number }) => ({
      line: line + lines,
      column: line === 1 ? column + columns : column,
    }),
  };
}
