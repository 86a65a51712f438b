/** What must hold of every call, shown on random ones. A failure prints the seed that repeats it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallEvent } from '@opentact/proto';
import { isObserved } from '@opentact/proto/observations';
import { type Call, newCall } from '../../services/flow-engine/src/domain/call.ts';
import { evolve } from '../../services/flow-engine/src/domain/evolve.ts';
import { stepWith } from '../../services/flow-engine/src/domain/step.ts';
import { parseDocument } from '../../services/flow-engine/src/xml/document.ts';
import { type Run, randomCall } from './random-call.ts';
import { randomOf } from './random-document.ts';

const RUNS = Number(process.env.OPENTACT_LAW_RUNS ?? 1_500);
const FIRST_SEED = Number(process.env.OPENTACT_LAW_SEED ?? 1);

const fold = (events: CallEvent[], from?: Call) =>
  events.reduce(evolve, from ?? newCall('00000000-0000-8000-8000-000000000000'));
const plain = (call: Call) => JSON.parse(JSON.stringify(call)) as Call;

/** Asserts on every random call, and names the seed of the first that fails. */
function forAll(check: (run: Run) => void): void {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed++) {
    try {
      check(randomCall(seed));
    } catch (error) {
      throw new Error(
        `seed ${seed}: ${(error as Error).message} (OPENTACT_LAW_SEED=${seed} OPENTACT_LAW_RUNS=1 repeats it)`,
        { cause: error },
      );
    }
  }
}

test('no order of facts makes the core throw, and every call comes to rest', () => {
  let events = 0;
  let ended = 0;
  forAll((run) => {
    events += run.events.length;
    ended += run.call.ended ? 1 : 0;
    assert.ok(run.call.ended, run.xml);
  });
  assert.ok(events > RUNS * 10, `only ${events} events: the world is too dull to prove anything`);
  assert.equal(ended, RUNS);
});

test('replay equals the live state', () => {
  forAll((run) => assert.deepEqual(fold(run.events), run.call));
});

test('every prefix, snapshotted and continued, equals the whole', () => {
  forAll((run) => {
    const random = randomOf(run.seed);
    for (let i = 0; i < 5; i++) {
      const cut = random.below(run.events.length);
      const snapshot = plain(fold(run.events.slice(0, cut)));
      assert.deepEqual(plain(fold(run.events.slice(cut), snapshot)), plain(run.call), `cut at ${cut}`);
    }
  });
});

test('sequence numbers have no gap and time never goes back', () => {
  forAll((run) => {
    run.events.forEach((event, i) => {
      assert.equal(event.seq, i + 1);
      if (i > 0) assert.ok(event.at >= run.events[i - 1]!.at);
    });
  });
});

test('an ended call chooses only releases, and the words of what it recorded', () => {
  // An edge that dies with a BYE unsaid is replaced for that BYE.
  const releases = new Set([
    'ReleaseRequested',
    'HangupRequested',
    'NodeRequested',
    'AdoptRequested',
    'TranscriptRequested',
    'PeerLeaveRequested',
  ]);
  forAll((run) => {
    const end = run.events.findIndex((e) => e.type === 'CallEnded');
    const after = run.events.slice(end + 1).filter((e) => !isObserved(e));
    for (const event of after) assert.ok(releases.has(event.type), `${event.type} after the end`);
    assert.equal(run.events.filter((e) => e.type === 'CallEnded').length, 1, 'ended more than once');
  });
});

test('no session, leg or timer outlives its call, and every request was answered', () => {
  forAll((run) => {
    const { call, events } = run;
    assert.deepEqual(
      Object.values(call.outstanding).map((e) => e.type),
      [],
    );
    assert.deepEqual(call.timers, {});
    const open = new Map<number, number>();
    const opened = new Set<number>();
    for (const event of events) {
      // The same answer again opens nothing.
      if (event.type === 'SessionReady' && !opened.has(event.requestId)) open.set(event.leg, event.seq);
      if (event.type === 'SessionReady') opened.add(event.requestId);
      if (event.type === 'SessionReleased') open.delete(event.leg);
      // A node that died holds nothing; what it never said it released is for the audit to find.
      if (event.type === 'NodeLost' && event.kind === 'media') open.clear();
      if (event.type === 'RequestFailed') open.clear();
    }
    assert.deepEqual([...open], [], 'sessions left open');
    for (const [n, leg] of call.legs.entries()) assert.equal(leg.state, 'ended', `leg ${n} is ${leg.state}`);
  });
});

test('a repeated or late answer changes no plan: only releases follow from it', () => {
  const step = stepWith(parseDocument);
  const plan = (call: Call) =>
    JSON.stringify([call.flow, call.timers, call.legs.map((l) => l.state), call.ended, call.ending]);
  forAll((run) => {
    const answers = run.events.filter((e) => isObserved(e) && 'requestId' in e && e.type !== 'LegRang');
    const random = randomOf(run.seed);
    // Between two steps; in the middle of one, what was chosen is still to be learned.
    const rests = [...run.events.flatMap((e, i) => (isObserved(e) ? [i] : [])), run.events.length];
    for (let i = 0; i < 5 && answers.length > 0; i++) {
      const answer = random.of(answers);
      const cut = random.of(rests.filter((at) => at >= answer.seq));
      const call = fold(run.events.slice(0, cut));
      const { seq: _, callId: __, at: ___, ...fact } = answer;
      const again = step(call, { ...fact } as never, call.at);
      const chosen = again.events.slice(1).map((e) => e.type);
      for (const type of chosen)
        assert.ok(
          type === 'ReleaseRequested' || type === 'HangupRequested',
          `${answer.type} again at ${cut} chose ${type}`,
        );
      if (chosen.length === 0) assert.equal(plan(again.call), plan(call), `${answer.type} again at ${cut}`);
    }
  });
});
