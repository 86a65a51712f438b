/** Documents that a careless pattern would go back over: parser and linter take time by their length, and no more. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scalarsOfJson } from '../../services/flow-engine/src/domain/language/scalar.ts';
import { addressTarget, numberTarget } from '../../services/flow-engine/src/domain/verbs/target.ts';
import { lint } from '../../services/flow-engine/src/lint/lint.ts';
import { parseDocument } from '../../services/flow-engine/src/xml/document.ts';
import { growsFaster, type Shape } from './linear.ts';

const CHARS = 60_000;

const SHAPES: Shape[] = [
  { name: 'blanksInClosing', make: (n) => `<Response><a></${' '.repeat(n)}` },
  { name: 'closingBlanks', make: (n) => `<Response></Response${' '.repeat(n)}>` },
  { name: 'closingName', make: (n) => `<Response></${'a'.repeat(n)}` },
  { name: 'openers', make: (n) => '<a '.repeat((n / 3) | 0) },
  { name: 'attrs', make: (n) => `<a${' b'.repeat((n / 2) | 0)}` },
  {
    name: 'attrsval',
    make: (n) => `<Response ${Array.from({ length: (n / 12) | 0 }, (_, i) => `b${i}="x"`).join(' ')}/>`,
  },
  { name: 'attrblank', make: (n) => `<Response${' '.repeat(n)}/>` },
  { name: 'attreq', make: (n) => `<Response b${' '.repeat(n)}="1"/>` },
  { name: 'quot', make: (n) => `<a b="${"'".repeat(n)}` },
  { name: 'text', make: (n) => `<Response>${' '.repeat(n)}</Response>` },
  { name: 'say', make: (n) => `<Response><Say>${'a '.repeat((n / 2) | 0)}</Say></Response>` },
  { name: 'sayblank', make: (n) => `<Response><Say>${' '.repeat(n)}x</Say></Response>` },
  { name: 'amp', make: (n) => `<Response><Say>${'&amp;'.repeat((n / 5) | 0)}</Say></Response>` },
  { name: 'amp2', make: (n) => `<Response><Say>${'&'.repeat(n)}</Say></Response>` },
  { name: 'ampname', make: (n) => `<Response><Say>&${'a'.repeat(n)}</Say></Response>` },
  { name: 'comments', make: (n) => `<Response>${'<!---->'.repeat((n / 7) | 0)}</Response>` },
  { name: 'cdatas', make: (n) => `<Response><Say>${'<![CDATA[x]]>'.repeat((n / 13) | 0)}</Say></Response>` },
  { name: 'cdatahalf', make: (n) => `<Response><Say>${'<![CDATA['.repeat((n / 9) | 0)}` },
  { name: 'pis', make: (n) => `<Response>${'<?a?>'.repeat((n / 5) | 0)}</Response>` },
  { name: 'pihuge', make: (n) => `<?${'a'.repeat(n)}?><Response/>` },
  { name: 'piattrs', make: (n) => `<?xml ${'a="b" '.repeat((n / 6) | 0)}?><Response/>` },
  { name: 'elements', make: (n) => `<Response>${'<Pause/>'.repeat(Math.min(1990, (n / 8) | 0))}</Response>` },
  { name: 'nest', make: (n) => `<Response>${'<a>'.repeat((n / 3) | 0)}` },
  { name: 'gt', make: (n) => `<Response><Say>${'>'.repeat(n)}</Say></Response>` },
  { name: 'rb', make: (n) => `<Response><Say>${']]'.repeat((n / 2) | 0)}</Say></Response>` },
  { name: 'url', make: (n) => `<Response><Play>http://x/${'a/'.repeat((n / 2) | 0)}</Play></Response>` },
  { name: 'urlpct', make: (n) => `<Response><Redirect>http://x/?${'%'.repeat(n)}</Redirect></Response>` },
  { name: 'sip', make: (n) => `<Response><Dial><Sip>sip:${'a@'.repeat((n / 2) | 0)}</Sip></Dial></Response>` },
  { name: 'sip2', make: (n) => `<Response><Dial><Sip>sip:${'1'.repeat(n)}@x</Sip></Dial></Response>` },
  { name: 'sip3', make: (n) => `<Response><Dial><Sip>sip:a@x${';a=b'.repeat((n / 4) | 0)}</Sip></Dial></Response>` },
  { name: 'num', make: (n) => `<Response><Dial><Number>${'1-'.repeat((n / 2) | 0)}</Number></Dial></Response>` },
  { name: 'keys', make: (n) => `<Response><Gather finishOnKey="${'*'.repeat(n)}"/></Response>` },
  { name: 'dur', make: (n) => `<Response><Pause length="${'0'.repeat(n)}"/></Response>` },
  { name: 'meta', make: (n) => `<Response><Meta name="a" value="${'1'.repeat(n)}"/></Response>` },
  {
    name: 'cases',
    make: (n) =>
      `<Response><Gather><Switch>${Array.from({ length: Math.min(1900, (n / 22) | 0) }, (_, i) => `<Case dtmf="${i}"></Case>`).join('')}</Switch></Gather></Response>`,
  },
  {
    name: 'dtmfs',
    make: (n) =>
      `<Response><Gather>${Array.from({ length: Math.min(1900, (n / 22) | 0) }, (_, i) => `<DTMF value="${i}"></DTMF>`).join('')}</Gather></Response>`,
  },
  { name: 'sched', make: (n) => `<Response><Schedule ${'x'.repeat(n)}="1"/></Response>` },
  {
    name: 'callfield',
    make: (n) => `<Response><Call field="from" mask="${'*1'.repeat((n / 2) | 0)}!"><Say>x</Say></Call></Response>`,
  },
  { name: 'geo', make: (n) => `<Response><Geo state="${'A,'.repeat((n / 2) | 0)}"><Say>x</Say></Geo></Response>` },
  { name: 'says', make: (n) => `<Response>${'<Say>a</Say>'.repeat(Math.min(1990, (n / 12) | 0))}</Response>` },
  { name: 'curl', make: (n) => `<Response><Curl url="http://x/" headers="${'a:b;'.repeat((n / 4) | 0)}"/></Response>` },
  {
    name: 'metas',
    make: (n) =>
      `<Response>${Array.from({ length: Math.min(1990, (n / 30) | 0) }, (_, i) => `<Meta name="a${i}" value="1"/>`).join('')}</Response>`,
  },
  {
    name: 'states',
    make: (n) => `<Response><Geo states="NY${' ,'.repeat((n / 2) | 0)}"><Say>x</Say></Geo></Response>`,
  },
  { name: 'statesblank', make: (n) => `<Response><Geo states="NY${' '.repeat(n)}x"><Say>x</Say></Geo></Response>` },
  { name: 'time', make: (n) => `<Response><Schedule time="08:00:00${' '.repeat(n)}x"/></Response>` },
  { name: 'days', make: (n) => `<Response><Schedule dow="${'mon,'.repeat((n / 4) | 0)}x"/></Response>` },
  { name: 'slashes', make: (n) => `<Response><Callback>http://x/${'/'.repeat(n)}a</Callback></Response>` },
  { name: 'relative', make: (n) => `<Response><Redirect>${'a.'.repeat((n / 2) | 0)}</Redirect></Response>` },
  { name: 'siphost', make: (n) => `<Response><Dial><Sip>a@${'x.-'.repeat((n / 3) | 0)}?</Sip></Dial></Response>` },
  { name: 'sipparts', make: (n) => `<Response><Dial><Sip>a@x${';a=b'.repeat((n / 4) | 0)}?</Sip></Dial></Response>` },
  { name: 'tel', make: (n) => `<Response><Dial><To>tel:+${'1-'.repeat((n / 2) | 0)};x</To></Dial></Response>` },
  { name: 'ssml', make: (n) => `<Response><Say>${'<break/>'.repeat(Math.min(1990, (n / 8) | 0))}</Say></Response>` },
  { name: 'valuebreaks', make: (n) => `<Response><Say text="${'\n\t'.repeat((n / 2) | 0)}"/></Response>` },
  { name: 'upperattr', make: (n) => `<Response><Say ${'A'.repeat(n)}="1"/></Response>` },
  { name: 'unknown', make: (n) => `<Response><${'A'.repeat(n)}/></Response>` },
];

test('parsing a document takes time by its length, whatever it holds', () => {
  assert.deepEqual(growsFaster(SHAPES, CHARS, parseDocument), []);
});

test('linting a document takes time by its length, whatever it holds', () => {
  assert.deepEqual(
    growsFaster(SHAPES, CHARS, (xml) => lint(xml, {})),
    [],
  );
  assert.deepEqual(
    growsFaster(SHAPES, CHARS, (xml) => lint(xml, { self: 'http://x/' })),
    [],
  );
});

const JSONS: Shape[] = [
  { name: 'members', make: (n) => `{${Array.from({ length: (n / 14) | 0 }, (_, i) => `"a${i}":2.50`).join(',')}}` },
  { name: 'one name', make: (n) => `{${'"a":2.50,'.repeat((n / 9) | 0)}"a":1.0}` },
  { name: 'quotes', make: (n) => `{"a":"${'\\"'.repeat((n / 2) | 0)}","b":2.50}` },
  { name: 'an open string', make: (n) => `{"a":"${'\\'.repeat(n)}` },
  { name: 'digits', make: (n) => `{"a":${'1'.repeat(n)}}` },
  { name: 'depth', make: (n) => `{"a":${'['.repeat((n / 2) | 0)}${']'.repeat((n / 2) | 0)}}` },
  { name: 'blanks', make: (n) => `{"a":${' '.repeat(n)}2.50}` },
];

test('reading the scalars of JSON takes time by its length', () => {
  assert.deepEqual(growsFaster(JSONS, 8 * CHARS, scalarsOfJson), []);
});

const TARGETS: Shape[] = [
  ...['1', '1-', '(', 'a', ';a=b', 'a@', '%', '.', '['].map((part) => ({
    name: `targets of ${part}`,
    make: (n: number) => part.repeat((n / part.length) | 0),
  })),
  { name: 'a long host', make: (n) => `sip:a@${'a.'.repeat((n / 2) | 0)}!` },
  { name: 'a long tel', make: (n) => `tel:${'1 '.repeat((n / 2) | 0)};` },
];

test('reading whom a call goes to takes time by its length', () => {
  assert.deepEqual(
    growsFaster(TARGETS, 8 * CHARS, (text) => [numberTarget(text), addressTarget(text)]),
    [],
  );
});

test('a pattern that goes back is found', () => {
  const careless = (text: string) => /<\/\s*([^\s>]*)\s*>/.test(text);
  const blanks: Shape = { name: 'blanks in a closing tag', make: (n) => `<a></${' '.repeat(n)}` };
  assert.equal(growsFaster([blanks], 8_000, careless).length, 1);
});
