/** `npm run flow -- simulate`: a document run by the production engine on a virtual clock, once or every way. */

import { storyLine } from '@opentact/proto';
import { isTimeZone } from '../domain/verbs/conditions-syntax.ts';
import { readable } from '../replay/story.ts';
import { explore } from '../simulate/explore.ts';
import { type Callee, type Scenario, simulate } from '../simulate/simulate.ts';
import { treeOf } from '../simulate/tree.ts';
import { parseDocument } from '../xml/document.ts';
import { Misused, millisecondsOf, out, read, readArguments } from './terminal.ts';

export const SIMULATE_HELP = `npm run flow -- simulate FILE [options]
    Runs a document by the production engine on a virtual clock, without network or telephony: prints the story,
    one event per line, and what the caller would hear. Ends 0 when the call ended.
      --press KEYS          keys, one after the other, each when a Gather listens; repeat for more
      --from N, --to N      the caller's and the called number; the caller is at home where its area code says
      --hangup-after MS     the caller hangs up this long after the answer
      --callee WHAT         answers (default), busy, silent
      --at TIME, --tz ZONE  when the call arrives, ISO 8601; the account's time zone
      --server PREFIX=FILE  what addresses that begin so answer; FILE may be an HTTP status, like 500; repeat for more
      --order MS=FILE       a document is sent to the live call this long after it arrived; repeat for more
      --no-auto-answer      the app doesn't answer by itself
      --json                the story, what was heard and the ending as one JSON object
      --explore             every way: each key, callee, server and condition, both ways; 2,000 calls or 30 s at most
`;

const OPTIONS = {
  json: { type: 'boolean' },
  explore: { type: 'boolean' },
  press: { type: 'string', multiple: true },
  from: { type: 'string' },
  to: { type: 'string' },
  at: { type: 'string' },
  tz: { type: 'string' },
  callee: { type: 'string' },
  server: { type: 'string', multiple: true },
  order: { type: 'string', multiple: true },
  'hangup-after': { type: 'string' },
  'no-auto-answer': { type: 'boolean' },
} as const;

type Values = ReturnType<typeof readArguments<typeof OPTIONS>>['values'];
const EXPLORE_MS = 30_000;

/** @returns the exit code. @throws Misused */
export async function simulateCommand(args: string[]): Promise<number> {
  const { values, subject } = readArguments(args, OPTIONS, 'FILE');
  const xml = read(subject);
  const parsed = parseDocument(xml);
  if (!parsed.ok) {
    out(`${subject}:${parsed.line}:${parsed.column}: error: ${parsed.reason}`);
    return 1;
  }
  const { scenario, documents } = scenarioOf(xml, values);
  return values.explore ? explored(scenario, documents, values.json ?? false) : ran(scenario, values.json ?? false);
}

function scenarioOf(xml: string, values: Values): { scenario: Scenario; documents: string[] } {
  const callee = (values.callee ?? 'answers') as Callee;
  if (!['answers', 'busy', 'silent'].includes(callee)) throw new Misused(`--callee ${callee}: answers, busy or silent`);
  const at = values.at === undefined ? undefined : Date.parse(values.at);
  if (Number.isNaN(at)) throw new Misused(`--at ${values.at}: not a time; write 2026-11-22T09:00:00Z`);
  if (values.tz !== undefined && !isTimeZone(values.tz))
    throw new Misused(`--tz ${values.tz}: no time zone; write America/New_York`);
  for (const keys of values.press ?? [])
    if (!/^[0-9*#A-D]+$/i.test(keys)) throw new Misused(`--press ${keys}: keys of 0-9 * # A-D`);
  const hangupAfterMs = millisecondsOf('hangup-after', values['hangup-after']);
  const servers = (values.server ?? []).map((text) => serverOf(text));
  const orders = (values.order ?? []).map((text) => {
    const [ms, path] = pairOf('order', text, 'MS=FILE');
    return { at: millisecondsOf('order', ms)!, xml: read(path) };
  });
  const scenario: Scenario = {
    xml,
    callee,
    autoAnswer: !values['no-auto-answer'],
    server: ({ url }) => servers.find(({ prefix }) => url.startsWith(prefix))?.answer ?? { status: 200, body: '' },
    orders,
    ...(values.press && { press: values.press.flatMap((keys) => [...keys.toUpperCase()]) }),
    ...(values.from !== undefined && { from: values.from }),
    ...(values.to !== undefined && { to: values.to }),
    ...(values.tz !== undefined && { timeZone: values.tz }),
    ...(hangupAfterMs !== undefined && { hangupAfterMs }),
    ...(at !== undefined && { at }),
  };
  return { scenario, documents: [...servers.map(({ answer }) => answer.body), ...orders.map((order) => order.xml)] };
}

function serverOf(text: string): { prefix: string; answer: { status: number; body: string } } {
  const [prefix, path] = pairOf('server', text, 'URLPREFIX=FILE');
  return {
    prefix,
    answer: /^[1-5]\d\d$/.test(path) ? { status: Number(path), body: '' } : { status: 200, body: read(path) },
  };
}

/** Splits at the last =, as an address may hold some. */
function pairOf(name: string, text: string, form: string): [string, string] {
  const at = text.lastIndexOf('=');
  if (at < 1 || at === text.length - 1) throw new Misused(`--${name} ${text}: write ${form}`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function ran(scenario: Scenario, json: boolean): number {
  const { events, heard, call } = simulate(scenario);
  const { ended } = call;
  if (json) out(JSON.stringify({ events: events.map((event) => readable(event)), heard, ended: ended ?? null }));
  else {
    out(...events.map((event) => storyLine(event, events[0]!.at)), '', 'The caller hears:');
    out(...heard.map(({ at, what }) => `  ${(at / 1000).toFixed(1).padStart(6)} s  ${what}`), '');
    out(ended ? `Ended by ${ended.owner}: ${ended.reason}` : 'The call did not end.');
  }
  return ended ? 0 : 1;
}

function explored(scenario: Scenario, documents: string[], json: boolean): number {
  const until = Date.now() + EXPLORE_MS;
  const exploration = explore(scenario, { documents, isLate: () => Date.now() > until });
  if (json) out(JSON.stringify(exploration));
  else out(...treeOf(exploration));
  return 0;
}
