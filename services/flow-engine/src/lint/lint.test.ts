/** Faults seeded into documents: each is found at its place, marked » here, by its rule; what is right gives no finding. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseDocument } from '../xml/document.ts';
import { findingLine } from './finding.ts';
import { type LintOptions, lint } from './lint.ts';

const MARK = '»';
type Seeded = { xml: string; line: number; column: number };

/** The document without its mark, and where the mark stood. */
function seeded(text: string): Seeded {
  const at = text.indexOf(MARK);
  assert.ok(at >= 0, 'no mark');
  const before = text.slice(0, at).split('\n');
  return { xml: text.replace(MARK, ''), line: before.length, column: before.at(-1)!.length + 1 };
}

/** A document of these verbs, from its second line on. */
const response = (verbs: string) => `<Response>\n${verbs}\n</Response>`;
const found = (xml: string, options?: LintOptions) => lint(xml, options).findings;
const menu = (attributes: string, inside: string) =>
  response(
    `<Gather ${attributes}>\n  <Say>Press.</Say>\n  ${inside}\n  <Default><Say>No.</Say></Default>\n  <Error><Say>Nothing.</Say></Error>\n</Gather>`,
  );

/** A call can't run these. */
const ERRORS: Array<[name: string, rule: string, document: string]> = [
  ['a tag that is never closed', 'xml', '<Response>\n<Say>hello\n»</Response>'],
  ['another root', 'root', '»<Answers>\n<Say>hello</Say></Answers>'],
  ['an element with a slip of the pen', 'unknown-element', response('»<Gahter><Say>hello</Say></Gahter><Hangup/>')],
  ['an element of another dialect', 'unknown-element', response('<Say>hello</Say>\n »<Enqueue>support</Enqueue>')],
  ['a target of another dialect', 'unknown-element', response('<Dial>\n  »<Client>joey</Client>\n</Dial>')],
  ['messages', 'unknown-element', response('»<Sms to="1">hello</Sms>')],
  ['text outside any verb', 'stray-text', '»<Response>hello</Response>'],
  ['text where none belongs', 'stray-text', response('»<Hangup>now</Hangup>')],
  ['text in the document’s Error', 'stray-text', response('<Say>hello</Say>\n»<Error>oops</Error>')],
  ['a part outside its verb', 'misplaced', response('»<Case dtmf="1"/>')],
  [
    'a verb within a verb that holds none',
    'misplaced',
    response('<Dial><To>12125550100</To>\n  »<Say>hello</Say></Dial>'),
  ],
  [
    'a number out of its range',
    'attribute-value',
    response('<Gather\n  »attempts="99"><Say>hello</Say></Gather><Callback url="http://example.com/"/>'),
  ],
  ['words where a number belongs', 'attribute-value', response('<Pause »length="one"/>')],
  ['an address without its scheme', 'attribute-value', response('<Callback »url="/flow"/>')],
  ['an attribute that is needed', 'attribute-missing', menu('numDigits="1"', '»<Case><Hangup/></Case>')],
  ['the same attribute in two spellings', 'attribute-twice', response('<Say lang="en-US" »Lang="de-DE">hello</Say>')],
  ['v and volume', 'attribute-twice', response('<Tone volume="-10" »v="-20"/>')],
  ['two dialects in one Gather', 'refused', response('»<Gather numDigits="1" dtmf_stop="#"><Say>hello</Say></Gather>')],
  ['nobody to call', 'refused', response('»<Dial timeout="20"/>')],
  ['a target that can’t be called', 'refused', response('<Dial>\n »<Number>sales</Number></Dial>')],
  ['nothing to speak', 'refused', response('»<Say/>')],
  ['two sources', 'refused', response('»<Play record="a">http://example.com/a.wav</Play>')],
  ['two Errors', 'second-error', response('<Error><Hangup/></Error>\n»<Error><Hangup/></Error>')],
  [
    'a header that the platform sets',
    'refused',
    response('<Curl url="http://example.com/">\n »<Header name="Host" value="a"/></Curl>'),
  ],
];

