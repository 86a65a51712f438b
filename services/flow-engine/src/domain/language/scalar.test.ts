/** Numbers keep the digits that they came with, from JSON or from a document, wherever they are sent. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tell } from '../../simulate/tell.ts';
import { isSame, scalarOf, scalarOfJson, scalarsOfJson, textOf } from './scalar.ts';

const textsIn = (json: string) => Object.fromEntries(scalarsOfJson(json).map(([name, value]) => [name, textOf(value)]));

test('scalars of JSON, digit for digit', () => {
  assert.deepEqual(
    textsIn(
      '{ "id" : 9196877626998785, "price":2.50,"e":1E3 , "neg":-0, "big":1e400, "n":7, "t":true, "z":null, "s":"2.50" }',
    ),
    {
      id: '9196877626998785',
      price: '2.50',
      e: '1E3',
      neg: '-0',
      big: '1e400',
      n: '7',
      t: 'true',
      z: 'null',
      s: '2.50',
    },
  );
  assert.deepEqual(scalarsOfJson('{"n":7,"f":2.5}'), [
    ['n', 7],
    ['f', 2.5],
  ]);
});

test('members of members, escaped names and names that come twice don’t confuse it', () => {
  assert.deepEqual(textsIn('{"a":{"price":1.10},"price":2.50,"l":[3.30,{"price":4.40}]}'), { price: '2.50' });
  assert.deepEqual(textsIn('{"pri\\u0063e":2.50,"a\\"b\\\\":1.0,"x":"{\\"price\\":9.90"}'), {
    price: '2.50',
    'a"b\\': '1.0',
    x: '{"price":9.90',
  });
  assert.deepEqual(textsIn('{"p":1.10,"p":2.20}'), { p: '2.20' });
  assert.deepEqual(textsIn('{"p":1.10,"p":[2.20]}'), {});
  assert.deepEqual(textsIn('{"p":[1.10],"p":2.20}'), { p: '2.20' });
  for (const other of ['', '[1.0]', '2.50', '"a"', 'null', '{"a":01}', '{"a":1.0', `${'['.repeat(100_000)}`])
    assert.deepEqual(scalarsOfJson(other), []);
  assert.deepEqual(textsIn(`{"p":2.50,"deep":${'['.repeat(30_000)}${']'.repeat(30_000)}}`), { p: '2.50' });
});

test('what came as a number is compared by its value, long ones by their digits', () => {
  const price = scalarOfJson('2.50');
  for (const other of ['2.5', '2.50', '+2.50']) assert.ok(isSame(price, scalarOf(other)), other);
  assert.ok(isSame(scalarOfJson('1e3'), scalarOf('1000')));
  assert.ok(isSame(scalarOfJson('9196877626998785'), scalarOf('9196877626998785')));
  assert.ok(!isSame(scalarOfJson('9196877626998785'), scalarOf('9196877626998784')));
});

test('a Curl’s numbers reach queries, bodies, the story and conditions as they were sent', () => {
  const server = ({ url }: { url: string }) => ({
    status: 200,
    body: url.includes('/crm') ? '{"id": 9196877626998785, "price": 2.50, "of": {"price": 3}}' : '',
  });
  const told = tell(
    `<Curl url="http://a.test/crm" tag="c"/>
     <Callback url="http://a.test/q"/><Callback url="http://a.test/b" method="POST" body="true"/>
     <Curl url="http://a.test/m" method="POST"><Meta name="rate" value="1.10"/></Curl>
     <Call field="meta.c.id" value="9196877626998785"><Say>same</Say></Call>
     <Call field="meta.c.id" value="9196877626998784"><Say>other</Say></Call>
     <Call field="meta.c.price" value="2.5"><Say>price</Say></Call>`,
    { server },
  );
  assert.deepEqual(told.of('MetaSet')[0]!.variables, [
    { name: 'c.id', json: '9196877626998785' },
    { name: 'c.price', json: '2.50' },
  ]);
  const [, query, posted, curled] = told.of('DocumentRequested');
  assert.match(query!.url, /c\.id=9196877626998785&c\.price=2\.50/);
  assert.match(posted!.body, /"meta":\{"c\.id":9196877626998785,"c\.price":2\.50\}/);
  assert.equal(curled!.body, '{"rate":1.10}');
  assert.deepEqual(told.words, ['same', 'price']);
});
