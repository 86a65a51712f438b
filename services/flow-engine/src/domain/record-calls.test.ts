/** What an outbound voice profile wants recorded: what is ordered, what a document dials, and nothing that it doesn't want. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Told, tell } from '../simulate/tell.ts';

const NUMBER = '<Dial><Number>13055559999</Number></Dial>';
const ordered = (recordCalls: number, verbs: string) => tell(verbs, { ordered: true, recordCalls });
const recordings = ({ of }: Told) => of('RecordRequested').filter(({ byProfile }) => byProfile);
const bridges = ({ of }: Told) => of('BridgeRequested').map(({ recordingId }) => recordingId !== '');

test('an ordered call is recorded from its answer to its end, both sides, where the profile says 1 or 2', () => {
  for (const recordCalls of [1, 2]) {
    const told = ordered(recordCalls, '<Say>hello</Say>');
    const [asked, ...more] = recordings(told);
    assert.deepEqual([asked?.leg, asked?.both, asked?.stopKeys, more.length], [0, true, '', 0]);
    const [answered] = told.of('LegAnswered');
    assert.equal(asked!.at, answered!.at);
    // It ends with its session.
    assert.deepEqual(
      [told.of('RecordStopRequested'), told.words, told.ended],
      [[], ['hello'], 'document document-end'],
    );
    assert.deepEqual(told.call.outstanding, {});
  }
  assert.equal(recordings(ordered(0, '<Say>hello</Say>')).length, 0);
});

test('nobody who didn’t answer is recorded', () => {
  assert.equal(recordings(tell('<Say>hello</Say>', { ordered: true, recordCalls: 1, callee: 'busy' })).length, 0);
});

test('a document neither ends it nor waits for it, and its own recordings are its own', () => {
  const told = ordered(1, '<RecordStart tag="a"/><RecordStop/><RecordWait/><Pause length="1000"/>');
  const [asked] = recordings(told);
  const stopped = told.of('RecordStopRequested').map(({ record }) => record);
  assert.equal(stopped.length, 1);
  assert.ok(!stopped.includes(asked!.seq));
  assert.equal(told.verbs.at(-1), 'Pause[0] finished');
});

test('a Record finds room beside it, however many a document begins', () => {
  const told = ordered(1, `${'<RecordStart/>'.repeat(4)}<Record/>`);
  const begun = told.verbs.filter((verb) => verb.endsWith(' recording'));
  assert.equal(begun.length, 2);
  assert.equal(told.verbs.at(-1), 'Record[0] silence');
});

test('another document goes on being recorded', () => {
  const told = tell('<Pause length="60000"/>', {
    ...{ ordered: true, recordCalls: 1, hangupAfterMs: 6_000 },
    orders: [{ at: 4_000, xml: '<Response><Say>another</Say><Pause length="60000"/></Response>' }],
  });
  assert.deepEqual(told.words, ['another']);
  assert.deepEqual(told.of('RecordStopRequested'), []);
  assert.equal(recordings(told).length, 1);
});

test('a number that a document dials is recorded by 1 alone, an address by neither', () => {
  const dialled = (recordCalls: number, verbs: string) => bridges(tell(verbs, { recordCalls }));
  assert.deepEqual(
    [0, 1, 2].map((recordCalls) => dialled(recordCalls, NUMBER)),
    [[false], [true], [false]],
  );
  assert.deepEqual(dialled(1, '<Dial><Sip>a@127.0.0.1:9</Sip></Dial>'), [false]);
  assert.deepEqual(dialled(1, '<Dial><Sip>a@127.0.0.1:9</Sip><Number>13055559999</Number></Dial>').length, 1);
  assert.deepEqual(dialled(0, NUMBER.replace('<Dial>', '<Dial record="record-from-answer">')), [true]);
});

test('what an ordered call dials is in its one recording', () => {
  const told = ordered(1, NUMBER);
  assert.deepEqual([recordings(told).length, bridges(told)], [1, [false]]);
});

test('a call that came in is not recorded by itself', () => {
  assert.equal(recordings(tell('<Say>hello</Say>', { recordCalls: 1 })).length, 0);
});
