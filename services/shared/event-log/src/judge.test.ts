import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createJudge, type Observation } from './judge.ts';

const seen = (beats: number, over: Partial<Observation> = {}): Observation => ({
  node: { name: 'n', boot: 'b', kind: 'k', address: 'a', loadPercent: 0 },
  beats,
  withdrawn: false,
  free: false,
  ...over,
});

test('silence is announced at 1.5 s and at 3 s', () => {
  const judge = createJudge();
  const changes: number[] = [];
  for (let at = 0; at <= 4000; at += 200) if (judge.observe(at, true, [seen(1)])) changes.push(at);
  assert.deepEqual(changes, [0, 1600, 3200]);
  assert.equal(judge.nodes()[0]!.silentMs, 4000);
  assert.equal(judge.observe(4200, true, [seen(2)]), true);
  assert.equal(judge.nodes()[0]!.silentMs, 0);
});

test('nobody is silent while the judge’s own beats don’t come back', () => {
  const judge = createJudge();
  judge.observe(0, true, [seen(1)]);
  for (let at = 200; at <= 20_000; at += 200) assert.equal(judge.observe(at, false, [seen(1)]), false);
  assert.equal(judge.nodes()[0]!.silentMs, 0);
});

test('who comes back a little later than the judge, after the log was away, is not lost', () => {
  const judge = createJudge();
  // The judge learns that its beats don't come back only a second after the last one did.
  for (let at = 0; at <= 1_200; at += 200) judge.observe(at, true, [seen(1)]);
  for (let at = 1_400; at <= 5_000; at += 200) judge.observe(at, false, [seen(1)]);
  for (let at = 5_200; at <= 6_600; at += 200) judge.observe(at, true, [seen(1)]);
  assert.equal(judge.nodes()[0]!.silentMs, 1_400);
  judge.observe(6_800, true, [seen(2)]);
  assert.equal(judge.nodes()[0]!.silentMs, 0);
});

test('who was lost stays lost, and who is silent is lost, however often our own beats are late', () => {
  const judge = createJudge();
  for (let at = 0; at <= 2_000; at += 200) judge.observe(at, true, [seen(1)]);
  judge.observe(2_200, false, [seen(1)]);
  judge.observe(2_400, true, [seen(1)]);
  assert.ok(judge.nodes()[0]!.silentMs >= 2_000);
  const other = createJudge();
  for (let at = 0; at <= 8_000; at += 200) other.observe(at, at % 1_000 > 0, [seen(1)]);
  assert.ok(other.nodes()[0]!.silentMs > 3_000, `${other.nodes()[0]!.silentMs}`);
});

test('a judge that was itself frozen counts no more than one reading', () => {
  const judge = createJudge();
  judge.observe(0, true, [seen(1)]);
  assert.equal(judge.observe(60_000, true, [seen(1)]), false);
  assert.equal(judge.nodes()[0]!.silentMs, 400);
});

test('a free lock or a withdrawn beat is a sign of death, an unknown lock is none', () => {
  const judge = createJudge();
  const gone = (over: Partial<Observation>) => {
    judge.observe(0, true, [seen(1, over)]);
    return judge.nodes()[0]!.gone;
  };
  assert.deepEqual([gone({ free: true }), gone({ withdrawn: true }), gone({ free: undefined })], [true, true, false]);
});