/** A call runs these, but hardly as they were meant. */
const WARNINGS: Array<[name: string, rule: string, document: string, options?: LintOptions]> = [
  [
    'an attribute with a slip of the pen',
    'unknown-attribute',
    menu('»numDigit="1"', '<Case dtmf="1"><Hangup/></Case>'),
  ],
  [
    'Gather action',
    'other-dialect',
    response('<Gather »action="/next" callback="http://example.com/"><Say>hello</Say></Gather><Hangup/>'),
  ],
  ['Say voice', 'other-dialect', response('<Say »voice="alice">hello</Say>')],
  ['Say language', 'other-dialect', response('<Say »language="en-US">hello</Say>')],
  ['Record maxLength', 'other-dialect', response('<Record »maxLength="30"/>')],
  ['Dial callerId', 'other-dialect', response('<Dial »callerId="12125550100"><To>12125550101</To></Dial>')],
  ['a pause in seconds', 'suspicious', response('»<Pause length="1"/>')],
  ['a time-out in seconds', 'milliseconds', menu('numDigits="1" »timeout="10"', '<Case dtmf="1"><Hangup/></Case>')],
  [
    'a verb behind Hangup',
    'unreachable',
    response('<Say>bye</Say>\n<Hangup/>\n»<Say>still there?</Say>\n<Say>hello?</Say>'),
  ],
  ['a verb behind Reject', 'unreachable', response('<Reject/>\n»<Say>hello</Say>')],
  ['a verb behind Redirect', 'unreachable', response('<Redirect>http://example.com/</Redirect>\n»<Say>hello</Say>')],
  ['a verb behind an endless Say', 'unreachable', response('<Say loop="0">again</Say>\n»<Hangup/>')],
  ['an endless Play', 'endless', response('<Play »loop="0">http://example.com/a.mp3</Play>')],
  [
    'a verb behind a Gather whose ways all leave',
    'unreachable',
    response(
      '<Gather numDigits="1"><Switch><Case dtmf="1"><Hangup/></Case><Default><Hangup/></Default><Error><Redirect>http://example.com/</Redirect></Error></Switch></Gather>\n»<Say>hello</Say>',
    ),
  ],
  [
    'a branch that an earlier one takes',
    'suspicious',
    menu('numDigits="1"', '<Case dtmf="1"><Hangup/></Case>\n »<Case dtmf="1"><Say>hello</Say></Case>'),
  ],
  ['a branch that the finish key takes', 'untypable', menu('numDigits="1"', '<Case »dtmf="*"><Say>star</Say></Case>')],
  ['a code longer than the input', 'untypable', menu('numDigits="1"', '<Case »dtmf="12"><Say>twelve</Say></Case>')],
  [
    'a code longer than dtmf_length',
    'untypable',
    menu('dtmf_length="2"', '<DTMF »value="123"><Say>hello</Say></DTMF>'),
  ],
  [
    'no way out on silence',
    'no-way-out',
    response(
      '»<Gather numDigits="1"><Say>Press 1.</Say><Switch><Case dtmf="1"><Say>one</Say></Case></Switch></Gather>',
    ),
  ],
  [
    'Error for unknown keys',
    'one-fallback',
    response('<Gather dtmf_length="1"><DTMF value="1"><Say>one</Say></DTMF>\n»<Error><Hangup/></Error></Gather>'),
  ],
  [
    'a Default that the Switch overrules',
    'never-runs',
    menu('numDigits="1"', '<Switch><Case dtmf="1"><Hangup/></Case><Default><Say>own</Say></Default></Switch>').replace(
      '  <Default><Say>No',
      '  »<Default><Say>No',
    ),
  ],
  ['branches of the other dialect', 'mixed-dialects', menu('numDigits="1"', '»<DTMF value="1"><Say>one</Say></DTMF>')],
  [
    'an input without an end',
    'open-ended',
    response('»<Gather url="http://example.com/"><Say>Your number?</Say><Error><Hangup/></Error></Gather>'),
  ],
  ['text and content', 'both', response('<Say »text="one">two</Say>')],
  ['url and content', 'both', response('<Callback »url="http://example.com/a">http://example.com/b</Callback>')],
  ['a body by GET', 'no-body', response('<Callback url="http://example.com/" »body="true"/>')],
  ['Scheduler', 'old-name', response('»<Scheduler dow="sun"><Hangup/></Scheduler>')],
  ['v', 'old-name', response('<Tone »v="-70"/>')],
  ['the delay of Answer', 'delay', response('<Answer »delay="500"/>')],
  ['Unhold that is not an order', 'unhold', response('<Say>hello</Say>\n»<Unhold/>')],
  ['Unhold in a document of a server', 'unhold', response('»<Unhold/>'), { self: 'http://example.com/flow' }],
  [
    'a variable under a name of the platform',
    'taken-name',
    response('<Callback url="http://example.com/"><Meta »name="from" value="me"/></Callback>'),
  ],
  ['a recording that was never made', 'no-recording', response('<Record tag="a"/>\n<Play »record="b"/>')],
  ['RecordStop without RecordStart', 'no-recording', response('»<RecordStop/>')],
  ['RecordWait without RecordStart', 'no-recording', response('<RecordStart tag="a"/>\n»<RecordWait tag="b"/>')],
  ['RecordWait before RecordStop', 'still-recording', response('<RecordStart/>\n»<RecordWait/>')],
  ['a field that no call has', 'no-field', response('<Call »field="tn" value="18005550100"><Hangup/></Call>')],
  ['a state that is none', 'no-state', response('<Geo »states="NY,XX"><Hangup/></Geo>')],
  [
    'a document that redirects to itself',
    'loop',
    response('<Say>hello</Say>\n»<Redirect>http://example.com/flow?again=1</Redirect>'),
    { self: 'http://example.com/flow' },
  ],
  [
    'a document that calls itself back',
    'loop',
    response('<Callback »url="http://example.com/flow/"/>'),
    { self: 'http://example.com/flow' },
  ],
];

