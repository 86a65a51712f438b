import assert from 'node:assert/strict';
import { test } from 'node:test';
import { basicAuthorization, parseAddress } from './address.ts';

const target = (text: string, base?: string) =>
  parseAddress(text, base === undefined ? undefined : parseAddress(base)).target;

test('path and query are asked for byte for byte as they were written', () => {
  for (const written of [
    "/live?exp=1~acl=/live/*&name=a%20b&flag&q=(x)'!&t=%7e",
    '/a/../b/./c//d?x',
    '/%7Euser/%2f%2F?a=%c3%a9&b=+&=&&c',
    '/?a=1?b=2',
    '/{id}/"x"/|/^?`<>`',
    '/p;v=1,2@x:y?$=!*',
  ])
    assert.equal(target(`https://Shop.Example:8443${written}#part`), written);
  assert.equal(target('http://shop.example'), '/');
  assert.equal(target('http://shop.example?a=%7e'), '/?a=%7e');
  assert.equal(target('http://user:p%40ss@shop.example/a%7e'), '/a%7e');
});

test('what no request line can carry is encoded, and nothing else', () => {
  assert.equal(target('http://h.test/caf\u00e9 au lait?q=\u20ac~'), '/caf%C3%A9%20au%20lait?q=%E2%82%AC~');
  assert.equal(target('  http://h.test/a\n\tb?c\r\n'), '/ab?c');
  assert.equal(target('http://h.test/\ud800'), '/%EF%BF%BD');
});

test('where the standard reads another host than the text shows, its word counts for host and target', () => {
  for (const [text, host, wanted] of [
    ['http:\\\\h.test\\x', 'h.test', '/x'],
    ['http:h.test/x?%7e', 'h.test', '/x?%7e'],
    ['http:///h.test/x', 'h.test', '/x'],
    ['http://h.test\\@evil.test/x', 'h.test', '/@evil.test/x'],
    ['http://2130706433/x', '127.0.0.1', '/x'],
  ] as const) {
    const address = parseAddress(text);
    assert.deepEqual([address.url.host, address.target], [host, wanted], text);
  }
});

test('a Location is taken as it was written too', () => {
  const base = "http://h.test/a/b?sig=('x')";
  assert.equal(target("/c?acl=/*~'%7e", base), "/c?acl=/*~'%7e");
  assert.equal(target("?q='1'", base), "/a/b?q='1'");
  assert.equal(target("https://other.test/x?q='1'", base), "/x?q='1'");
  assert.equal(target('c?d=1', base), '/a/c?d=1');
  const away = parseAddress('//evil.test/x', parseAddress(base));
  assert.deepEqual([away.url.host, away.target], ['evil.test', '/x']);
});

test('credentials are sent as they stand, whatever stands there', () => {
  const of = (text: string) => {
    const { authorization } = basicAuthorization(new URL(text));
    return authorization && Buffer.from(authorization.slice(6), 'base64').toString();
  };
  assert.equal(of('http://ops:50%off@h.test/'), 'ops:50%off');
  assert.equal(of('http://:token@h.test/'), ':token');
  assert.equal(of('http://token@h.test/'), 'token:');
  assert.equal(of('http://a%3ab:c%20d%zz%2@h.test/'), 'a:b:c d%zz%2');
  assert.equal(of("http://j\u00f6rg:it's@h.test/"), "j\u00f6rg:it's");
  assert.equal(of('http://%ff:x@h.test/')?.length, 3);
  assert.equal(of('http://h.test/'), undefined);
});

test('what is no address is refused', () => {
  for (const text of [
    '',
    'x',
    '/x',
    'ftp://h.test/',
    'http://',
    `http://h.test/${'x'.repeat(9000)}`,
    `http://h.test/${'\u20ac'.repeat(3000)}`,
  ])
    assert.throws(() => parseAddress(text), { reason: 'bad-url' });
});
