/**
 * Stories written by earlier versions still fold, to the same state, and today's code chooses in them what was chosen
 * then. A story is a `.story` file (`npm run flow -- record` writes one); its first line is the hash of its state. Another
 * state means that `evolve` changed what an existing event means: that needs a new version of the event, not a new
 * hash. Another choice may be right: `differences.ts` lists each with its reason.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readStoryFile } from '@opentact/proto';
import { wholeCallObject } from '@opentact/proto/call-view';
import { newCall } from '../../services/flow-engine/src/domain/call.ts';
import { evolve } from '../../services/flow-engine/src/domain/evolve.ts';
import { callOf } from '../../services/flow-engine/src/engine/story.ts';
import { redecide } from '../../services/flow-engine/src/replay/redecide.ts';
import { foldOf, hashOf } from '../../services/flow-engine/src/replay/story.ts';
import { DIFFERENCES } from './differences.ts';

const SNAPSHOT = fileURLToPath(new URL('./snapshots/version-1.json', import.meta.url));
const CALLS = fileURLToPath(new URL('./calls/', import.meta.url));
const stories = readdirSync(CALLS).filter((name) => name.endsWith('.story'));
const storyOf = (name: string) => readStoryFile(readFileSync(`${CALLS}${name}`, 'utf8'));

test('there are golden stories to fold', () => {
  assert.ok(stories.length >= 5, `${stories.length} stories in ${CALLS}`);
  for (const name of Object.keys(DIFFERENCES)) assert.ok(stories.includes(name), `${name} is no story`);
});

for (const name of stories) {
  test(`${name} folds to the state it always had`, () => {
    const { hash, events } = storyOf(name);
    const call = foldOf(events);
    assert.equal(call.state, 'ended');
    assert.equal(hashOf(call), hash);
  });

  test(`${name}: its customer sees it as ever`, () => {
    const { view } = foldOf(storyOf(name).events);
    const path = `${CALLS}${name.replace(/\.story$/, '.view.json')}`;
    const text = `${JSON.stringify(wholeCallObject(view!), null, 2)}\n`;
    // With OPENTACT_GOLDEN=write a changed object is written, to be read in the diff.
    if (process.env.OPENTACT_GOLDEN === 'write') writeFileSync(path, text);
    assert.equal(text, readFileSync(path, 'utf8'));
  });

  test(`${name}: today's code chooses what was chosen then${DIFFERENCES[name] ? ', but where it is said why not' : ''}`, () => {
    const differences = redecide(storyOf(name).events);
    assert.deepEqual(
      differences.map(({ fact }) => fact.seq),
      DIFFERENCES[name]?.after ?? [],
      `npm run flow -- replay test/replay/calls/${name} --redecide`,
    );
  });
}

test('a snapshot that version 1 wrote goes on as its story does', () => {
  const { covers, story, snapshot } = JSON.parse(readFileSync(SNAPSHOT, 'utf8')) as {
    covers: number;
    story: string;
    snapshot: { v: number; call: unknown };
  };
  assert.equal(snapshot.v, 1);
  const { events } = storyOf(story);
  const resumed = callOf(events[0]!.callId, Buffer.from(JSON.stringify(snapshot)))!.call;
  assert.equal(resumed.legs[0]?.offer?.transaction, '2 z9hG4bKx');
  const whole = events.reduce(evolve, newCall(events[0]!.callId));
  assert.equal(hashOf(events.slice(covers).reduce(evolve, resumed)), hashOf(whole));
});
