import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BYTES_MAX, BYTES_PER_CALL_MAX, createTrace, MESSAGES_PER_CALL_MAX } from './trace.ts';

test('what is kept is bounded in bytes per call and in all, the oldest calls go first', () => {
  const trace = createTrace();
  const large = Buffer.alloc(60_000, 'x');
  for (let call = 0; call < 1_000; call++) {
    trace.open(`call-${call}`, `sip-${call}`);
    for (let n = 0; n < 100; n++) trace.note(`sip-${call}`, 'in', 'p', n === 0 ? Buffer.from('first') : large, n);
  }
  assert.ok(trace.bytes() <= BYTES_MAX);
  assert.equal(trace.messages('call-0'), undefined);
  const kept = trace.messages('call-999')!;
  assert.equal(kept[0]!.text, 'first');
  assert.equal(kept.at(-1)!.at, 99);
  assert.ok(kept.reduce((sum, { text }) => sum + text.length, 0) <= BYTES_PER_CALL_MAX);
});

test('of many short messages the first and the last are kept; a Call-ID that no call has is not', () => {
  const trace = createTrace();
  trace.open('call', 'sip');
  for (let n = 0; n < 200; n++) trace.note('sip', 'out', 'p', Buffer.from(`${n}`), n);
  trace.note('stranger', 'in', 'p', Buffer.alloc(9_000), 0);
  const kept = trace.messages('call')!.map(({ at }) => at);
  assert.equal(kept.length, MESSAGES_PER_CALL_MAX);
  assert.deepEqual([kept[0], kept[15], kept[16], kept.at(-1)], [0, 15, 152, 199]);
});
