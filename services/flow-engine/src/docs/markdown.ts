/** LANGUAGE.md: what is written by hand, then every element as its row has it. */
import type { AttributeRow } from '../domain/language/attributes.ts';
import type { SyntaxRow } from '../domain/language/syntax.ts';
import { EXAMPLES } from './examples.ts';
import { MEANING } from './meaning.ts';

/** The whole file. */
export function languageMarkdown(rows: readonly SyntaxRow[]): string {
  const verbs = rows.filter((row) => row.build);
  const parts = rows.filter((row) => !row.build);
  const index = (of: readonly SyntaxRow[]) => of.map(({ name }) => `[${name}](#${name.toLowerCase()})`).join(', ');
  return `${MEANING}
## Elements

Verbs: ${index(verbs)}.

Parts of verbs: ${index(parts)}.

Every verb may hold \`<Meta>\`.

${[...verbs, ...parts].map((row) => elementMarkdown(row, rows)).join('\n')}`;
}

function elementMarkdown(row: SyntaxRow, rows: readonly SyntaxRow[]): string {
  const { name, aliases = [], meaning, attributes, children, text } = row;
  const within = rows.filter((r) => r.children.includes(name)).map((r) => `\`${r.name}\``);
  const holds = [...(text ? ['text'] : []), ...children.map((c) => (c === 'verbs' ? 'verbs' : `\`${c}\``))];
  const lines = [
    `### ${name}`,
    '',
    meaning,
    '',
    ...(aliases.length > 0 ? [`Also written ${aliases.map((a) => `\`<${a}>\``).join(', ')}.`, ''] : []),
    ...(row.build ? [] : [`Part of ${within.length > 0 ? within.join(', ') : '`Response`'}.`, '']),
    `Holds ${holds.length > 0 ? holds.join(', ') : 'nothing'}.`,
    '',
    ...(attributes.length > 0 ? table(attributes) : []),
    '```xml',
    '<Response>',
    ...(EXAMPLES[name] ?? '').split('\n').map((line) => `  ${line}`),
    '</Response>',
    '```',
    '',
  ];
  return lines.join('\n');
}

function table(attributes: readonly AttributeRow[]): string[] {
  return [
    '| attribute | value | default | meaning |',
    '| --- | --- | --- | --- |',
    ...attributes.map((row) => {
      const names = [row.name, ...(row.aliases ?? [])].map((n) => `\`${n}\``).join(', ');
      return `| ${names} | ${cell(allowed(row))} | ${row.required ? 'needed' : defaultOf(row)} | ${cell(row.meaning)} |`;
    }),
    '',
  ];
}

const cell = (text: string) => text.replaceAll('|', '\\|');
const defaultOf = (row: AttributeRow) => (row.default ? `\`${row.default}\`` : '');

/** What may be written, in words. */
export function allowed(row: AttributeRow): string {
  switch (row.kind) {
    case 'text':
      return `text, ${row.max ?? 4096} characters at most`;
    case 'integer':
      return `${row.min} to ${row.max}`;
    case 'boolean':
      return '`true` or `false`';
    case 'choice':
      return row.values.map((v) => `\`${v}\``).join(', ');
    case 'list':
      return `some of ${row.values.map((v) => `\`${v}\``).join(', ')}, with commas`;
    case 'pattern':
      return row.shape;
    case 'keys':
      return `keys of 0-9 * #, ${row.max} at most`;
    case 'url':
      return 'an http or https address';
  }
}
