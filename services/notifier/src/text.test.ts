import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { DoorError } from './door/refusals.ts';
import { decompressed, textOf } from './text.ts';

const bytes = (...parts: Array<string | number[]>) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))));

function reasonOf(work: () => unknown): string {
  try {
    return `read ${work()}`;
  } catch (error) {
    assert.ok(error instanceof DoorError);
    return `${error.reason} ${error.message}`;
  }
}

test('what can’t be read is refused by name', () => {
  assert.equal(textOf(bytes('Orl', [0xe9], 'ans'), 'text/xml; charset=latin1', 200), 'Orléans');
  assert.match(
    reasonOf(() => textOf(bytes([0xe9]), '', 200)),
    /^charset "utf-8" \(nothing says otherwise\)/,
  );
});

test('a body of no bytes is empty whatever its coding, and a coded one is opened', () => {
  for (const header of ['gzip', 'br', 'deflate', 'x-gzip', 'identity', undefined])
    assert.equal(decompressed(Buffer.alloc(0), header, 204, 100).length, 0);
  for (const [body, header] of [
    [gzipSync('<a/>'), 'gzip'],
    [gzipSync('<a/>'), 'X-GZIP'],
    [brotliCompressSync('<a/>'), 'br'],
    [deflateSync('<a/>'), 'deflate'],
    [deflateRawSync('<a/>'), 'deflate'],
    [gzipSync(brotliCompressSync('<a/>')), 'br, gzip'],
    [Buffer.from('<a/>'), 'identity'],
  ] as const)
    assert.equal(decompressed(body, header, 200, 100).toString(), '<a/>', header);
  assert.match(
    reasonOf(() => decompressed(Buffer.from('<a/>'), 'gzip', 200, 100)),
    /^http body is not gzip/,
  );
  assert.match(
    reasonOf(() => decompressed(Buffer.from('<a/>'), 'compress', 200, 100)),
    /^http content-encoding "compress"/,
  );
  assert.match(
    reasonOf(() => decompressed(gzipSync('x'.repeat(101)), 'gzip', 200, 100)),
    /^too-large/,
  );
  assert.match(
    reasonOf(() => decompressed(gzipSync('x'), 'gzip,'.repeat(9), 200, 100)),
    /^http/,
  );
});
