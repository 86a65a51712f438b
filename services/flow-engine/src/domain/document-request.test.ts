import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withQuery } from './document-request.ts';

test('what an address held before stays byte for byte, and ours is appended', () => {
  const ours = { from: '+1 2', state: '', tag: 'é&=' };
  const encoded = 'from=%2B1+2&tag=%C3%A9%26%3D';
  for (const [written, joint] of [
    ["http://h/live?exp=1~acl=/live/*&name=a%20b&flag&q=(x)'!&t=%7e", '&'],
    ['http://h', '?'],
    ['HTTP://H/a/../b', '?'],
    ['http://h/?', ''],
    ['http://h/?a&', ''],
    ['http://ops:50%off@h/x', '?'],
  ] as const) {
    assert.equal(withQuery(written, ours), `${written}${joint}${encoded}`);
    assert.equal(withQuery(`${written}#part?x`, ours), `${written}${joint}${encoded}#part?x`);
    assert.equal(withQuery(written, { state: '' }), written);
  }
});
