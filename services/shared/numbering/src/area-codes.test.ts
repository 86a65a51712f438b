/** The table is whole, and each code leads where people there would say they live. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REGIONS, stateOf } from './index.ts';

const STATES =
  'AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY';
const TERRITORIES = 'AS GU MP PR VI';
const PROVINCES = 'AB BC MB NB NL NS NT ON QC SK';
const codesOf = (regions: string) => regions.split(' ').flatMap((region) => REGIONS[region]!.split(/\s+/));

test('every state, territory and province with a code of its own has one, and nothing else does', () => {
  assert.deepEqual(Object.keys(REGIONS).toSorted(), `${STATES} ${TERRITORIES} ${PROVINCES}`.split(' ').toSorted());
  assert.deepEqual([codesOf(STATES).length, codesOf(TERRITORIES).length, codesOf(PROVINCES).length], [374, 6, 56]);
});

test('no code is in two places, and each is one', () => {
  const codes = codesOf(`${STATES} ${TERRITORIES} ${PROVINCES}`);
  assert.equal(new Set(codes).size, codes.length);
  for (const code of codes) assert.match(code, /^[2-9][0-8]\d$/);
});

test('a number is at home in the state of its area code', () => {
  const known =
    'NY:212 NY:718 NY:914 NY:329 CA:213 CA:415 CA:619 CA:738 TX:512 TX:713 TX:214 TX:621 FL:305 FL:407 FL:645 IL:312 IL:217 ' +
    'MA:617 WA:206 GA:404 GA:943 DC:202 DC:771 PA:215 PA:814 OH:216 OH:436 MI:313 MI:679 NV:702 AZ:602 CO:303 CO:748 ' +
    'HI:808 AK:907 DE:302 WY:307 VT:802 ID:986 MO:557 LA:504 TN:615 NJ:201 VA:804 UT:801 OR:503 MN:612 PR:787 PR:939 ' +
    'GU:671 VI:340 MP:670 AS:684 ON:416 QC:514 BC:604 BC:257 AB:403 NS:902 NB:506 NL:709 MB:204 SK:306 NT:867';
  for (const [state, code] of known.split(' ').map((pair) => pair.split(':'))) {
    assert.equal(stateOf(`1${code}5550100`), state, code);
    assert.equal(stateOf(`${code}5550100`), state, code);
  }
  assert.equal(stateOf('+12125550100'), 'NY');
});

test('a service, a Caribbean country, another plan and no number are at home nowhere', () => {
  const services = ['800', '833', '844', '855', '866', '877', '888', '500', '521', '533', '600', '622', '700', '900'];
  const countries = ['242', '246', '264', '268', '284', '345', '441', '473', '649', '658', '664', '721', '758', '767'];
  const more = ['784', '809', '829', '849', '868', '869', '876', '911', '411', '988', '555', '200', '999'];
  for (const code of [...services, ...countries, ...more]) assert.equal(stateOf(`1${code}2345678`), '', code);
  for (const text of ['', '212', '442071234567', '22125550100', '12121550100', '1212555010', '121255501000', 'Anna'])
    assert.equal(stateOf(text), '', text);
  for (const hostile of ['__proto__', 'constructor', '1'.repeat(10_000)]) assert.equal(stateOf(hostile), '');
});
