/**
 * Stories written by earlier versions still fold, to the same state. Each line of a story is one event's bytes in
 * base64; its first line is the hash of the state they fold to. A difference means that `evolve` changed what an
 * existing event means: that needs a new version of the event, not a new hash.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { decodeEvent } from '@opentact/proto';
import { newCall } from '../../services/flow-engine/src/domain/call.ts';
import { evolve } from '../../services/flow-engine/src/domain/evolve.ts';

const CALLS = fileURLToPath(new URL('./calls/', import.meta.url));
const stories = readdirSync(CALLS).filter((name) => name.endsWith('.story'));

/** Keys in order, so that the order of assignment in `evolve` is free. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, v) =>
    v && typeof v === 'object' && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
      : v,
  );

test('there are golden stories to fold', () => {
  assert.ok(stories.length >= 5, `${stories.length} stories in ${CALLS}`);
});

for (const name of stories)
  test(`${name} folds to the state it always had`, () => {
    const [hash, ...lines] = readFileSync(`${CALLS}${name}`, 'utf8').trimEnd().split('\n');
    const events = lines.map((line) => decodeEvent(Buffer.from(line, 'base64')));
    const call = events.reduce(evolve, newCall(events[0]!.callId));
    assert.equal(call.state, 'ended');
    assert.equal(createHash('sha256').update(canonical(call)).digest('hex'), hash);
  });
