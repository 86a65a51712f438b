/** The attributes of one element against their rows: every fault is told, and what is right is read all the same. */
import { type AttributeRow, Attributes, faultOf, nearest, short } from '../domain/language/attributes.ts';
import type { Element } from '../domain/language/element.ts';
import type { Report } from './finding.ts';
import { foreignAddress, foreignAttribute } from './foreign.ts';

/** What could be read of an element; `sound` where nothing was wrong. */
export type Read = { attributes: Attributes; sound: boolean };

export const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();
export const quoted = (text: string) => `"${text.slice(0, 40)}"`;

/** Reads them all. @param name the element's in the language, however the document spells it */
export function readEach(element: Element, name: string, rows: readonly AttributeRow[], report: Report): Read {
  const values = new Map<string, string>();
  const seen = new Map<string, string>();
  let sound = true;
  const wrong = (rule: string, reason: string, attribute?: string, remedy = ''): void => {
    sound = false;
    report({ severity: 'error', rule, reason, remedy, at: element, ...(attribute && { attribute }) });
  };
  for (const [spelled, value] of Object.entries(element.attributes)) {
    const twin = seen.get(spelled.toLowerCase());
    if (twin) {
      wrong('attribute-twice', `<${element.name}> has both ${twin} and ${spelled}: keep one`, spelled);
      continue;
    }
    seen.set(spelled.toLowerCase(), spelled);
    const row = rows.find((r) => [r.name, ...(r.aliases ?? [])].some((n) => same(n, spelled)));
    if (!row) {
      unknown(element, name, spelled, rows, report);
      continue;
    }
    const fault = faultOf(row, value.trim());
    if (fault)
      wrong(
        'attribute-value',
        `${spelled}=${quoted(value)} of <${element.name}> ${fault}`,
        spelled,
        remedyOf(row, value),
      );
    else if (values.has(row.name))
      wrong('attribute-twice', `<${element.name}> says ${row.name} twice (${spelled})`, spelled);
    else values.set(row.name, row.kind === 'text' ? value : value.trim());
  }
  // A value that is wrong isn't missing as well.
  for (const row of rows)
    if (row.required && !values.has(row.name) && sound)
      wrong('attribute-missing', `<${element.name}> needs the attribute ${row.name}`);
  const given = new Set(values.keys());
  for (const row of rows) if (row.default !== undefined && !given.has(row.name)) values.set(row.name, row.default);
  return { attributes: new Attributes(element, values, given), sound };
}

const remedyOf = ({ kind }: AttributeRow, value: string) => (kind === 'url' ? foreignAddress(value.trim()) : undefined);

function unknown(at: Element, name: string, attribute: string, rows: readonly AttributeRow[], report: Report): void {
  const names = rows.map((row) => row.name);
  const foreign = foreignAttribute(at, name, attribute);
  const near = nearest(attribute, names);
  const has = names.length > 0 ? `it has ${names.join(', ')}` : 'it has none';
  const remedy = foreign ?? (near ? `did you mean ${near}?` : has);
  const rule = foreign ? 'other-dialect' : 'unknown-attribute';
  report({
    severity: 'warning',
    rule,
    reason: `<${at.name}> has no attribute ${short(attribute)}: it is ignored`,
    remedy,
    at,
    attribute,
  });
}
