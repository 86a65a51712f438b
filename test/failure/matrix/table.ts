/** The matrix as text: a row for what died, a column for the moment, the milliseconds until the call was seen to go on. */
import type { Survived } from './cell.ts';

type Named = { name: string };

export function tableOf(
  log: string,
  victims: readonly Named[],
  situations: readonly Named[],
  found: ReadonlyMap<string, Survived | Error>,
): string {
  const cell = (victim: Named, situation: Named) => {
    const result = found.get(`${victim.name}/${situation.name}`);
    return result === undefined ? '' : result instanceof Error ? 'FAILED' : String(result.recoveredMs);
  };
  const rows = [
    [log, ...situations.map((s) => s.name)],
    ...victims.map((v) => [v.name, ...situations.map((s) => cell(v, s))]),
  ];
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const lines = rows.map((row) => `| ${row.map((text, i) => text.padEnd(widths[i]!)).join(' | ')} |`);
  lines.splice(1, 0, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`);
  return `${lines.join('\n')}\n`;
}
