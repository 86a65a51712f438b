import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  deadlineOf,
  failureOf,
  REQUESTS,
  type RequestEvent,
  type RequestType,
  requestsThat,
  rowOf,
} from './requests.ts';

const TYPES = Object.keys(REQUESTS) as RequestType[];
const request = (type: RequestType) =>
  ({
    type,
    callId: 'c',
    seq: 7,
    at: 0,
    leg: 1,
    timeoutMs: 1_000,
    recordingId: 'r',
    peerCallId: 'p',
  }) as unknown as RequestEvent;

test('what a call learns where nobody answers settles the request, or ends the leg that it was about', () => {
  for (const type of TYPES) {
    const failure = failureOf(request(type), 'unanswered');
    const settles = failure.type === 'RequestFailed' || REQUESTS[type].settledBy.includes(failure.type);
    if (failure.type === 'LegEnded') assert.deepEqual([REQUESTS[type].scope, failure.leg], ['dialog', 1], type);
    else assert.ok(settles && 'requestId' in failure && failure.requestId === 7, `${type}: ${failure.type}`);
  }
});

test('a request has a deadline in seconds, or its row says that it takes as long as it takes', () => {
  const patient = TYPES.filter((type) => deadlineOf(request(type)) === Number.POSITIVE_INFINITY);
  assert.deepEqual(patient.sort(), [
    'BridgeRequested',
    'DialRequested',
    'NodeRequested',
    'PeerJoinRequested',
    'PeerLeaveRequested',
    'PlayRequested',
    'RecordRequested',
  ]);
  for (const type of TYPES) assert.ok(deadlineOf(request(type)) >= 5_000, type);
  assert.equal(deadlineOf(request('DocumentRequested')), 6_000);
});

test('only requests have rows, and tables derive from them', () => {
  assert.equal(rowOf('VerbStarted'), undefined);
  assert.deepEqual([...requestsThat(({ servedBy }) => servedBy === 'notifier')], ['DocumentRequested']);
});
