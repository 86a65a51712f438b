/** What a document looks like once it is well-formed XML: plain data, with the place of each element. */

/** `attributes` keep the spelling of the document; `line` and `column` are 1-based. */
export type Element = {
  name: string;
  attributes: Record<string, string>;
  text: string;
  children: Element[];
  line: number;
  column: number;
};

/** Where a document is wrong, and what to do about it. */
export type Fault = { ok: false; reason: string; line: number; column: number };

/** Reads text as one well-formed, bounded XML element. Chosen at the edge of the domain, which knows no XML library. */
export type ReadXml = (xml: string) => { ok: true; root: Element } | Fault;

/** A complaint that stops nothing. */
export type Warning = { line: number; column: number; reason: string };
