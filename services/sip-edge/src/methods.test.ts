// What has no row in the table of methods is refused, whatever it is called; OPTIONS tells the rows.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ABILITIES, ALLOW, methodOf } from './methods.ts';
import { requestOf } from './stack/testing/harness.ts';
import { openHouse } from './testing/house.ts';

test('every method that Allow names has a row, and a name of every object has none', () => {
  assert.deepEqual(ALLOW, ['Allow', ABILITIES.methods.join(', ')]);
  const unserved = methodOf(requestOf('MESSAGE'));
  for (const method of ABILITIES.methods) assert.notEqual(methodOf(requestOf(method)), unserved, method);
  for (const method of ['constructor', '__proto__', 'toString', 'invite'])
    assert.equal(methodOf(requestOf(method)), unserved, method);
});

test('outside every dialog each method but INVITE is answered without a transaction', async () => {
  const house = await openHouse();
  try {
    for (const [method, status] of [
      ['OPTIONS', 200],
      ['BYE', 481],
      ['INFO', 481],
      ['MESSAGE', 405],
      ['toString', 501],
    ] as const) {
      house.phone.request(method, { branch: `z9hG4bK${method}` });
      const response = await house.phone.status(status, method);
      if (status !== 481) assert.equal(response.headers.get('allow'), ALLOW[1], method);
    }
    assert.equal(house.edge.transactions(), 0);
  } finally {
    await house.close();
  }
});
