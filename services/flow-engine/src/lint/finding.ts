/** What the linter has to say: where, how bad, what is wrong and how to mend it. */
import type { Element } from '../domain/language/element.ts';

/** An error: a call can't run the document. A warning: it runs, but hardly as it was meant. */
export type Severity = 'error' | 'warning';

/** `line` and `column` are 1-based; `rule` is a short name that stays the same while words change. */
export type Finding = {
  line: number;
  column: number;
  severity: Severity;
  rule: string;
  reason: string;
  /** How to mend it; empty where the reason says it already. */
  remedy: string;
};

/** Whoever checks something tells it what was found, and where: an element, perhaps one attribute of it. */
export type Report = (found: {
  severity: Severity;
  rule: string;
  reason: string;
  remedy?: string;
  at: Element;
  attribute?: string;
}) => void;

/** `file:3:7: warning: … Mend: …`, as editors and terminals know it. */
export function findingLine(file: string, { line, column, severity, reason, remedy, rule }: Finding): string {
  return `${file}:${line}:${column}: ${severity}: ${reason}${remedy ? `; ${remedy}` : ''} [${rule}]`.replace(
    /\p{Cc}/gu,
    '·',
  );
}
