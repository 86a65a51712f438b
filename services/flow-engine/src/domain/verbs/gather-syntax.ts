/** How a Gather is written, in both dialects of the reference (section 4.12, decided in contracts.md 3-5). */
import { type AttributeRow, milliseconds } from '../language/attributes.ts';
import type { Element } from '../language/element.ts';
import { type Context, type SyntaxRow, TAG } from '../language/syntax.ts';
import type { Branch, Gather, Prompt } from '../language/verb.ts';
import { checkPrompts } from './prompts.ts';

export const KEYS_MAX = 32;

const A: AttributeRow[] = [
  { name: 'numDigits', kind: 'integer', min: 1, max: KEYS_MAX, meaning: 'Digits to collect (A); 1.' },
  { name: 'finishOnKey', kind: 'keys', max: 12, meaning: 'Key that ends the input (A); *. Empty: none.' },
  { name: 'callback', kind: 'url', meaning: 'Asked after each attempt (A).' },
  { name: 'method', kind: 'choice', values: ['GET', 'POST'], meaning: 'HTTP method of callback (A); GET.' },
];
const B: AttributeRow[] = [
  {
    name: 'dtmf_length',
    aliases: ['length'],
    kind: 'integer',
    min: 1,
    max: KEYS_MAX,
    meaning: 'Digits to collect (B); the longest DTMF value, else 32.',
  },
  { name: 'dtmf_stop', kind: 'keys', max: 12, meaning: 'Key that ends the input (B); none.' },
  { name: 'url', kind: 'url', meaning: 'Asked for XML when no DTMF matches (B).' },
];

export const gatherRow: SyntaxRow = {
  name: 'Gather',
  meaning: 'Collects keys and chooses what follows.',
  attributes: [
    ...A,
    ...B,
    {
      name: 'timeout',
      ...milliseconds(1, 600_000),
      meaning: 'Milliseconds for one attempt, from the end of its prompts; 30000.',
      default: '30000',
    },
    { name: 'attempts', kind: 'integer', min: 1, max: 20, default: '1', meaning: 'How often silence is asked again.' },
    {
      name: 'sensitive',
      kind: 'boolean',
      default: 'false',
      meaning: 'Keep the keys out of every record. Not supported yet: true is refused.',
    },
    TAG,
  ],
  children: ['Say', 'Play', 'Pause', 'Switch', 'Case', 'DTMF', 'Default', 'Error'],
  text: false,
  build: (a, context) => {
    const { index, refuse, verbs, element } = context;
    const ours = (rows: AttributeRow[]) => rows.map((r) => r.name).filter((n) => a.has(n));
    const [inA, inB] = [ours(A), ours(B)];
    if (inA.length > 0 && inB.length > 0) refuse(`<Gather> mixes ${inA[0]} and ${inB[0]}: use one dialect`);
    if (a.boolean('sensitive')) refuse('<Gather sensitive="true"> is not supported yet');
    const isB = inB.length > 0 || (inA.length === 0 && context.all('DTMF').length > 0);
    const branches = branchesOf(context);
    const fallbacks = blocksOf(context);
    const prompts = verbs({ ...element, children: context.all('Say', 'Play', 'Pause') }) as Prompt[];
    checkPrompts('Gather', prompts, refuse);
    const remote = remoteOf(a.text('url'), a.text('callback'), a.text('method'));
    return {
      name: 'Gather',
      index,
      tag: a.text('tag'),
      digitsMax:
        a.has('numDigits') || a.has('dtmf_length')
          ? a.integer(isB ? 'dtmf_length' : 'numDigits')
          : isB
            ? longest(branches)
            : 1,
      finishKeys: isB ? a.text('dtmf_stop') : a.has('finishOnKey') ? a.text('finishOnKey') : '*',
      timeoutMs: a.integer('timeout'),
      attempts: a.integer('attempts'),
      prompts,
      branches,
      ...fallbacks,
      ...(remote && { remote }),
    };
  },
};

const longest = (branches: Branch[]) => branches.reduce((most, b) => Math.max(most, b.digits.length), 0) || KEYS_MAX;

function remoteOf(url: string, callback: string, method: string): Gather['remote'] {
  if (url) return { url, method: 'GET', eachAttempt: false };
  return callback
    ? { url: callback, method: method.toUpperCase() === 'POST' ? 'POST' : 'GET', eachAttempt: true }
    : undefined;
}

function inSwitch(context: Context): Element[] {
  const [found, second] = context.all('Switch');
  if (second) context.refuse('<Gather> has one <Switch> at most', second);
  if (found) context.check(found);
  return found?.children ?? [];
}

/** Branches of the Switch and of the Gather itself; `Switch` leaves no trace in paths. */
function branchesOf(context: Context): Branch[] {
  const counts: Record<string, number> = {};
  const seen = new Set<string>();
  const named = (e: Element) => /^(case|dtmf)$/i.test(e.name);
  // The Switch's own come first: the first match wins.
  return [...inSwitch(context).filter(named), ...context.all('Case', 'DTMF')].flatMap((child) => {
    const isCase = child.name.toLowerCase() === 'case';
    const a = context.attributesOf(child);
    const digits = a.text(isCase ? 'dtmf' : 'value');
    const name = isCase ? 'Case' : 'DTMF';
    const index = counts[name] ?? 0;
    counts[name] = index + 1;
    if (seen.has(digits)) {
      context.warn(`<${child.name}> for ${digits} is never reached: an earlier one takes it`, child);
    }
    seen.add(digits);
    return [{ segment: `${name}[${index}]`, digits, verbs: context.verbs(child) }];
  });
}

function blocksOf(context: Context): Pick<Gather, 'default' | 'error'> {
  const found: Pick<Gather, 'default' | 'error'> = {};
  const within = inSwitch(context);
  for (const name of ['Default', 'Error'] as const) {
    const own = within.filter((e) => e.name.toLowerCase() === name.toLowerCase());
    if (own[1]) context.refuse(`<Switch> has one <${name}> at most`, own[1]);
    const verbs = own[0] ? context.verbs(own[0]) : context.block(name);
    if (verbs) found[name === 'Default' ? 'default' : 'error'] = verbs;
  }
  return found;
}

const block = (name: string, meaning: string): SyntaxRow => ({
  name,
  meaning,
  attributes: [],
  children: ['verbs'],
  text: false,
});

/** The parts of a Gather, and Error, which other verbs have too. */
export const gatherParts: SyntaxRow[] = [
  {
    name: 'Switch',
    meaning: 'Holds the branches of a Gather.',
    attributes: [],
    children: ['Case', 'Default', 'Error'],
    text: false,
  },
  {
    ...block('Case', 'Runs when its keys were entered (A).'),
    attributes: [{ name: 'dtmf', kind: 'keys', max: KEYS_MAX, required: true, meaning: 'The keys.' }],
  },
  {
    ...block('DTMF', 'Runs when its keys were entered (B).'),
    attributes: [{ name: 'value', kind: 'keys', max: KEYS_MAX, required: true, meaning: 'The keys.' }],
  },
  block('Default', 'Runs for keys that no branch names.'),
  block('Error', 'Runs when the verb around it failed, or nothing was entered.'),
];
