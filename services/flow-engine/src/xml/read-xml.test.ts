/** What a document must be before it is one: contracts.md, "XML". */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readXml } from './read-xml.ts';

const faultOf = (xml: string) => {
  const read = readXml(xml);
  return read.ok ? 'accepted' : `${read.line}:${read.column} ${read.reason}`;
};
const rootOf = (xml: string) => {
  const read = readXml(xml);
  if (!read.ok) throw new Error(read.reason);
  return read.root;
};

test('the five entities and numeric references are decoded once, in text and attributes', () => {
  const { text, attributes } = rootOf('<a b="&lt;&amp;amp;&#34;&#x263a;">&quot;&apos;&gt; &amp;lt; &#65;</a>');
  assert.equal(attributes.b, '<&amp;"☺');
  assert.equal(text, `"'> &lt; A`);
});

test('an entity of its own, a DOCTYPE and what an & begins otherwise are refused', () => {
  assert.match(faultOf('<a>&nbsp;</a>'), /&nbsp; is not allowed/);
  assert.match(faultOf('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'), /^1:1 document types/);
  assert.match(faultOf('<?xml version="1.0"?>\n<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'), /^2:1 document types/);
  assert.notEqual(faultOf('<a b="x & y"/>'), 'accepted');
  assert.notEqual(faultOf('<a>&#0;</a>'), 'accepted');
  assert.notEqual(faultOf('<a>&#xD800;</a>'), 'accepted');
  assert.notEqual(faultOf('<a>\u0001</a>'), 'accepted');
});

test('exactly one root, every tag closed by its own name', () => {
  assert.match(faultOf('<a/><b/>'), /^1:5 .*one root/);
  assert.match(faultOf('<a>'), /<a> is never closed/);
  assert.match(faultOf('<a>\n  <b></a>'), /^2:6 .*<\/a> closes <b>/);
  assert.match(faultOf('</a>'), /never opened/);
  assert.match(faultOf('<a/>text'), /./);
  assert.match(faultOf('text<a/>'), /^1:1 .*other text/);
  assert.match(faultOf('  '), /empty/);
});

test('64 KiB, 32 levels and 2,000 elements are the most', () => {
  const nested = (n: number) => `${'<a>'.repeat(n)}${'</a>'.repeat(n)}`;
  assert.equal(faultOf(nested(32)), 'accepted');
  assert.match(faultOf(nested(33)), /32 levels/);
  assert.equal(faultOf(`<a>${'<b/>'.repeat(1_999)}</a>`), 'accepted');
  assert.match(faultOf(`<a>${'<b/>'.repeat(2_000)}</a>`), /2000 elements/);
  assert.equal(faultOf(`<a>${'x'.repeat(65_536 - 7)}</a>`), 'accepted');
  assert.match(faultOf(`<a>${'x'.repeat(65_536 - 6)}</a>`), /64 KiB/);
});

test('comments, CDATA and a declaration are no trouble', () => {
  assert.equal(rootOf('<?xml version="1.0" encoding="UTF-8"?><!-- <b> --><a><![CDATA[<c> & ]]></a>').text, '<c> &');
});

test('what looks like markup inside a comment, a CDATA section or a value is text', () => {
  for (const [xml, text] of [
    ['<!-- <!DOCTYPE a> --><a>x</a>', 'x'],
    ['<a>x<!-- <!DOCTYPE a [<!ENTITY b "c">]> --></a>', 'x'],
    ['<a>x</a><!-- <!DOCTYPE a> <b> & -->', 'x'],
    ['<a><![CDATA[<!DOCTYPE a> <!ENTITY <!-- & &amp; ]]></a>', '<!DOCTYPE a> <!ENTITY <!-- & &amp;'],
    ['<a>1<![CDATA[<!]]>2<![CDATA[]]]]><![CDATA[>]]>3</a>', '1<!2]]>3'],
    ['<?note <!DOCTYPE a> ?><a>x</a>', 'x'],
    ['<a b="<!--">x</a>'.replace('<!--', '&lt;!DOCTYPE a&gt; ]]>'), 'x'],
  ] as const)
    assert.equal(rootOf(xml).text, text, xml);
  assert.match(faultOf('<!-- a --><!DOCTYPE a><a/>'), /^1:11 document types/);
  assert.match(faultOf('<a><!DOCTYPE a></a>'), /^1:4 /);
  assert.equal(rootOf('<a b="1 > 2 /> ]]>">x</a>').attributes.b, '1 > 2 /> ]]>');
});

test('a line break or tab inside a value is one blank each; a reference to one stays (XML 1.0, 3.3.3)', () => {
  for (const [written, read] of [
    ['one\ntwo', 'one two'],
    ['one\r\ntwo', 'one two'],
    ['one\rtwo', 'one two'],
    ['one\t\n two', 'one   two'],
    ['one&#10;two&#9;three&#xD;', 'one\ntwo\tthree\r'],
  ] as const) {
    assert.equal(rootOf(`<a b="${written}"/>`).attributes.b, read, JSON.stringify(written));
    assert.equal(rootOf(`<a><c\n  b='${written}'\n/></a>`).children[0]!.attributes.b, read, JSON.stringify(written));
  }
  assert.equal(rootOf('<a>one\r\ntwo</a>').text, 'one\ntwo');
});

test('every element knows its line and column', () => {
  const root = rootOf('<a>\n  <b/>\n    <c/></a>');
  assert.deepEqual(
    root.children.map((c) => [c.line, c.column]),
    [
      [2, 3],
      [3, 5],
    ],
  );
});

test('no text whatever makes it throw or take long', () => {
  let seed = 7;
  const next = (n: number) => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
    return seed % n;
  };
  const pieces = [
    '<',
    '>',
    '</',
    '/>',
    '<a',
    '<a ',
    'b="',
    '"',
    "'",
    '&',
    '&amp;',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '<?',
    '?>',
    'x',
    ' ',
    '\n',
    '=',
    '<!DOCTYPE',
    '&#',
    ';',
  ];
  const started = performance.now();
  for (let i = 0; i < 20_000; i++) {
    const text = Array.from({ length: next(30) }, () => pieces[next(pieces.length)]).join('');
    const read = readXml(text);
    if (!read.ok) assert.ok(read.line >= 1 && read.column >= 1 && read.reason.length > 0, JSON.stringify(text));
  }
  for (const bomb of [
    '<a '.repeat(20_000),
    '<a b="'.repeat(10_000),
    '&'.repeat(65_000),
    '<!--'.repeat(16_000),
    '<'.repeat(65_000),
    `<a${' b'.repeat(30_000)}`,
  ])
    assert.notEqual(faultOf(bomb), 'accepted');
  assert.ok(performance.now() - started < 20_000, `${performance.now() - started} ms`);
});

test('places count from the first character of the text, also behind blank lines and a byte order mark', () => {
  for (const [before, line, column] of [
    ['', 2, 3],
    ['\n\n \t', 4, 3],
    ['\uFEFF\r\n', 3, 3],
  ] as const) {
    const child = rootOf(`${before}<a>\n  <b/></a>`).children[0]!;
    assert.deepEqual([child.line, child.column], [line, column], JSON.stringify(before));
  }
  assert.equal(rootOf(' <a/>').column, 2);
});
