/**
 * Stories written by earlier versions still fold, to the same state. Each line of a story is one event's bytes in
 * base64, after its schema version where that is not 1; the first line is the hash of the state they fold to. A difference means that `evolve` changed what an
 * existing event means: that needs a new version of the event, not a new hash.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readEvent } from '@opentact/proto';
import { newCall } from '../../services/flow-engine/src/domain/call.ts';
import { evolve } from '../../services/flow-engine/src/domain/evolve.ts';
import { callOf } from '../../services/flow-engine/src/engine/story.ts';

const SNAPSHOT = fileURLToPath(new URL('./snapshots/version-1.json', import.meta.url));
const CALLS = fileURLToPath(new URL('./calls/', import.meta.url));
const stories = readdirSync(CALLS).filter((name) => name.endsWith('.story'));

/** Keys in order, so that the order of assignment in `evolve` is free. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, v) =>
    v && typeof v === 'object' && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
      : v,
  );

const eventOf = (line: string) => {
  const [bytes, schema] = line.split(' ').reverse();
  return readEvent(Buffer.from(bytes!, 'base64'), schema);
};

test('there are golden stories to fold', () => {
  assert.ok(stories.length >= 5, `${stories.length} stories in ${CALLS}`);
});

for (const name of stories)
  test(`${name} folds to the state it always had`, () => {
    const [hash, ...lines] = readFileSync(`${CALLS}${name}`, 'utf8').trimEnd().split('\n');
    const events = lines.map(eventOf);
    const call = events.reduce(evolve, newCall(events[0]!.callId));
    assert.equal(call.state, 'ended');
    assert.equal(createHash('sha256').update(canonical(call)).digest('hex'), hash);
  });

test('a snapshot that version 1 wrote goes on as its story does', () => {
  const { covers, story, snapshot } = JSON.parse(readFileSync(SNAPSHOT, 'utf8')) as {
    covers: number;
    story: string;
    snapshot: { v: number; call: unknown };
  };
  assert.equal(snapshot.v, 1);
  const [, ...lines] = readFileSync(`${CALLS}${story}`, 'utf8').trimEnd().split('\n');
  const events = lines.map(eventOf);
  const resumed = callOf(Buffer.from(JSON.stringify(snapshot)))!;
  assert.equal(resumed.legs[0]?.offer?.transaction, '2 z9hG4bKx');
  const whole = events.reduce(evolve, newCall(events[0]!.callId));
  assert.equal(canonical(events.slice(covers).reduce(evolve, resumed)), canonical(whole));
});
