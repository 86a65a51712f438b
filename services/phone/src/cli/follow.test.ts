/** The command's two promises: the story goes on when whoever told it is gone, and what nobody tells is no success. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import type { CallEvent } from '@opentact/proto';
import type { PhoneCall } from '../phone-call.ts';
import type { Control } from './control.ts';
import { type Following, follow } from './follow.ts';
import { verdictOn } from './verdict.ts';

const CALL = { platformCallId: 'c', ended: undefined } as unknown as PhoneCall;
const place = (seq: number) => ({ callId: 'c', seq, at: 1_000 + seq });
const STORY = [
  { type: 'CallArrived', ...place(1), fromNumber: '1', toNumber: '2' },
  { type: 'VerbEnded', ...place(2), path: 'Say[0]', success: true, reason: 'finished' },
  { type: 'CallEnded', ...place(3), owner: 'document', reason: 'hangup' },
] as unknown as CallEvent[];

const unavailable = Object.assign(new Error('gone'), { code: status.UNAVAILABLE });

/** Engines that die, one after the other, as each of `streams` is over: so many events, then an error or a silent end. */
function dying(streams: Array<{ events: number; error?: Error }>) {
  const asked: number[] = [];
  async function* tell(_: string, fromSeq: number): AsyncGenerator<CallEvent> {
    const { events, error } = streams[Math.min(asked.length, streams.length - 1)]!;
    asked.push(fromSeq);
    yield* STORY.slice(fromSeq - 1, fromSeq - 1 + events);
    if (error) throw error;
  }
  return { asked, control: { follow: tell } as unknown as Control };
}

function listening(): Following & { lines: string[] } {
  const lines: string[] = [];
  return { lines, presses: [], verbose: false, print: (line) => void lines.push(line), giveUpMs: 300 };
}

test('the story is followed over deaths and silent ends, each event once, from the last one on', async () => {
  const { asked, control } = dying([
    { events: 1, error: unavailable },
    { events: 0, error: unavailable },
    { events: 1 },
    { events: 9 },
  ]);
  const how = listening();
  const ending = await follow(CALL, control, how);
  assert.equal(ending?.reason, 'hangup');
  assert.deepEqual(asked, [1, 2, 2, 3]);
  assert.equal(how.lines.length, 3);
});

test('it is given up when nobody tells more, and at once where asking again is of no use', async () => {
  const { control, asked } = dying([{ events: 1, error: unavailable }]);
  assert.equal(
    await follow(CALL, { ...control, follow: (id, n) => control.follow(id, Math.max(n, 4)) }, listening()),
    undefined,
  );
  assert.ok(asked.length > 1);
  const refused = dying([{ events: 0, error: Object.assign(new Error('no'), { code: status.UNAUTHENTICATED }) }]);
  await assert.rejects(follow(CALL, refused.control, listening()), /no/);
  assert.equal(refused.asked.length, 1);
});

test('only an ending that is known can be a success', () => {
  const call = { platformCallId: 'c', answeredAt: 5, ended: { by: 'us', status: 0 } } as const;
  const about = { to: '2', heardEnd: true };
  assert.equal(verdictOn(call, { owner: 'document', reason: 'hangup' }, about).code, 0);
  assert.equal(verdictOn(call, { owner: 'us', reason: 'lost' }, about).code, 1);
  assert.match(
    verdictOn(call, { owner: 'document', reason: 'hangup' }, { ...about, heardEnd: false }).line,
    /Failed.*no BYE/,
  );
  const unknown = verdictOn(call, undefined, about);
  assert.equal(unknown.code, 3);
  assert.match(unknown.line, /unknown/);
  const refused = { platformCallId: '', answeredAt: 0, ended: { by: 'them', status: 404 } } as const;
  assert.match(verdictOn(refused, undefined, about).line, /Failed: SIP 404, nobody has 2/);
});
