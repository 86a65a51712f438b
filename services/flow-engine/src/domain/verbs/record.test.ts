/** An empty Record and the key that ends it: by RTP, by SIP INFO, or by both, as some phones send each key. It counts once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Told, tell } from '../../simulate/tell.ts';

const rtp = (at: number, digit: string) => ({ at, digit });
const info = (at: number, digit: string) => ({ at, digit, way: 'info' as const });
const told = (...pressAt: Array<ReturnType<typeof info> | ReturnType<typeof rtp>>): Told =>
  tell('<Record/><Gather numDigits="1" timeout="3000"/>', { pressAt });

test('a key by RTP ends it, and one by INFO', () => {
  for (const press of [rtp, info]) {
    const { verbs, of } = told(press(2_000, '#'), press(3_000, '7'));
    assert.deepEqual(verbs, ['Record[0] key', 'Gather[0] entered 7']);
    assert.ok(Math.abs(of('RecordFinished')[0]!.durationMs - 2_000) < 50);
  }
});

test('another key ends nothing', () => {
  for (const press of [rtp, info]) assert.equal(told(press(2_000, '5')).verbs[0], 'Record[0] silence');
});

test('a phone that sends both: the key that ended it is no key of the next verb, whichever way came first', () => {
  for (const [first, second] of [
    [rtp, info],
    [info, rtp],
  ] as const) {
    const keys = [first(2_000, '#'), second(2_150, '#'), first(3_500, '7'), second(3_650, '7')];
    assert.deepEqual(told(...keys).verbs, ['Record[0] key', 'Gather[0] entered 7']);
  }
});

test('also where its keys came by INFO before', () => {
  const { verbs } = tell('<Gather numDigits="1"/><Record/><Gather numDigits="1" timeout="3000"/>', {
    pressAt: [info(500, '1'), rtp(600, '1'), rtp(2_000, '#'), info(2_200, '#'), info(4_000, '7')],
  });
  assert.deepEqual(verbs, ['Gather[0] entered 1', 'Record[0] key', 'Gather[1] entered 7']);
});

test('seconds later it is a key again', () => {
  const { verbs } = told(rtp(2_000, '#'), info(4_000, '#'));
  assert.deepEqual(verbs, ['Record[0] key', 'Gather[0] entered #']);
});

test('a block is not ended by keys', () => {
  const { verbs } = tell('<Record><Pause length="3000"/></Record>', { pressAt: [info(1_000, '#')] });
  assert.deepEqual(
    verbs,
    ['Pause[0] finished', 'Record[0] stopped'].map((one) => one.replace('Pause', 'Record[0].Pause')),
  );
});
