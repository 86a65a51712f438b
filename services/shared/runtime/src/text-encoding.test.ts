import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeText, UnreadableText } from './text-encoding.ts';

const bytes = (...parts: Array<string | number[]>) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))));
const declared = (encoding: string) => `<?xml version="1.0" encoding="${encoding}"?>`;
const utf16be = (text: string) => Buffer.from(text, 'utf16le').swap16();

function reasonOf(work: () => unknown): string {
  try {
    return `read ${work()}`;
  } catch (error) {
    assert.ok(error instanceof UnreadableText);
    return error.message;
  }
}

test('letters are read in the encoding that mark, header or declaration names', () => {
  const say = '<Say>Orléans</Say>';
  for (const [body, type, want] of [
    [Buffer.from(say), 'text/xml', say],
    [bytes(say), 'text/xml; charset=ISO-8859-1', say],
    [bytes(say), 'application/xml;charset="iso-8859-1"', say],
    [bytes(say), 'text/xml; foo=bar ; CHARSET = windows-1252', say],
    [bytes(declared('ISO-8859-1'), say), 'text/xml', declared('ISO-8859-1') + say],
    [
      bytes("<?xml version='1.0' encoding = 'latin1' standalone='yes'?>", say),
      '',
      `<?xml version='1.0' encoding = 'latin1' standalone='yes'?>${say}`,
    ],
    [bytes('5 ', [0x80], ' ', [0x93], 'x', [0x94]), 'text/xml; charset=windows-1252', '5 € “x”'],
    [bytes([0xa4]), 'text/xml; charset=iso-8859-15', '€'],
    [bytes([0x83, 0x65, 0x83, 0x58, 0x83, 0x67]), 'text/xml; charset=Shift_JIS', 'テスト'],
    [bytes([0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2]), 'text/xml; charset=windows-1251', 'Привет'],
    [Buffer.from(`\ufeff${say}`), '', say],
    [Buffer.from(`\ufeff${say}`, 'utf16le'), '', say],
    [utf16be(`\ufeff${say}`), '', say],
    [Buffer.from(say, 'utf16le'), 'text/xml; charset=utf-16', say],
    [utf16be(say), 'text/xml; charset=UTF-16', say],
    [utf16be(say), '', say],
    [Buffer.from(say, 'utf16le'), '', say],
  ] as const)
    assert.equal(decodeText(body, type), want, type);
});

test('a mark comes before the header, the header before the declaration', () => {
  const utf8 = Buffer.from(`\ufeff${declared('ISO-8859-1')}é`);
  assert.equal(decodeText(utf8, 'text/xml; charset=windows-1251'), `${declared('ISO-8859-1')}é`);
  assert.equal(decodeText(bytes(declared('UTF-8'), [0xe9]), 'text/xml; charset=latin1'), `${declared('UTF-8')}é`);
  // A writer that declares the encoding of its strings, and sends another.
  assert.equal(decodeText(Buffer.from(`${declared('utf-16')}é`), ''), `${declared('utf-16')}é`);
});

test('what can’t be read is refused by name, with what said so', () => {
  const of = (body: Buffer, type = '') => reasonOf(() => decodeText(body, type));
  assert.match(of(bytes('Orl', [0xe9], 'ans')), /^"utf-8" \(nothing says otherwise\): there are bytes/);
  assert.match(of(bytes([0xe9]), 'text/xml; charset=utf-8'), /^"utf-8" \(Content-Type\)/);
  assert.match(of(bytes('x'), 'text/xml; charset=x-klingon'), /^"x-klingon" \(Content-Type\): no such encoding/);
  assert.match(of(bytes(declared('EBCDIC-US'))), /^"EBCDIC-US" \(XML declaration\)/);
  assert.match(of(bytes([0xff, 0xfe, 0, 0, 0x3c, 0, 0, 0])), /^"utf-32le" \(byte order mark\)/);
  assert.match(of(bytes([0x83]), 'text/xml; charset=shift_jis'), /^"shift_jis"/);
});