for (const [severity, cases] of [
  ['error', ERRORS],
  ['warning', WARNINGS],
] as const)
  for (const [name, rule, document, options] of cases as typeof WARNINGS)
    test(`${severity}: ${name}`, () => {
      const { xml, line, column } = seeded(document);
      const all = found(xml, options);
      const said = all.map((f) => findingLine('f', f)).join('\n');
      assert.ok(
        all.some((f) => f.rule === rule && f.line === line && f.column === column && f.severity === severity),
        `${rule} at ${line}:${column} not in:\n${said || 'nothing'}`,
      );
      // One seeded fault: nothing else may be said, and an error is what the parser refuses.
      assert.deepEqual(
        all.filter((f) => f.rule !== rule && !(rule === 'unreachable' && f.rule === 'endless')).map((f) => f.rule),
        [],
      );
      assert.equal(
        all.some((f) => f.severity === 'error'),
        !parseDocument(xml).ok,
        'the parser thinks otherwise',
      );
    });

test('all findings of a document are told at once, in its order, also after white space, a BOM and with CRLF', () => {
  const xml =
    '\uFEFF\n  <Response>\n<Sai>a</Sai>\n<Pause length="x" lenght="1"/>\n<Hangup/><Say/>\n</Response>'.replaceAll(
      '\n',
      '\r\n',
    );
  assert.deepEqual(
    found(xml).map(({ line, column, rule }) => `${line}:${column} ${rule}`),
    ['3:1 unknown-element', '4:8 attribute-value', '4:19 unknown-attribute', '5:10 refused', '5:10 unreachable'],
  );
});

test('a finding says what to do, on one line without control characters', () => {
  const [finding] = found(response('<Dial><Client>\u0085joey</Client></Dial>'));
  assert.equal(
    findingLine('a.xml', finding!),
    'a.xml:2:7: error: <Client> is no element of the language; write <Sip>user@domain</Sip> or <To>user@domain</To> [unknown-element]',
  );
});

test('the addresses that a document asks are named with their places', () => {
  const { addresses } = lint(response('<Play>http://example.com/a.wav</Play>\n<Curl url="http://example.com/c" />'));
  assert.deepEqual(addresses, [
    { url: 'http://example.com/a.wav', asked: false, line: 2, column: 1 },
    { url: 'http://example.com/c', asked: true, line: 3, column: 7 },
  ]);
});

const DOCUMENTS = fileURLToPath(new URL('../../../../test/scenarios/documents/', import.meta.url));

/** Scenarios that show what happens to a caller when something is missing; the linter says so. */
const DELIBERATE: Record<string, string[]> = { 'failures.xml': ['no-recording'], 'key-ahead.xml': ['no-way-out'] };

for (const file of readdirSync(DOCUMENTS).filter((name) => name.endsWith('.xml')))
  test(`${file} gives no finding${DELIBERATE[file] ? ' but the one that it is about' : ''}`, () => {
    // The scenarios fill in where their customer's server and their phones are.
    const xml = readFileSync(`${DOCUMENTS}${file}`, 'utf8')
      .replaceAll('{server}', 'http://127.0.0.1:8090')
      .replace(/\{\w+\}/g, '1000@127.0.0.1:9000');
    assert.deepEqual(
      found(xml).map(({ rule }) => rule),
      DELIBERATE[file] ?? [],
    );
  });
