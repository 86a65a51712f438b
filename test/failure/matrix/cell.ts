/** One cell of the matrix: a real call brought to its moment, something killed under it, and what must hold afterwards. */
import assert from 'node:assert/strict';
import type { CallEvent } from '@opentact/proto';
import { outcome, verbs } from '../../kit/scene.ts';
import { forgetStalls, pauseOf } from '../../kit/stall.ts';
import type { Moment, Situation, Stage } from './situations.ts';
import type { Victim } from './victims.ts';

/** What a cell came to: how long until the call was seen to go on, ms from the kill, and the phone's longest pause. */
export type Survived = { recoveredMs: number; pauseMs: number };

const CELL_MS = 20_000;

/** @throws Error where the call did not survive, with the tail of its story. */
export async function runCell(stage: Stage, situation: Situation, victim: Victim): Promise<Survived> {
  const { platform, customer } = stage;
  forgetStalls();
  const before = new Set(customer.asked.map((a) => a.idempotencyKey));
  const moment = await situation.begin(stage);
  const callId = moment.call.platformCallId;
  moment.call.peer.heard.longestGapMs = 0;
  const killedAt = Date.now();
  await victim.kill(platform, callId);
  try {
    const reaction = await moment.goOn(killedAt, victim.losesKeys === true);
    const story = await platform.ended(callId, CELL_MS);
    judge(situation, victim, moment, story);
    const keys = new Set(customer.asked.map((a) => a.idempotencyKey)).size - before.size;
    assert.equal(keys, situation.callbacks, 'distinct callbacks at the customer’s server');
    return { recoveredMs: reaction.at - killedAt, pauseMs: pauseOf(moment.call.peer.heard) };
  } catch (error) {
    const story = await platform.story(callId).catch(() => []);
    const tail = story.slice(-25).map((e) => `  ${e.at - killedAt} ms  ${e.seq} ${e.type}${detailOf(e)}`);
    throw new Error(`${(error as Error).message}\n${tail.join('\n')}`, { cause: error });
  } finally {
    stage.phone.deafToBye = false;
    for (const call of [moment.call, moment.other]) if (call) await forget(stage, call);
  }
}

function judge(situation: Situation, victim: Victim, moment: Moment, story: CallEvent[]): void {
  assert.deepEqual(
    story.map((e) => e.seq),
    story.map((_, i) => i + 1),
    'a gap in the story',
  );
  assert.deepEqual(verbs(story), situation.verbs);
  assert.equal(outcome(story), situation.outcome);
  assert.equal(story.filter((e) => e.type === 'CallEnded').length, 1);
  const said = story.flatMap((e) => (e.type === 'PlayRequested' ? [JSON.stringify(e.items)] : []));
  assert.equal(new Set(said).size, said.length, `asked to play twice: ${said}`);
  for (const call of [moment.call, moment.other]) {
    if (!call || situation.isSilent) continue;
    const pause = pauseOf(call.peer.heard);
    assert.ok(pause < victim.pauseMs, `RTP paused for ${Math.round(pause)} ms`);
  }
}

async function forget(stage: Stage, call: Moment['call']): Promise<void> {
  if (call.state !== 'ended') call.hangup();
  stage.phone.calls.delete(call.sipCallId);
  stage.callee.calls.delete(call.sipCallId);
  await call.peer.close().catch(() => {});
}

const detailOf = (event: CallEvent) => {
  const { type: _, callId: __, seq: ___, at: ____, from, ...rest } = event;
  return ` ${JSON.stringify(rest, (key, value) => (/^(sdp|offer|invite|app|verbs|dialog|answerSdp)$/.test(key) ? '…' : value)).slice(0, 150)}${from ? ` by ${from.source}` : ''}`;
};
