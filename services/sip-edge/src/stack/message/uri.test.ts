import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatUri, parseUri, sameUri } from './uri.ts';

const same = (a: string, b: string) => sameUri(parseUri(a), parseUri(b));

test('addresses that RFC 3261 19.1.4 calls equal are equal', () => {
  assert.ok(same('sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtLanTa.CoM;Transport=tcp'));
  assert.ok(same('sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5'));
  assert.ok(same('sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;newparam=5'));
  assert.ok(
    same(
      'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
      'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
    ),
  );
  assert.ok(same('sip:alice@atlanta.com?subject=p&priority=u', 'sip:alice@atlanta.com?priority=u&subject=p'));
});

test('addresses that RFC 3261 19.1.4 calls different are different', () => {
  assert.ok(!same('SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP'));
  assert.ok(!same('sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060'));
  assert.ok(!same('sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp'));
  assert.ok(!same('sip:bob@biloxi.com', 'sip:bob@biloxi.com:6000;transport=tcp'));
  assert.ok(!same('sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next'));
  assert.ok(!same('sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;security=off'));
  assert.ok(!same('sip:a%40b@h', 'sip:a%41b@h'));
});

test('an address is written as it was read', () => {
  for (const text of ['sip:h', 'sips:u:p@[2001:db8::1]:5061;lr?a=b', 'tel:+1-201-555-0123', 'sip:a%20b@h;x=%20']) {
    assert.equal(formatUri(parseUri(text)), text);
  }
});

test('broken addresses are refused', () => {
  for (const text of ['', 'sip', 'sip:', 'sip:@h', 'sip:a@', 'sip:h:99999', 'sip:a b@h', 'sip:h;x=<', 'sip:[::1']) {
    assert.throws(() => parseUri(text), { name: 'GrammarFault' }, text);
  }
});
