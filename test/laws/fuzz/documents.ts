/** Random documents, made from the language's rows: mostly right, sometimes wrong in one of the ways that people are. */
import type { AttributeRow } from '../../../services/flow-engine/src/domain/language/attributes.ts';
import type { SyntaxRow } from '../../../services/flow-engine/src/domain/language/syntax.ts';
import { ROWS } from '../../../services/flow-engine/src/domain/verbs/index.ts';
import type { Random } from '../random-document.ts';

const VERBS = ROWS.filter((row) => row.build);
const byName = new Map(ROWS.map((row) => [row.name, row]));
const ADDRESS = 'http://127.0.0.1:8090/flow';

/** A document of the rows, `wild` times out of a hundred with something that the rows don't admit. */
export function documentOfRows(random: Random, wild: number): string {
  const left = { elements: 60 };
  const body = verbs(random, 4, left, wild);
  const error = random.chance(0.2) ? `<Error>${verbs(random, 2, left, wild)}</Error>` : '';
  return `<Response>${body}${error}</Response>`;
}

type Left = { elements: number };

function verbs(random: Random, depth: number, left: Left, wild: number): string {
  return Array.from({ length: 1 + random.below(4) }, () => element(random, random.of(VERBS), depth, left, wild)).join(
    '',
  );
}

function element(random: Random, row: SyntaxRow, depth: number, left: Left, wild: number): string {
  if (left.elements-- <= 0) return '';
  const isWild = () => random.below(100) < wild;
  const name = isWild()
    ? random.of([row.name.toLowerCase(), `${row.name}s`, random.of(ROWS).name, 'Enqueue'])
    : row.name;
  const dialect = random.chance(0.5) ? 'A' : 'B';
  const text =
    row.text && random.chance(row.name === 'Meta' ? 0.5 : 0.9)
      ? random.of(TEXTS[row.name] ?? ['Hello.', 'one two three'])
      : '';
  const attributes = row.attributes
    .filter((a) => isWild() || !(OTHER[dialect].test(a.name) && row.name === 'Gather'))
    .filter((a) => a.required || (random.chance(0.35) && (isWild() || !contradicts(row, a, text))))
    .filter(() => !isWild())
    .map(
      (a) =>
        ` ${isWild() ? `${a.name}x` : random.of([a.name, ...(a.aliases ?? [])])}="${escaped(value(random, a, isWild()))}"`,
    );
  const content = isWild() ? random.of(STRANGE) : text;
  const inside = children(random, row, depth, left, wild);
  return `<${name}${[...new Set(attributes)].join('')}>${escaped(content)}${inside}</${name}>${random.chance(0.1) ? '\n' : ''}`;
}

/** Attributes of the other dialect of Gather. */
const OTHER = { A: /^(dtmf_|url|sensitive)/, B: /^(numDigits|finishOnKey|callback|method|sensitive)/ };

/** Would the attribute say again what the content says? */
const contradicts = (row: SyntaxRow, { name }: AttributeRow, text: string) =>
  text !== '' &&
  ((row.name === 'Play' && /^(url|record)$/.test(name)) || (/^(Meta|Header)$/.test(row.name) && name === 'value'));

function children(random: Random, row: SyntaxRow, depth: number, left: Left, wild: number): string {
  if (depth <= 0) return row.name === 'Dial' ? '<To>12125550100</To>' : '';
  const parts = row.children.flatMap((child) => {
    if (child === 'verbs') return [verbs(random, depth - 1, left, wild)];
    const found = byName.get(child)!;
    const times = random.chance(0.5) ? 1 + random.below(/^(Case|DTMF|To|Sip|Number|Say)$/.test(child) ? 3 : 1) : 0;
    return Array.from({ length: times }, () => element(random, found, depth - 1, left, wild));
  });
  const meta = row.build && random.chance(0.1) ? [element(random, byName.get('Meta')!, 0, left, wild)] : [];
  return [...(row.name === 'Dial' ? ['<To>12125550100</To>'] : []), ...parts, ...meta].join('');
}

/** A value that the row admits, or one that it does not. */
function value(random: Random, row: AttributeRow, wrong: boolean): string {
  if (wrong)
    return random.of(['', 'x', '-1', '99999999999', '1e3', 'ü', '\n', ' 7 ', 'javascript:1', '"', '[[', '__proto__']);
  switch (row.kind) {
    case 'integer':
      return String(random.of([row.min, Math.min(row.max, row.min + random.below(5_000)), row.max]));
    case 'boolean':
      return random.of(['true', 'false', 'TRUE']);
    case 'choice':
      return random.of(row.values);
    case 'list':
      return Array.from({ length: 1 + random.below(3) }, () => random.of(row.values)).join(',');
    case 'pattern':
      return random.of(PATTERNS[row.name] ?? ['order']);
    case 'keys':
      return Array.from({ length: random.below(Math.min(4, row.max + 1)) }, () => random.of([...'0123456789*#'])).join(
        '',
      );
    case 'url':
      return random.of([ADDRESS, 'https://example.com/a?b=c', `${ADDRESS}?x=1#y`]);
    case 'text':
      return random.of(WORDS[row.name] ?? ['Hello.', 'x'.repeat(35)]);
  }
}

const PATTERNS: Record<string, string[]> = {
  field: ['from', 'to', 'tn', 'tn.tn', 'meta.order', 'meta.a.b', 'sip_control_app.name', 'constructor', 'meta'],
  states: ['NY', 'NY,NJ', 'XX'],
  time: ['09:00:00-16:59:59', '22:00:00-05:59:59', '00:00:00-00:00:00'],
  hz: ['440', '480,620', '1000x3', '20,3999'],
  name: ['order', 'from', 'a.b', 'X-Header', '_', '__proto__'],
};

const WORDS: Record<string, string[]> = {
  url: [`${ADDRESS}.mp3`, 'prompt:b.wav'],
  tz: ['America/New_York', 'Asia/Kathmandu', ''],
  record: ['a', 'b'],
  tag: ['a', 'b', '', 'x'.repeat(255)],
  from: ['12125550100', 'a.b'],
  value: ['true', 'null', '7', '007', 'text', ''],
};

const TEXTS: Record<string, string[]> = {
  To: ['12125550100', 'sales@example.com', 'sip:a@192.0.2.1:5060'],
  Sip: ['1000@127.0.0.1:9000', 'a@[::1]'],
  Number: ['12125550100', '+1 (212) 555-0100'],
  Group: ['5f0c6a1e-7b1d-4c59-9f43-1f2f3a4b5c6d'],
  Callback: [ADDRESS, `${ADDRESS}?a=b`],
  Redirect: [ADDRESS],
  Dial: ['12125550100'],
  Play: [`${ADDRESS}.wav`, 'prompt:a.wav'],
  Curl: [''],
};

/** Contents that most elements refuse. */
const STRANGE = ['stray', 'nobody', 'file:///etc/passwd', '{"a":1}', 'x'.repeat(5_000), ' '];

const escaped = (text: string) =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!);
