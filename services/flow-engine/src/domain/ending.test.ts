/** A call lasts as long as its app allows, and no longer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tell } from '../simulate/tell.ts';

const MINUTE_MS = 60_000;

for (const [of, xml] of [
  ['that waits', '<Hold timeout="3600000"/>'],
  ['that is connected', '<Dial><Sip>bob@b.test</Sip></Dial>'],
  ['that begins anew for ever', '<Say loop="0">Again.</Say>'],
] as const)
  test(`a call ${of} is hung up by us when its app's time is over`, () => {
    const told = tell(xml, { maxCallLengthMs: MINUTE_MS, callee: 'answers', calleeStaysMs: 10 * MINUTE_MS });
    assert.equal(told.ended, 'us max-length');
    const [arrived, ended] = [told.of('CallArrived')[0]!, told.of('CallEnded')[0]!];
    assert.equal(ended.q850, 31);
    const lasted = ended.at - arrived.at;
    assert.ok(lasted >= MINUTE_MS && lasted < MINUTE_MS + 5_000, `${lasted} ms`);
  });

test('what ends before its time is not hung up by us', () => {
  assert.equal(tell('<Pause length="30000"/>', { maxCallLengthMs: MINUTE_MS }).ended, 'document document-end');
});
