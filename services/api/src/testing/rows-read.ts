/**
 * How many rows PostgreSQL looks at for what some code asks of it: its own count, by `explain analyze`, which is the same
 * on a busy machine.
 */
import { queriesOf } from '@opentact/event-log/testing';
import { CompiledQuery } from 'kysely';
import type { Database } from '../database/database.ts';

type Plan = {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  Plans?: Plan[];
};

/** Rows of tables and indexes that the selects of `run` looked at, summed. One `run` at a time in a process. */
export async function rowsRead<T>(db: Database, run: () => Promise<T>): Promise<{ result: T; rows: number }> {
  const { result, asked } = await queriesOf(run);
  let rows = 0;
  for (const { text, values } of asked.filter(({ text }) => /^select\b/i.test(text))) {
    const explain = `explain (analyze, costs off, timing off, format json) ${text}`;
    const explained = await db.executeQuery<{ 'QUERY PLAN': [{ Plan: Plan }] }>(CompiledQuery.raw(explain, values));
    rows += lookedAt(explained.rows[0]!['QUERY PLAN'][0].Plan);
  }
  return { result, rows };
}

function lookedAt(plan: Plan): number {
  const isScan = plan['Relation Name'] !== undefined || plan['Index Name'] !== undefined;
  const each =
    plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0) + (plan['Rows Removed by Index Recheck'] ?? 0);
  return (isScan ? each * plan['Actual Loops'] : 0) + (plan.Plans ?? []).reduce((sum, one) => sum + lookedAt(one), 0);
}
